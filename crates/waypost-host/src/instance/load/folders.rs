//! The folders below `files`: each is inside the app's folder, links included.

use std::path::{Path, PathBuf};

/// Why a folder cannot be mounted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MountError {
    /// There is no such folder.
    #[error("the folder `{}` below `files` is missing or not a folder; create it or fix `spin.toml`", folder.display())]
    NotAFolder {
        /// The folder, as the manifest names it.
        folder: PathBuf,
    },
    /// The folder is, or lies behind, a link that leaves the app's folder.
    #[error(
        "the folder `{}` below `files` is a link to `{}`, outside the app; copy what the component needs into the app",
        folder.display(),
        target.display()
    )]
    Outside {
        /// The folder, as the manifest names it.
        folder: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
}

/// Returns the canonical path of a folder that a component of the app in `root` may be given.
///
/// # Errors
///
/// Returns an error if the folder is missing, or if a link on the way to it leaves the app's folder.
pub fn check_mount(root: &Path, folder: &Path) -> Result<PathBuf, MountError> {
    let named = || folder.to_owned();
    let not_a_folder = |_| MountError::NotAFolder { folder: named() };
    let target = folder.canonicalize().map_err(not_a_folder)?;
    let root = root.canonicalize().map_err(not_a_folder)?;
    match (target.starts_with(root), target.is_dir()) {
        (true, true) => Ok(target),
        (true, false) => Err(MountError::NotAFolder { folder: named() }),
        (false, _) => Err(MountError::Outside {
            folder: named(),
            target,
        }),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_stay_inside_the_app() {
        let outside = tempfile::tempdir().unwrap();
        let app = tempfile::tempdir().unwrap();
        let root = app.path();
        std::fs::create_dir_all(root.join("pages/deep")).unwrap();
        std::fs::write(root.join("file"), "").unwrap();
        symlink("pages", root.join("inside")).unwrap();
        symlink(outside.path(), root.join("outside")).unwrap();
        symlink("..", root.join("above")).unwrap();
        symlink(root.join("outside"), root.join("twice")).unwrap();
        std::fs::create_dir(outside.path().join("deep")).unwrap();
        let mounts = |name: &str| check_mount(root, &root.join(name));
        for name in ["", "pages", "pages/deep", "inside", "inside/deep"] {
            assert!(mounts(name).is_ok(), "{name}");
        }
        let pages = root.canonicalize().unwrap().join("pages");
        assert_eq!(mounts("inside").unwrap(), pages);
        for name in ["outside", "outside/deep", "above", "twice"] {
            assert!(
                matches!(mounts(name), Err(MountError::Outside { .. })),
                "{name}"
            );
        }
        for name in ["missing", "file"] {
            assert!(
                matches!(mounts(name), Err(MountError::NotAFolder { .. })),
                "{name}"
            );
        }
    }

    #[test]
    fn an_app_behind_a_link_is_an_app() {
        let app = tempfile::tempdir().unwrap();
        let links = tempfile::tempdir().unwrap();
        std::fs::create_dir(app.path().join("pages")).unwrap();
        let root = links.path().join("app");
        symlink(app.path(), &root).unwrap();
        assert!(check_mount(&root, &root.join("pages")).is_ok());
    }
}
