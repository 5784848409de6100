//! Waits until files of an app change.
//!
//! The modification times of the files are polled. The system's notifications differ from one file system to another,
//! and a folder shared by a container or a network has none.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use crate::app::App;
use crate::component_id::ROUTER;
use crate::route::{Route, RouteKind};
use crate::sync::packages_of;

/// The interval of polling.
const INTERVAL: Duration = Duration::from_millis(200);

/// The largest share of time that polling may take: a tenth. An app with many files is polled less often.
const SHARE: u32 = 10;

/// How long the files have to stay unchanged, because an editor may write in several steps.
const REST: Duration = Duration::from_millis(50);

/// Watched files outside the watched folders, relative to the app.
const FILES: [&str; 5] = [
    ".env",
    "Cargo.toml",
    "Cargo.lock",
    "spin.toml",
    "waypost.toml",
];

/// The files that a build writes.
const MADE: [&str; 3] = ["Cargo.lock", "router/routes.txt", "router/cache.txt"];

/// Distinguishes versions of a file without reading it: its modification time, its size, and the time at which its record
/// changed. No tool can set the last, so a file that was put back with its old time and size is seen too.
type Stamp = (Option<SystemTime>, u64, Option<(i64, i64)>);

/// The files of an app, with their versions at the last poll.
pub struct Watch {
    app: App,
    folders: BTreeSet<PathBuf>,
    /// Files and folders outside these folders from which the components were compiled.
    inputs: BTreeSet<PathBuf>,
    seen: BTreeMap<PathBuf, Stamp>,
}

impl Watch {
    /// Starts with the current files.
    pub fn new(app: &App, routes: &[Route]) -> Watch {
        let mut watch = Watch {
            app: app.clone(),
            folders: BTreeSet::new(),
            inputs: BTreeSet::new(),
            seen: BTreeMap::new(),
        };
        watch.follow(routes);
        watch.seen = watch.look();
        watch
    }

    /// Watches the packages that these routes use. Files of packages that were not watched before count as unchanged.
    pub fn follow(&mut self, routes: &[Route]) {
        let sources = routes
            .iter()
            .filter(|route| route.kind() == RouteKind::Source);
        let folders = sources.map(Route::folder).chain([ROUTER]);
        let packages = packages_of(&self.app, folders);
        let root = self.app.root();
        let own = [root.join("handlers"), root.join(ROUTER)];
        let folders: BTreeSet<PathBuf> = packages
            .iter()
            .map(|folder| root.join(folder))
            .chain(own)
            .collect();
        let is_new = |folder: &&PathBuf| !self.folders.contains(*folder);
        for folder in folders.iter().filter(is_new) {
            walk(folder, &mut self.seen);
        }
        self.folders = folders;
    }

    /// Watches the files and folders from which the components were compiled, also outside the app. Files that were not watched before
    /// count as unchanged.
    pub fn follow_inputs(&mut self, inputs: &BTreeSet<PathBuf>) {
        let mut found = BTreeMap::new();
        for input in inputs.difference(&self.inputs) {
            look_at(input, &mut found);
        }
        for (file, stamp) in found {
            self.seen.entry(file).or_insert(stamp);
        }
        self.inputs.clone_from(inputs);
        let Watch {
            app, folders, seen, ..
        } = self;
        let is_watched = |file: &Path| {
            let mut folders = folders.iter().chain(inputs);
            FILES.iter().any(|name| file == app.root().join(name))
                || folders.any(|folder| file.starts_with(folder))
        };
        seen.retain(|file, _| is_watched(file));
    }

    /// Waits until files change and then stay unchanged. Returns their paths relative to the app, or none once
    /// `is_over` returns true.
    pub fn wait(&mut self, is_over: impl Fn() -> bool) -> Vec<String> {
        let mut pause = INTERVAL;
        while !is_over() {
            thread::sleep(pause);
            let start = Instant::now();
            let now = self.look();
            pause = INTERVAL.max(start.elapsed() * SHARE);
            if now != self.seen {
                return self.changed(now);
            }
        }
        Vec::new()
    }

    /// Records the files that a build has written. Other files that changed meanwhile are for the next build.
    pub fn forgive_made(&mut self) {
        self.forgive(&MADE);
    }

    /// Records files that a build has just written. Later changes are for the next build.
    pub fn forgive(&mut self, names: &[&str]) {
        for name in names {
            let file = self.app.root().join(name);
            match stamp(&file) {
                Some(stamp) => drop(self.seen.insert(file, stamp)),
                None => drop(self.seen.remove(&file)),
            }
        }
    }

    fn changed(&mut self, mut now: BTreeMap<PathBuf, Stamp>) -> Vec<String> {
        loop {
            thread::sleep(REST);
            let later = self.look();
            if later == now {
                break;
            }
            now = later;
        }
        let before = std::mem::replace(&mut self.seen, now);
        let files: BTreeSet<&PathBuf> = before.keys().chain(self.seen.keys()).collect();
        let changed = files
            .into_iter()
            .filter(|file| before.get(*file) != self.seen.get(*file));
        let shown = |file: &PathBuf| {
            file.strip_prefix(self.app.root())
                .unwrap_or(file)
                .display()
                .to_string()
        };
        changed.map(shown).collect()
    }

    fn look(&self) -> BTreeMap<PathBuf, Stamp> {
        let mut found = BTreeMap::new();
        for folder in &self.folders {
            walk(folder, &mut found);
        }
        let files = FILES.iter().map(|name| self.app.root().join(name));
        for path in files.chain(self.inputs.iter().cloned()) {
            look_at(&path, &mut found);
        }
        found
    }
}

/// Returns a file, or the files below a folder: a build script may name either.
fn look_at(path: &Path, found: &mut BTreeMap<PathBuf, Stamp>) {
    match stamp(path) {
        Some(stamp) => drop(found.insert(path.to_owned(), stamp)),
        None => walk(path, found),
    }
}

/// Returns the files below a folder, without those that tools generate. Links to folders are not followed, because
/// they may form a cycle.
fn walk(folder: &Path, found: &mut BTreeMap<PathBuf, Stamp>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') || name.ends_with('~') || name == "node_modules" {
            continue;
        }
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && !is_build_folder(&path) => walk(&path, found),
            Ok(kind) if kind.is_dir() => {}
            _ => found.extend(stamp(&path).map(|stamp| (path, stamp))),
        }
    }
}

/// Returns whether a folder is a build folder, which Cargo marks. So a route may be called `target`.
fn is_build_folder(path: &Path) -> bool {
    path.ends_with("target") && path.join("CACHEDIR.TAG").is_file()
}

fn stamp(file: &Path) -> Option<Stamp> {
    let about = fs::metadata(file).ok().filter(fs::Metadata::is_file)?;
    Some((about.modified().ok(), about.len(), changed(&about)))
}

#[cfg(unix)]
fn changed(about: &fs::Metadata) -> Option<(i64, i64)> {
    use std::os::unix::fs::MetadataExt as _;

    Some((about.ctime(), about.ctime_nsec()))
}

#[cfg(not(unix))]
fn changed(_about: &fs::Metadata) -> Option<(i64, i64)> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, file: &str, text: &str) {
        let file = root.join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    #[test]
    fn changes_are_told_and_what_the_build_writes_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        write(root, "spin.toml", "");
        write(root, "handlers/hello/route.rs", "one");
        write(root, "handlers/hello/target/CACHEDIR.TAG", "");
        write(root, "router/routes.txt", "");
        let mut watch = Watch::new(&App::at(root).unwrap(), &[]);
        assert_eq!(watch.wait(|| true), [""; 0]);

        write(root, "spin.toml", "changed by the build");
        watch.forgive(&["Cargo.toml", "spin.toml"]);
        write(root, "router/routes.txt", "too");
        watch.forgive_made();
        write(root, "handlers/hello/target/debug/x.rs", "");
        write(root, "handlers/hello/.route.rs.swp", "");
        write(root, "handlers/hello/page.html", "new");
        write(root, "handlers/hello/route.rs", "longer");
        let changed = ["handlers/hello/page.html", "handlers/hello/route.rs"];
        assert_eq!(watch.wait(|| false), changed);

        fs::remove_dir_all(root.join("handlers/hello")).unwrap();
        assert_eq!(watch.wait(|| false), changed);
        write(root, "waypost.toml", "");
        assert_eq!(watch.wait(|| false), ["waypost.toml"]);
    }

    #[test]
    fn inputs_outside_the_app_are_watched() {
        let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let root = folder.path();
        write(root, "handlers/hello/route.rs", "one");
        write(root, "spin.toml", "");
        write(outside.path(), "page.html", "one");
        let page = outside.path().join("page.html");
        let mut watch = Watch::new(&App::at(root).unwrap(), &[]);
        let inputs = BTreeSet::from([root.join("handlers/hello/route.rs"), page.clone()]);
        watch.follow_inputs(&inputs);
        write(outside.path(), "page.html", "another");
        assert_eq!(watch.wait(|| false), [page.display().to_string()]);
        // A build script names a folder.
        let migrations = outside.path().join("migrations");
        write(&migrations, "1.sql", "one");
        let inputs = BTreeSet::from([page.clone(), migrations.clone()]);
        watch.follow_inputs(&inputs);
        write(&migrations, "2.sql", "two");
        let second = migrations.join("2.sql").display().to_string();
        assert_eq!(watch.wait(|| false), [second]);
        watch.follow_inputs(&BTreeSet::new());
        write(root, "handlers/hello/route.rs", "two, longer");
        assert_eq!(watch.wait(|| false), ["handlers/hello/route.rs"]);
    }

    #[test]
    fn a_manifest_that_is_saved_during_a_build_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        write(root, "handlers/hello/route.rs", "one");
        write(root, "spin.toml", "");
        let mut watch = Watch::new(&App::at(root).unwrap(), &[]);
        write(root, "spin.toml", "by the build");
        watch.forgive(&["Cargo.toml", "spin.toml"]);
        write(root, "spin.toml", "by somebody else");
        watch.forgive_made();
        assert_eq!(watch.wait(|| false), ["spin.toml"]);
    }
}
