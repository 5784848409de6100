//! Waits for changes of the files that an app is made of.
//!
//! The files are asked for their times, again and again: the system's own notifications differ from disk to disk,
//! and do not come from a folder that a container or a network lends.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use crate::app::App;
use crate::component_id::ROUTER;
use crate::scan::{Route, RouteKind};
use crate::sync::packages_of;

/// How often the files are looked at.
const INTERVAL: Duration = Duration::from_millis(200);

/// How much of the time looking may take: a tenth, where an app has so many files.
const SHARE: u32 = 10;

/// How long files have to stay as they are: an editor may write in several steps.
const REST: Duration = Duration::from_millis(50);

/// Files beside those below folders, relative to the app.
const FILES: [&str; 4] = ["Cargo.toml", "Cargo.lock", "spin.toml", "waypost.toml"];

/// The files of people that a build brings in step when it begins.
const IN_STEP: [&str; 2] = ["Cargo.toml", "spin.toml"];

/// The files that a build makes.
const MADE: [&str; 2] = ["Cargo.lock", "router/routes.txt"];

/// Tells versions of a file apart without reading it.
///
/// The last part is when the file's record changed, which no tool can set: a file that was put back with its old time
/// and length is seen too.
type Stamp = (Option<SystemTime>, u64, Option<(i64, i64)>);

/// The files of an app, as they were when they were last looked at.
pub struct Watch {
    app: App,
    folders: BTreeSet<PathBuf>,
    seen: BTreeMap<PathBuf, Stamp>,
}

impl Watch {
    /// Begins with the files as they are now.
    pub fn new(app: &App, routes: &[Route]) -> Watch {
        let mut watch = Watch {
            app: app.clone(),
            folders: BTreeSet::new(),
            seen: BTreeMap::new(),
        };
        watch.follow(routes);
        watch.seen = watch.look();
        watch
    }

    /// Follows the packages that these routes use. What is in packages that are new here counts as known.
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

    /// Waits until files change, and have come to rest; gives them, relative to the app. Gives up with none when
    /// `is_over`.
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

    /// Takes what a build brought in step for known. What changes later is for the next build.
    pub fn forgive_in_step(&mut self) {
        self.forgive(&IN_STEP);
    }

    /// Takes what a build made for known. Whatever else changed meanwhile is for the next build.
    pub fn forgive_made(&mut self) {
        self.forgive(&MADE);
    }

    fn forgive(&mut self, names: &[&str]) {
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
        found.extend(files.filter_map(|file| Some((file.clone(), stamp(&file)?))));
        found
    }
}

/// The files below a folder, without those that a tool made. Links to folders are not followed: they may lead in a
/// circle.
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

/// Cargo marks its build folders, so a route may well be called `target`.
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
        watch.forgive_in_step();
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
    fn a_manifest_that_is_saved_during_a_build_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        write(root, "handlers/hello/route.rs", "one");
        write(root, "spin.toml", "");
        let mut watch = Watch::new(&App::at(root).unwrap(), &[]);
        write(root, "spin.toml", "by the build");
        watch.forgive_in_step();
        write(root, "spin.toml", "by somebody else");
        watch.forgive_made();
        assert_eq!(watch.wait(|| false), ["spin.toml"]);
    }
}
