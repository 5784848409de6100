//! The walk below `handlers/`: which folders there are and which files of interest they hold.
//!
//! Private folders (`_name`) and Cargo's build folders are not entered. Links to folders are
//! followed, but never into a folder that is being walked already.

use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};

use waypost_config::Fault;

use super::{ROUTE_FILE, RouteKind, near_miss};

/// Deeper trees are refused: a path of so many segments is a mistake or an attack on the stack.
const MAX_DEPTH: usize = 64;

/// More folders are refused: a link to the root of a disk is likelier than so many routes.
const MAX_FOLDERS: usize = 20_000;

/// One folder at or below `handlers/`.
#[derive(Debug)]
pub(super) struct Folder {
    /// Its path below `handlers/`, with `/` between names; empty for `handlers/` itself.
    pub(super) below: String,
    /// The names in it that mean something here, sorted.
    pub(super) files: Vec<String>,
}

/// All folders, sorted, and what could not be walked.
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

    /// Which kind of route it is, if it is one. A source comes first.
    pub(super) fn kind(&self) -> Option<RouteKind> {
        [RouteKind::Source, RouteKind::Component]
            .into_iter()
            .find(|kind| self.has(kind.file()))
    }

    /// The file that makes it a route, relative to the app's root.
    pub(super) fn route_file(&self) -> String {
        self.file(self.kind().unwrap_or(RouteKind::Source).file())
    }

    /// The folder relative to the app's root.
    pub(super) fn path(&self) -> String {
        join("handlers", &self.below)
    }

    /// A file in it, relative to the app's root.
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
    /// Walks one folder. `above` holds the real paths of the folders on the way here.
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
            // Follows links, so a link to a folder counts as one; a dangling link as nothing.
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
    /// Whether there are too many folders; the first time, this is a fault.
    fn is_full(&mut self, below: &str) -> bool {
        let is_full = self.folders.len() >= MAX_FOLDERS;
        if is_full && !self.is_cut {
            self.is_cut = true;
            self.faults.push(too_many().file(join("handlers", below)));
        }
        is_full
    }
}

/// Cargo marks its build folders, so a route may well be called `target`.
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
    Fault::error("a link leads back to a folder above it, so its routes would have no end")
        .hint("remove the link, or put it in a private folder (`_name`)")
}

fn too_many() -> Fault {
    Fault::error(format!(
        "there are more than {MAX_FOLDERS} folders below `handlers/`"
    ))
    .hint("is there a link that leads out of the app?")
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
    Fault::error("the name of this folder is not UTF-8, so it can be no part of a URL")
        .file(join("handlers", below))
        .hint("rename it; write other bytes as percent-escapes, as in `caf%C3%A9`")
}
