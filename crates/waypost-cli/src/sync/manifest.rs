//! A TOML file that people edit too: parsed with its comments, and written back with as few changes as possible.

use toml_edit::{DocumentMut, Value};

use super::{Edited, SyncError, lines};

/// A document and its changes.
pub(super) struct Manifest {
    original: String,
    pub(super) document: DocumentMut,
    pub(super) changes: Vec<String>,
    /// Entries of routes that no longer exist.
    pub(super) gone: Vec<String>,
}

impl Manifest {
    pub(super) fn parse(file: &'static str, text: &str) -> Result<Manifest, SyncError> {
        let document = text.parse().map_err(|error| not_toml(file, text, &error))?;
        Ok(Manifest {
            original: text.to_owned(),
            document,
            changes: Vec::new(),
            gone: Vec::new(),
        })
    }

    pub(super) fn note(&mut self, change: impl Into<String>) {
        self.changes.push(change.into());
    }

    /// Returns the new text, which is exactly the old one if nothing was changed.
    pub(super) fn finish(self) -> Edited {
        let text = match self.changes.is_empty() {
            true => self.original,
            false => lines::like(&self.original, &self.document.to_string()),
        };
        Edited {
            text,
            changes: self.changes,
            gone: self.gone,
        }
    }
}

/// Replaces a value and keeps the space and comments around it.
pub(super) fn replace(value: &mut Value, new: impl Into<Value>) {
    let decor = value.decor().clone();
    *value = new.into();
    *value.decor_mut() = decor;
}

fn not_toml(file: &str, text: &str, error: &toml_edit::TomlError) -> SyncError {
    let start = error.span().map_or(0, |span| span.start);
    SyncError::Toml {
        file: file.to_owned(),
        line: 1 + text[..start].matches('\n').count(),
        message: error.message().replace('\n', ", "),
    }
}
