//! `files`: the folders that a component may read.

use std::path::{Component as Part, Path, PathBuf};

use super::invalid;
use crate::document::{Collector, Keys, Located, Table, Value};
use crate::fault::FaultKind;

/// A folder that a component may read, and the path at which it sees it.
///
/// The folder may not exist: that is checked when the component is loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileMount {
    /// The folder, inside the manifest's folder.
    pub source: PathBuf,
    /// The absolute path in the component's file system, such as `/` or `/assets`.
    pub destination: String,
}

const KEYS: Keys = Keys::only(&["source", "destination"]);

pub(super) fn read(component: &Table<'_>, base: &Path, faults: &mut Collector) -> Vec<FileMount> {
    let Some(list) = component.get("files") else {
        return Vec::new();
    };
    list.items("a list of `{ source = …, destination = … }`", faults)
        .iter()
        .filter_map(|item| read_mount(item, base, faults))
        .collect()
}

fn read_mount(item: &Value<'_>, base: &Path, faults: &mut Collector) -> Option<FileMount> {
    if item.is_string() {
        let what = "a pattern in `files` is".to_owned();
        let hint = "write `{ source = \"folder\", destination = \"/folder\" }`";
        faults.add_hinted(item.range(), FaultKind::Unsupported { what }, hint);
        return None;
    }
    let table = item.item_table(faults)?;
    table.check_keys(&KEYS, faults);
    let source = table.require("source", faults);
    let source = source.and_then(|value| value.string(faults));
    let destination = table.require("destination", faults);
    let destination = destination.and_then(|value| value.string(faults));
    Some(FileMount {
        source: read_source(&source?, base, faults)?,
        destination: read_destination(&destination?, faults)?,
    })
}

/// Refuses sources outside the app's folder, as Spin does.
fn read_source(source: &Located<String>, base: &Path, faults: &mut Collector) -> Option<PathBuf> {
    if !source.value.is_empty() && stays_inside(Path::new(&source.value)) {
        return Some(base.join(&source.value));
    }
    let reason = "it must be a folder inside the manifest's folder".to_owned();
    faults.add(&source.range, invalid("source", &source.value, reason));
    None
}

fn stays_inside(path: &Path) -> bool {
    path.components()
        .try_fold(0_usize, |depth, part| match part {
            Part::Normal(_) => Some(depth + 1),
            Part::CurDir => Some(depth),
            Part::ParentDir => depth.checked_sub(1),
            Part::RootDir | Part::Prefix(_) => None,
        })
        .is_some()
}

/// Returns the destination as an absolute path without `.`, `..` or redundant slashes.
fn read_destination(destination: &Located<String>, faults: &mut Collector) -> Option<String> {
    let parts: Vec<_> = destination
        .value
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".")
        .collect();
    if parts.contains(&"..") || destination.value.contains('\0') {
        let reason = "it must be an absolute path without `..`".to_owned();
        let kind = invalid("destination", &destination.value, reason);
        faults.add(&destination.range, kind);
        return None;
    }
    Some(format!("/{}", parts.join("/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_stay_inside() {
        for (path, inside) in [
            ("assets", true),
            (".", true),
            ("a/../b", true),
            ("..", false),
            ("a/../../b", false),
            ("/etc", false),
        ] {
            assert_eq!(stays_inside(Path::new(path)), inside, "{path}");
        }
    }
}
