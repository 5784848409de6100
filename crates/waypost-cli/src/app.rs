//! An app on disk: where it is and where its files are.
//!
//! Nothing here reads the files; it only finds the folder that holds them.

use std::path::{Path, PathBuf};

use thiserror::Error;

/// The folder of an app, which holds `spin.toml` and `handlers/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    root: PathBuf,
}

/// Why there is no app.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AppError {
    /// Neither the folder nor any of its parents is an app.
    #[error(
        "no app in `{}` or a folder above it: an app has `spin.toml` and `handlers/` (`cargo waypost new NAME` makes one, `--app DIR` names one)",
        start.display()
    )]
    NotFound {
        /// Where the search began.
        start: PathBuf,
    },
    /// The folder that was named is not there.
    #[error("there is no folder `{}`, which `--app` names", folder.display())]
    NoFolder {
        /// The folder that was named.
        folder: PathBuf,
    },
    /// The folder that was named is not an app.
    #[error(
        "`{}` is no app: it has no {} (`cargo waypost new NAME` makes an app)",
        folder.display(),
        missing.join(" and no ")
    )]
    NoApp {
        /// The folder that was named.
        folder: PathBuf,
        /// What it lacks.
        missing: Vec<&'static str>,
    },
}

impl App {
    /// The app in exactly this folder.
    ///
    /// # Errors
    ///
    /// When there is no such folder, or it lacks `spin.toml` or `handlers/`.
    pub fn at(folder: &Path) -> Result<App, AppError> {
        if !folder.is_dir() {
            let folder = folder.to_owned();
            return Err(AppError::NoFolder { folder });
        }
        let missing = missing(folder);
        if missing.is_empty() {
            return Ok(App {
                root: folder.to_owned(),
            });
        }
        Err(AppError::NoApp {
            folder: folder.to_owned(),
            missing,
        })
    }

    /// The app in `start` or in the nearest folder above it.
    ///
    /// # Errors
    ///
    /// When no folder on the way up is an app.
    pub fn above(start: &Path) -> Result<App, AppError> {
        start
            .ancestors()
            .find(|folder| missing(folder).is_empty())
            .map(|folder| App {
                root: folder.to_owned(),
            })
            .ok_or_else(|| AppError::NotFound {
                start: start.to_owned(),
            })
    }

    /// The app's folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder whose folders are routes.
    pub fn handlers(&self) -> PathBuf {
        self.root.join("handlers")
    }

    /// The Spin manifest.
    pub fn spin_toml(&self) -> PathBuf {
        self.root.join("spin.toml")
    }

    /// The app's own settings; the file need not exist.
    pub fn waypost_toml(&self) -> PathBuf {
        self.root.join("waypost.toml")
    }

    /// The manifest of the app's workspace.
    pub fn cargo_toml(&self) -> PathBuf {
        self.root.join("Cargo.toml")
    }

    /// What the host keeps between runs, unless the command line names another folder.
    pub fn state_dir(&self) -> PathBuf {
        self.root.join(".waypost")
    }

    /// The table of routes that the router is compiled with.
    pub fn routes_txt(&self) -> PathBuf {
        self.root.join("router").join("routes.txt")
    }

    /// The source of the router.
    pub fn router_source(&self) -> PathBuf {
        self.root.join("router").join("src").join("lib.rs")
    }
}

fn missing(folder: &Path) -> Vec<&'static str> {
    let mut missing = Vec::new();
    if !folder.join("spin.toml").is_file() {
        missing.push("`spin.toml`");
    }
    if !folder.join("handlers").is_dir() {
        missing.push("`handlers/`");
    }
    missing
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn an_app_is_found_from_a_folder_below() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("handlers/items/[slug]");
        fs::create_dir_all(&below).unwrap();
        fs::write(folder.path().join("spin.toml"), "").unwrap();
        assert_eq!(App::above(&below).unwrap().root(), folder.path());
        assert_eq!(App::at(folder.path()).unwrap().root(), folder.path());
    }

    #[test]
    fn what_is_missing_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = App::at(folder.path()).unwrap_err().to_string();
        assert!(
            error.contains("no `spin.toml` and no `handlers/`"),
            "{error}"
        );
        let error = App::at(&folder.path().join("nowhere")).unwrap_err();
        assert!(matches!(error, AppError::NoFolder { .. }));
    }
}
