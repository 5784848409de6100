//! Copies components to the files named in `spin.toml`.

use std::fs;
use std::io;
use std::path::Path;

use waypost_config::read_file;

use crate::serve::MAX_COMPONENT;

/// Copies `built` to `file`, unless they are the same file or have the same content.
///
/// The copy is written beside `file` and then renamed, so that a running host never reads half a component.
pub(super) fn install(built: &Path, file: &Path) -> io::Result<()> {
    if is_same(built, file) {
        return Ok(());
    }
    let component = read_file(built, MAX_COMPONENT)?;
    match read_file(file, MAX_COMPONENT) {
        Ok(old) if old == component => Ok(()),
        Ok(_) | Err(_) => write(file, &component),
    }
}

/// Writes a component in the same way.
pub(crate) fn write(file: &Path, component: &[u8]) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let beside = file.with_extension("wasm.new");
    fs::write(&beside, component)?;
    fs::rename(&beside, file)
}

fn is_same(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        (Err(_), _) | (_, Err(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_is_copied_once() {
        let folder = tempfile::tempdir().unwrap();
        let built = folder.path().join("built.wasm");
        let file = folder.path().join("dist/app.wasm");
        fs::write(&built, "one").unwrap();
        install(&built, &file).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"one");
        let first = fs::metadata(&file).unwrap().modified().unwrap();
        install(&built, &file).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), first);
        install(&built, &built).unwrap();
        assert_eq!(fs::read(&built).unwrap(), b"one");
    }
}
