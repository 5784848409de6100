//! An app on disk: its folder, and the paths of its files.
//!
//! Finds the folder of an app, and reads none of its files.

use std::path::{Path, PathBuf};

use thiserror::Error;

/// The folder of an app, which holds `spin.toml` and `handlers/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    root: PathBuf,
}

/// Why no app was found.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AppError {
    /// Neither the folder nor any of its parents is an app.
    #[error(
        "no app in `{}` or a folder above it: an app has `spin.toml` and `handlers/` (`cargo waypost new NAME` makes one, `--app DIR` names one)",
        start.display()
    )]
    NotFound {
        /// The folder in which the search started.
        start: PathBuf,
    },
    /// The given folder does not exist.
    #[error("there is no folder `{}`, which `--app` names", folder.display())]
    NoFolder {
        /// The given folder.
        folder: PathBuf,
    },
    /// The given folder is not an app.
    #[error(
        "`{}` is not an app: it has no {} (`cargo waypost new NAME` makes an app)",
        folder.display(),
        missing.join(" and no ")
    )]
    NoApp {
        /// The given folder.
        folder: PathBuf,
        /// The missing files and folders, in backticks.
        missing: Vec<&'static str>,
    },
}

impl App {
    /// Returns the app in this folder, without a search.
    ///
    /// # Errors
    ///
    /// Fails if the folder does not exist, or has no `spin.toml` or no `handlers/`.
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

    /// Returns the app in `start`, or else in the nearest parent folder that is one.
    ///
    /// # Errors
    ///
    /// Fails if neither `start` nor a parent folder is an app.
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

    /// Returns the folder of the app.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the folder with the routes.
    pub fn handlers(&self) -> PathBuf {
        self.root.join("handlers")
    }

    /// Returns the path of the Spin manifest.
    pub fn spin_toml(&self) -> PathBuf {
        self.root.join("spin.toml")
    }

    /// Returns the path of the settings. The file is optional.
    pub fn waypost_toml(&self) -> PathBuf {
        self.root.join("waypost.toml")
    }

    /// Returns the path of the Cargo workspace of the app.
    pub fn cargo_toml(&self) -> PathBuf {
        self.root.join("Cargo.toml")
    }

    /// Returns the path of the file with values of variables. The file is optional.
    pub fn dotenv(&self) -> PathBuf {
        self.root.join(".env")
    }

    /// Returns the default folder for the state of the host: key-value data.
    pub fn state_dir(&self) -> PathBuf {
        self.root.join(".waypost")
    }

    /// Returns the path of the route table that is compiled into the router.
    pub fn routes_txt(&self) -> PathBuf {
        self.root.join("router").join("routes.txt")
    }

    /// Returns the path of the cache policies that are compiled into the router. The file is there if a route has one.
    pub fn cache_txt(&self) -> PathBuf {
        self.root.join("router").join("cache.txt")
    }

    /// Returns the path of the router's source.
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
