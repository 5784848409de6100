//! The files that guests open. Each takes a file descriptor of the process, so there is a bound on those of an instance and
//! on those of all instances.

use crate::observe::labels::Labels;
use crate::observe::metrics::{Bound, Metrics};
use crate::request::admission::{Admission, Full, Permit};
use crate::request::context::CurrentRequest;
use crate::wasi::logs::ComponentLog;
use std::fs::File;
use std::sync::{Arc, Weak};
use wasmtime_wasi::filesystem::Descriptor;

/// How many files one instance may have open.
const MOST_FILES: usize = 64;

/// The files that one instance has open.
pub(crate) struct OpenFiles {
    log: Arc<ComponentLog>,
    current: Arc<CurrentRequest>,
    metrics: Arc<Metrics>,
    own: Admission,
    of_route: Arc<Admission>,
    of_app: Arc<Admission>,
    /// A stream may keep a file open after the guest has dropped it.
    open: Vec<(Weak<File>, Places)>,
}

/// What an open file counts towards: the limits of its instance, of its route, and of the app.
pub(crate) type Places = [Option<Permit>; 3];

impl OpenFiles {
    /// Counts the files of an instance, and towards the limits of its route and of the app.
    pub(crate) fn new(
        log: &Arc<ComponentLog>,
        current: &Arc<CurrentRequest>,
        metrics: &Arc<Metrics>,
        [of_route, of_app]: [&Arc<Admission>; 2],
    ) -> Self {
        Self {
            log: Arc::clone(log),
            current: Arc::clone(current),
            metrics: Arc::clone(metrics),
            own: Admission::limited(MOST_FILES),
            of_route: Arc::clone(of_route),
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
        let enter = |admission: &Admission, who: &'static str| {
            let refused = |Full(limit)| self.refused(who, limit);
            admission.enter().map_err(refused).ok()
        };
        let own = enter(&self.own, "an instance")?;
        let of_route = enter(&self.of_route, "a route")?;
        Some([own, of_route, enter(&self.of_app, "the app")?])
    }

    fn refused(&self, who: &str, limit: usize) {
        self.metrics.over(Bound::OpenFiles);
        let text = format!("file not opened: {who} may have {limit} files open");
        if self.log.admits(&text) {
            let Labels { route, component } = &*self.log.labels;
            let (request, bound) = (self.current.get().id, Bound::OpenFiles.name());
            tracing::warn!(route, %component, %request, bound, "{text}");
        }
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
