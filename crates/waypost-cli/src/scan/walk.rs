//! Walks the folders below `handlers/` and lists their relevant files.
//!
//! Private folders (`_name`) and Cargo's build folders are skipped. Links to folders are followed, but never into a
//! folder that is being walked already.

use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};

use waypost_config::Fault;

use super::near_miss;
use crate::route::{ROUTE_FILE, RouteKind};

/// The deepest tree that is accepted. A path of more segments is a mistake, or an attack on the stack.
const MAX_DEPTH: usize = 64;

/// The largest number of folders. More are most likely caused by a link to the root of a disk.
const MAX_FOLDERS: usize = 20_000;

/// A folder at or below `handlers/`.
#[derive(Debug)]
pub(super) struct Folder {
    /// Its path below `handlers/`, with `/` between names; empty for `handlers/` itself.
    pub(super) below: String,
    /// The names of its relevant files, sorted.
    pub(super) files: Vec<String>,
}

/// All folders, sorted, and the faults of those that could not be read.
#[derive(Debug, Default)]
pub(super) struct Walk {
    pub(super) folders: Vec<Folder>,
    pub(super) faults: Vec<Fault>,
    is_cut: bool,
}

impl Folder {
    pub(super) fn has(&self, file: &str) -> bool {
        self.files.iter().any(|name| name == file)
    }

    pub(super) fn has_route(&self) -> bool {
        self.kind().is_some()
    }

    /// Returns the kind of the route, or `None` if the folder is not a route. `route.rs` takes precedence.
    pub(super) fn kind(&self) -> Option<RouteKind> {
        [RouteKind::Source, RouteKind::Component]
            .into_iter()
            .find(|kind| self.has(kind.file()))
    }

    /// Returns the file that makes it a route, relative to the app's root.
    pub(super) fn route_file(&self) -> String {
        self.file(self.kind().unwrap_or(RouteKind::Source).file())
    }

    /// Returns the folder, relative to the app's root.
    pub(super) fn path(&self) -> String {
        join("handlers", &self.below)
    }

    /// Returns a file in it, relative to the app's root.
    pub(super) fn file(&self, name: &str) -> String {
        join(&self.path(), name)
    }
}

pub(super) fn walk(handlers: &Path) -> Walk {
    let mut walk = Walk::default();
    walk.enter(handlers, String::new(), &mut Vec::new());
    walk
}

impl Walk {
    /// Walks one folder. `above` has the canonical paths of its parents.
    fn enter(&mut self, folder: &Path, below: String, above: &mut Vec<PathBuf>) {
        if let Err(fault) = self.try_enter(folder, &below, above) {
            self.faults.push(fault.file(join("handlers", &below)));
        }
    }

    fn try_enter(
        &mut self,
        folder: &Path,
        below: &str,
        above: &mut Vec<PathBuf>,
    ) -> Result<(), Fault> {
        if above.len() > MAX_DEPTH {
            return Err(too_deep());
        }
        let unreadable = |error: std::io::Error| Fault::error(format!("cannot read it: {error}"));
        let real = fs::canonicalize(folder).map_err(unreadable)?;
        if above.contains(&real) {
            return Err(link_loop());
        }
        let entries = fs::read_dir(folder)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(unreadable)?;
        above.push(real);
        self.take(entries, below, above);
        above.pop();
        Ok(())
    }

    fn take(&mut self, mut entries: Vec<DirEntry>, below: &str, above: &mut Vec<PathBuf>) {
        entries.sort_by_key(DirEntry::file_name);
        let index = self.folders.len();
        self.folders.push(Folder {
            below: below.to_owned(),
            files: Vec::new(),
        });
        for entry in entries {
            // This follows links, so a link to a folder counts as a folder, and a dangling link as nothing.
            let is_folder = entry.path().is_dir();
            match entry.file_name().into_string() {
                Ok(name) if is_folder => self.descend(&entry.path(), below, &name, above),
                Ok(name) if near_miss::is_of_interest(&name) => {
                    self.refuse_endless(&entry.path(), below, &name);
                    self.folders[index].files.push(name);
                }
                Err(name) if is_folder => self
                    .faults
                    .push(not_utf8(&join(below, &name.to_string_lossy()))),
                Ok(_) | Err(_) => {}
            }
        }
    }

    /// Refuses a `route.rs` that the compiler would read for ever: a pipe or a device. Other files are read by this
    /// command, which refuses them itself.
    fn refuse_endless(&mut self, path: &Path, below: &str, name: &str) {
        if name == ROUTE_FILE && fs::metadata(path).is_ok_and(|about| !about.is_file()) {
            let file = join(&join("handlers", below), name);
            self.faults.push(not_regular().file(file));
        }
    }

    fn descend(&mut self, path: &Path, below: &str, name: &str, above: &mut Vec<PathBuf>) {
        if name.starts_with('_') || is_build_folder(path) || self.is_full(below) {
            return;
        }
        self.enter(path, join(below, name), above);
    }
}

impl Walk {
    /// Returns whether there are too many folders, and records the fault once.
    fn is_full(&mut self, below: &str) -> bool {
        let is_full = self.folders.len() >= MAX_FOLDERS;
        if is_full && !self.is_cut {
            self.is_cut = true;
            self.faults.push(too_many().file(join("handlers", below)));
        }
        is_full
    }
}

/// Returns whether a folder is a build folder, which Cargo marks. So a route may be called `target`.
fn is_build_folder(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "target") && path.join("CACHEDIR.TAG").is_file()
}

fn join(folder: &str, name: &str) -> String {
    match (folder, name) {
        (folder, "") => folder.to_owned(),
        ("", name) => name.to_owned(),
        (folder, name) => format!("{folder}/{name}"),
    }
}

fn link_loop() -> Fault {
    Fault::error(
        "a link leads to one of its parent folders, so there would be endlessly many routes",
    )
    .hint("remove the link, or put it in a private folder (`_name`)")
}

fn too_many() -> Fault {
    Fault::error(format!(
        "there are more than {MAX_FOLDERS} folders below `handlers/`"
    ))
    .hint("check for a link that leads out of the app")
}

fn not_regular() -> Fault {
    Fault::error("a pipe, a socket or a device, not a regular file")
        .hint("a route's source is a file, or a link to one")
}

fn too_deep() -> Fault {
    Fault::error(format!("folders go deeper than {MAX_DEPTH} levels here"))
        .hint("a catch-all (`[...path]`) takes any number of segments")
}

fn not_utf8(below: &str) -> Fault {
    Fault::error("the name of this folder is not UTF-8, so it can't be part of a URL")
        .file(join("handlers", below))
        .hint("rename it; write other bytes as percent-escapes, as in `caf%C3%A9`")
}
