//! Finds the routes of an app: walks `handlers/`, sorts, and refuses invalid trees.
//!
//! A scan never stops at the first fault: [`Scan::faults`] has all of them, in the order of the folders. It reads
//! names, `Cargo.toml` files and the ids in `spin.toml`, never the source or the component of a route, and it changes
//! nothing.

mod component;
mod near_miss;
mod package;
mod walk;

use waypost_config::{Fault, Faults, Severity};
use waypost_routing::{Conflict, Pattern, PatternError, RouteTable};

use crate::app::App;
use crate::route::{COMPONENT_FILE, ROUTE_FILE, Route, RouteKind};
use component::Known;
use package::Packages;
use walk::Folder;

/// The routes of an app, and the faults of its folders.
#[derive(Debug)]
pub struct Scan {
    routes: Vec<Route>,
    faults: Vec<Fault>,
}

impl Scan {
    /// Scans the folders of an app.
    pub fn of(app: &App) -> Scan {
        let walk = walk::walk(&app.handlers());
        let mut faults = walk.faults;
        let patterns = patterns(&walk.folders, &mut faults);
        faults.extend(conflicts(&patterns));
        let known = Known::read(app);
        let routes = routes(app, patterns, &known, &mut faults);
        faults.extend(known.without_file(app));
        for folder in &walk.folders {
            faults.extend(folder.kind().and_then(|_| two_routes(folder)));
            faults.extend(near_miss::warnings(folder, &walk.folders));
            faults.extend(package::without_route(app, folder));
        }
        if faults.is_empty() && !walk.folders.iter().any(Folder::has_route) {
            faults.push(no_routes());
        }
        // Faults of one file stay together; a file's errors come before its warnings.
        faults.sort_by(|a, b| (a.places(), a.severity()).cmp(&(b.places(), b.severity())));
        Scan { routes, faults }
    }

    /// Returns all faults, in the order of the files.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// Returns the warnings, which do not stop a build.
    pub fn warnings(&self) -> impl Iterator<Item = &Fault> {
        self.faults
            .iter()
            .filter(|fault| fault.severity() == Severity::Warning)
    }

    /// Returns the errors, which stop a build.
    pub fn errors(&self) -> impl Iterator<Item = &Fault> {
        self.faults
            .iter()
            .filter(|fault| fault.severity() == Severity::Error)
    }

    /// Returns the routes in order of precedence.
    ///
    /// # Errors
    ///
    /// With all errors, if there are any.
    pub fn into_routes(self) -> Result<Vec<Route>, Faults> {
        Faults::refuse(self.errors().cloned().collect())?;
        Ok(self.routes)
    }

    /// Returns the valid routes in order of precedence, whatever is wrong elsewhere.
    pub fn into_sound_routes(self) -> Vec<Route> {
        self.routes
    }
}

fn no_routes() -> Fault {
    Fault::warning("there are no routes")
        .file("handlers")
        .hint("`cargo waypost add hello` adds one")
}

/// Checks that a new route, in `file`, does not conflict with `routes`.
///
/// # Errors
///
/// With all conflicts.
pub fn refuse_conflicts(routes: &[Route], pattern: &Pattern, file: &str) -> Result<(), Faults> {
    let labelled = routes
        .iter()
        .filter(|route| route.file() != file)
        .map(|route| (route.pattern().clone(), route.file()))
        .chain([(pattern.clone(), file.to_owned())]);
    match RouteTable::new(labelled) {
        Ok(_) => Ok(()),
        Err(conflicts) => Faults::refuse(conflicts.iter().map(|found| conflict(&found)).collect()),
    }
}

/// Returns the folders that are routes, with their patterns.
fn patterns<'a>(folders: &'a [Folder], faults: &mut Vec<Fault>) -> Vec<(Pattern, &'a Folder)> {
    let mut patterns = Vec::new();
    for folder in folders.iter().filter(|folder| folder.has_route()) {
        match Pattern::parse(&folder.below) {
            Ok(pattern) => patterns.push((pattern, folder)),
            Err(PatternError::Private { .. }) => {}
            Err(error) => faults.push(bad_pattern(folder, &error)),
        }
    }
    patterns
}

fn bad_pattern(folder: &Folder, error: &PatternError) -> Fault {
    advised(Fault::error, &error.to_string()).file(folder.route_file())
}

/// Returns all conflicts, or if there are none, warnings of routes that no path reaches.
fn conflicts(patterns: &[(Pattern, &Folder)]) -> Vec<Fault> {
    let labelled = patterns
        .iter()
        .map(|(pattern, folder)| (pattern.clone(), folder.route_file()));
    match RouteTable::new(labelled) {
        Ok(table) => table.unreachable().map(unreachable).collect(),
        Err(conflicts) => conflicts.iter().map(|found| conflict(&found)).collect(),
    }
}

fn conflict(found: &Conflict<'_, String>) -> Fault {
    let ((_, first_file), (_, second_file)) = (found.first, found.second);
    advised(Fault::error, &found.to_string())
        .file(first_file)
        .file(second_file)
}

fn unreachable((pattern, file): (&Pattern, &String)) -> Fault {
    Fault::warning(format!("no path ever reaches `{pattern}`"))
        .file(file)
        .hint("other routes take precedence for all of its paths")
}

/// Splits a message of `waypost-routing`, which ends with a hint after a semicolon.
fn advised(kind: fn(String) -> Fault, message: &str) -> Fault {
    match message.rsplit_once("; ") {
        Some((message, hint)) => kind(message.to_owned()).hint(hint),
        None => kind(message.to_owned()),
    }
}

/// Refuses a folder with both files, which would be two routes for one path.
fn two_routes(folder: &Folder) -> Option<Fault> {
    let has_both = folder.has(ROUTE_FILE) && folder.has(COMPONENT_FILE);
    has_both.then(|| {
        Fault::error("a folder is one route, but this one has a source and a component")
            .file(folder.file(ROUTE_FILE))
            .file(folder.file(COMPONENT_FILE))
            .hint("remove one of the two, or move it to a folder of its own")
    })
}

fn routes(
    app: &App,
    patterns: Vec<(Pattern, &Folder)>,
    known: &Known,
    faults: &mut Vec<Fault>,
) -> Vec<Route> {
    let mut packages = Packages::new(app);
    let mut routes = Vec::new();
    // Packages come first, because they have names. Ids of other components are found or derived, and have to differ.
    for of in [RouteKind::Source, RouteKind::Component] {
        for (pattern, folder) in &patterns {
            let Some(kind) = folder.kind().filter(|kind| *kind == of) else {
                continue;
            };
            let id = match kind {
                RouteKind::Source => packages.read(folder),
                RouteKind::Component => packages.take(known, folder, pattern),
            };
            routes.extend(id.map(|id| Route::new(folder.path(), pattern.clone(), id, kind)));
        }
    }
    faults.extend(packages.into_faults());
    routes.sort_by(|a, b| a.pattern().cmp(b.pattern()));
    routes
}
