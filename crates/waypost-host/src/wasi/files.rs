//! The files that guests open. Each takes a file descriptor of the process, so there is a bound on those of an instance and
//! on those of all instances.

use crate::observe::labels::Labels;
use crate::observe::metrics::{Bound, Metrics};
use crate::request::admission::{Admission, Full, Permit};
use crate::request::context::CurrentRequest;
use std::fs::File;
use std::sync::{Arc, Weak};
use wasmtime_wasi::filesystem::Descriptor;

/// How many files one instance may have open.
const MOST_FILES: usize = 64;

/// The files that one instance has open.
pub(crate) struct OpenFiles {
    labels: Arc<Labels>,
    current: Arc<CurrentRequest>,
    metrics: Arc<Metrics>,
    own: Admission,
    of_app: Arc<Admission>,
    /// A stream may keep a file open after the guest has dropped it.
    open: Vec<(Weak<File>, Places)>,
}

/// What an open file counts towards: the limit of its instance, and that of the app.
pub(crate) type Places = [Option<Permit>; 2];

impl OpenFiles {
    /// Counts the files of an instance, and towards the limit `of_app`.
    pub(crate) fn new(
        labels: &Arc<Labels>,
        current: &Arc<CurrentRequest>,
        metrics: &Arc<Metrics>,
        of_app: &Arc<Admission>,
    ) -> Self {
        Self {
            labels: Arc::clone(labels),
            current: Arc::clone(current),
            metrics: Arc::clone(metrics),
            own: Admission::limited(MOST_FILES),
            of_app: Arc::clone(of_app),
            open: Vec::new(),
        }
    }

    /// Forgets files that were closed.
    pub(crate) fn forget_closed(&mut self) {
        self.open.retain(|(file, _)| file.strong_count() > 0);
    }

    /// Admits one more file, or logs why not.
    pub(crate) fn enter(&mut self) -> Option<Places> {
        self.forget_closed();
        let places = self
            .own
            .enter()
            .map_err(|Full(limit)| ("an instance", limit));
        let places = places.and_then(|own| {
            let of_app = self.of_app.enter();
            Ok([own, of_app.map_err(|Full(limit)| ("the app", limit))?])
        });
        let refused = |(who, limit)| {
            self.metrics.over(Bound::OpenFiles);
            let Labels { route, component } = &*self.labels;
            let (request, bound) = (self.current.get().id, Bound::OpenFiles.name());
            tracing::warn!(
                route, %component, %request, bound,
                "file not opened: {who} may have {limit} files open"
            );
        };
        places.map_err(refused).ok()
    }

    /// Counts a file until it is closed.
    pub(crate) fn keep(&mut self, descriptor: &Descriptor, places: Places) {
        let file = match descriptor {
            Descriptor::File(file) => &file.file,
            Descriptor::Dir(folder) => &folder.dir,
        };
        self.open.push((Arc::downgrade(file), places));
    }
}
