//! Synchronises the app's files with its folders.
//!
//! Four files follow the folders: the workspace members in `Cargo.toml`, the routes in `spin.toml`, `router/routes.txt` and
//! `router/cache.txt`. In the first two, everything written by people is kept: order, formatting, comments and keys;
//! only entries that belong to a route are added, corrected or removed. The edits are functions from text to text;
//! planning reads files, and only [`Plan::apply`] writes them. A plan made after applying another is empty.

mod array;
mod cache_file;
mod lines;
mod manifest;
mod members;
mod routes_file;
mod spin;
mod watch;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;
use waypost_cache::Policy;
use waypost_config::{Fault, read_text_file};

use crate::app::App;
use crate::route::Route;

pub use routes_file::{RouteEntry, out_of_step, render as render_routes};
pub(crate) use spin::{CACHE_FEATURE, Caching};
pub(crate) use watch::{Inputs, packages_of};

/// A new text for a file, and the list of its changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Edited {
    text: String,
    changes: Vec<String>,
    gone: Vec<String>,
}

/// Changes to files of an app that were not made yet.
#[derive(Debug, Default)]
pub struct Plan {
    edits: Vec<FileEdit>,
    warnings: Vec<String>,
}

#[derive(Debug)]
struct FileEdit {
    file: PathBuf,
    edited: Edited,
}

/// Why a file cannot be synchronised.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SyncError {
    /// A file cannot be read.
    #[error("cannot read `{}`", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write `{}`", file.display())]
    Write {
        /// The file.
        file: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A file is not valid TOML.
    #[error("`{file}` line {line} is not valid TOML: {message}")]
    Toml {
        /// The file's name.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The message of the parser.
        message: String,
    },
    /// A part of a file has an unexpected form.
    #[error("`{file}`: {expected}")]
    Shape {
        /// The file's name.
        file: &'static str,
        /// The expected form.
        expected: &'static str,
    },
}

impl Plan {
    /// Plans the changes to `Cargo.toml` and `spin.toml` for `routes`.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, is not valid TOML, or has an unexpected form.
    pub fn of_manifests(app: &App, routes: &[Route]) -> Result<Plan, SyncError> {
        let mut plan = Plan::of_workspace(app, routes)?;
        let text = read(&app.spin_toml())?;
        let (edited, warnings) = spin::edit(&text, routes, app)?;
        plan.push(app.spin_toml(), &text, edited);
        plan.warnings = warnings;
        Ok(plan)
    }

    /// Plans the changes to `Cargo.toml` alone.
    ///
    /// # Errors
    ///
    /// As for [`Plan::of_manifests`].
    pub fn of_workspace(app: &App, routes: &[Route]) -> Result<Plan, SyncError> {
        let mut plan = Plan::default();
        let text = read(&app.cargo_toml())?;
        let edited = members::edit(&text, routes, &|folder| has_package(app, folder))?;
        plan.push(app.cargo_toml(), &text, edited);
        Ok(plan)
    }

    /// Plans the change to `spin.toml`, whose text is `text`, for the files from which components were compiled.
    ///
    /// # Errors
    ///
    /// When the text is not valid TOML, or has an unexpected form.
    pub(crate) fn of_inputs(app: &App, text: &str, inputs: &Inputs) -> Result<Plan, SyncError> {
        let mut plan = Plan::default();
        let edited = spin::watch_inputs(text, app, inputs)?;
        plan.push(app.spin_toml(), text, edited);
        Ok(plan)
    }

    /// Plans the change to `router/routes.txt` for `entries`.
    ///
    /// # Errors
    ///
    /// When the file exists and cannot be read.
    pub fn of_routes_file(app: &App, entries: &[RouteEntry]) -> Result<Plan, SyncError> {
        let file = app.routes_txt();
        let old = match file.is_file() {
            true => read(&file)?,
            false => String::new(),
        };
        let edited = Edited {
            text: render_routes(entries),
            changes: vec![format!("write {} routes", entries.len())],
            gone: Vec::new(),
        };
        let mut plan = Plan::default();
        plan.push(file, &old, edited);
        Ok(plan)
    }

    /// Plans the change to `router/cache.txt` for the routes with a cache policy. There must be one.
    ///
    /// # Errors
    ///
    /// When the file exists and cannot be read.
    pub(crate) fn of_cache_table(
        app: &App,
        policies: &[(&str, &Policy)],
    ) -> Result<Plan, SyncError> {
        let file = app.cache_txt();
        let old = match file.is_file() {
            true => read(&file)?,
            false => String::new(),
        };
        let edited = Edited {
            text: cache_file::render(policies),
            changes: vec![format!("write {} cache policies", policies.len())],
            gone: Vec::new(),
        };
        let mut plan = Plan::default();
        plan.push(file, &old, edited);
        Ok(plan)
    }

    /// Plans the changes to `spin.toml` for the response cache of the router component.
    ///
    /// # Errors
    ///
    /// As for [`Plan::of_manifests`].
    pub(crate) fn of_caching(app: &App, caching: &Caching) -> Result<Plan, SyncError> {
        let mut plan = Plan::default();
        let text = read(&app.spin_toml())?;
        let edited = spin::cache(&text, caching)?;
        plan.push(app.spin_toml(), &text, edited);
        Ok(plan)
    }

    /// Returns the new text of a file, or `None` if the plan does not change it.
    pub fn text_of(&self, file: &Path) -> Option<&str> {
        let edit = self.edits.iter().find(|edit| edit.file == file)?;
        Some(&edit.edited.text)
    }

    /// Returns whether nothing has to be changed.
    pub fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }

    /// Returns the changes as `file: change`.
    pub fn changes(&self, app: &App) -> Vec<String> {
        let mut changes = Vec::new();
        for edit in &self.edits {
            let file = edit.file.strip_prefix(app.root()).unwrap_or(&edit.file);
            let of_edit = edit.edited.changes.iter();
            changes.extend(of_edit.map(|change| format!("{}: {change}", file.display())));
        }
        changes
    }

    /// Returns a fault for each entry of a removed folder, which the plan removes.
    pub fn gone(&self, app: &App) -> Vec<Fault> {
        let of = |edit: &FileEdit| {
            let file = edit.file.strip_prefix(app.root()).unwrap_or(&edit.file);
            let file = file.display().to_string();
            let fault = move |entry: &String| {
                Fault::error(entry)
                    .file(&file)
                    .hint("`cargo waypost build` removes the entry; or bring the folder back")
            };
            edit.edited.gone.iter().map(fault).collect::<Vec<_>>()
        };
        self.edits.iter().flat_map(of).collect()
    }

    /// Returns warnings about entries that only their owner should change.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Writes the files that change.
    ///
    /// # Errors
    ///
    /// When a file cannot be written.
    pub fn apply(&self) -> Result<(), SyncError> {
        self.edits.iter().try_for_each(FileEdit::write)
    }

    fn push(&mut self, file: PathBuf, old: &str, edited: Edited) {
        if edited.text != old {
            self.edits.push(FileEdit { file, edited });
        }
    }
}

impl FileEdit {
    /// Writes a new file beside the old one and renames it, so that the old text is never lost.
    fn write(&self) -> Result<(), SyncError> {
        let mut beside = self.file.clone().into_os_string();
        beside.push(".new");
        fs::write(&beside, &self.edited.text)
            .and_then(|()| fs::rename(&beside, &self.file))
            .map_err(|source| SyncError::Write {
                file: self.file.clone(),
                source,
            })
    }
}

fn has_package(app: &App, folder: &str) -> bool {
    app.root().join(folder).join("Cargo.toml").is_file()
}

fn read(file: &Path) -> Result<String, SyncError> {
    read_text_file(file).map_err(|source| SyncError::Read {
        file: file.to_owned(),
        source,
    })
}
