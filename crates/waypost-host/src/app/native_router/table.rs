//! The route table on disk.

use crate::app::file_stamp::{FileStamp, LastLook};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use waypost_config::read_text_file;
use waypost_router::{Destination, Router};

/// Why the host's own router has no route table.
#[derive(Debug, thiserror::Error)]
#[error("the table of routes `{}` can't be used: {reason}; run `cargo waypost build`, and start the host again", path.display())]
pub struct RoutesError {
    path: PathBuf,
    reason: String,
}

/// A route table that follows its file.
pub(crate) struct Table {
    path: PathBuf,
    /// Ids of the app's components.
    known: BTreeSet<String>,
    state: Mutex<State>,
}

struct State {
    router: Arc<Router>,
    stamp: FileStamp,
    looked: LastLook,
}

impl Table {
    /// Reads a table.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, is malformed, or names an unknown component.
    pub(crate) fn read(path: &Path, known: &BTreeSet<String>) -> Result<Self, RoutesError> {
        // Taken before the file is read, so that the next check sees a change made meanwhile.
        let stamp = FileStamp::of(path);
        let mut state = State {
            router: Arc::new(read(path, known)?),
            stamp,
            looked: LastLook::default(),
        };
        state.looked.done();
        Ok(Self {
            path: path.to_owned(),
            known: known.clone(),
            state: Mutex::new(state),
        })
    }

    /// Returns the table as the file has it now, or the last one that could be read.
    pub(super) fn current(&self) -> Arc<Router> {
        let mut state = self.lock();
        if state.looked.is_due() {
            state.looked.done();
            self.look_at(&mut state);
        }
        Arc::clone(&state.router)
    }

    /// Returns whether this is the table as the file has it, as far as that is known without a look at the file.
    pub(super) fn is_current(&self, router: &Arc<Router>) -> bool {
        let state = self.lock();
        !state.looked.is_due() && Arc::ptr_eq(&state.router, router)
    }

    /// Lets the next request check the file for changes.
    pub(super) fn look_again(&self) {
        self.lock().looked.forget();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look_at(&self, state: &mut State) {
        let stamp = FileStamp::of(&self.path);
        if stamp == state.stamp && stamp.is_final() {
            return;
        }
        state.stamp = stamp;
        match read(&self.path, &self.known) {
            Ok(router) => state.router = Arc::new(router),
            Err(error) => tracing::error!("{error}; the routes stay as they were"),
        }
    }
}

fn read(path: &Path, known: &BTreeSet<String>) -> Result<Router, RoutesError> {
    let fail = |reason: String| RoutesError {
        path: path.to_owned(),
        reason,
    };
    let text = read_text_file(path).map_err(|error| fail(error.to_string()))?;
    let router = Router::parse(&text).map_err(|error| fail(error.to_string()))?;
    let is_unknown = |id: &&str| !known.contains(*id);
    if let Some(id) = router
        .destinations()
        .map(Destination::component)
        .find(is_unknown)
    {
        return Err(fail(format!(
            "it names the component `{id}`, which `spin.toml` did not have when the host started"
        )));
    }
    Ok(router)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_table_is_read_again_and_a_broken_one_is_not_used() {
        let folder = tempfile::tempdir().expect("a folder is to be had");
        let path = folder.path().join("routes.txt");
        let has = |table: &Table, target: &str| {
            let router = table.current();
            let headers = http::HeaderMap::new();
            router.destination("GET", target, &headers).is_ok()
        };
        let known = BTreeSet::from(["a".to_owned(), "b".to_owned()]);
        assert!(Table::read(&path, &known).is_err());
        std::fs::write(&path, "a GET /a\n").expect("the file is written");
        let table = Table::read(&path, &known).expect("the table is one");
        for (text, path_a, path_bb) in [
            ("b GET /bb\n", false, true),
            ("b GET\n", false, true),
            ("new GET /a\n", false, true),
            ("a GET /a\nb GET /bb\n", true, true),
        ] {
            std::fs::write(&path, text).expect("the file is written");
            table.look_again();
            assert_eq!(
                (has(&table, "/a"), has(&table, "/bb")),
                (path_a, path_bb),
                "{text}"
            );
        }
    }
}
