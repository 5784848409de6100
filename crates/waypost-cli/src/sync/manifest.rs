//! A TOML file that a person owns: parsed with its comments, written back with as little change
//! as can be.

use toml_edit::{DocumentMut, TableLike, Value};

use super::{Edited, SyncError, lines};

/// A document and the changes made to it.
pub(super) struct Manifest {
    original: String,
    pub(super) document: DocumentMut,
    pub(super) changes: Vec<String>,
    /// What was there for a route that is not.
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

    /// The new text; exactly the old one when nothing was changed.
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

/// Gives `value` a new content and leaves the space and comments around it.
pub(super) fn replace(value: &mut Value, new: impl Into<Value>) {
    let decor = value.decor().clone();
    *value = new.into();
    *value.decor_mut() = decor;
}

/// The string at `key`, if there is one.
pub(super) fn text<'a>(table: &'a dyn TableLike, key: &str) -> Option<&'a str> {
    table.get(key)?.as_str()
}

fn not_toml(file: &str, text: &str, error: &toml_edit::TomlError) -> SyncError {
    let start = error.span().map_or(0, |span| span.start);
    SyncError::Toml {
        file: file.to_owned(),
        line: 1 + text[..start].matches('\n').count(),
        message: error.message().replace('\n', ", "),
    }
}
