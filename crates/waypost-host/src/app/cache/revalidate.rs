//! The internal headers in which handlers say what they revalidate.

use super::ResponseCache;
use super::metrics::CacheEvent;
use crate::app::component::LazyComponent;
use crate::observe::labels::Labels;
use crate::observe::request_id::RequestId;
use crate::observe::untrusted::shown;
use crate::wasi::logs::ComponentLog;
use http::{HeaderMap, HeaderName};
use waypost_cache::Revalidation;
use waypost_cache::revalidation::{MAX_REVALIDATIONS, X_WAYPOST_REVALIDATE};

/// Says to a handler that its revalidations are applied, and carries them back.
pub(super) const REVALIDATE: HeaderName = HeaderName::from_static(X_WAYPOST_REVALIDATE);

impl ResponseCache {
    /// Applies what a handler revalidates, before anybody gets its response.
    pub(crate) fn revalidate(
        &self,
        headers: &mut HeaderMap,
        component: &LazyComponent,
        request: RequestId,
    ) {
        let (labels, log) = (&component.config.labels, &component.config.log);
        self.apply_revalidations(headers, labels, log, request);
    }

    /// Applies the revalidations in headers that a component sent, and removes them.
    pub(super) fn apply_revalidations(
        &self,
        headers: &mut HeaderMap,
        labels: &Labels,
        log: &ComponentLog,
        request: RequestId,
    ) {
        if !headers.contains_key(REVALIDATE) {
            return;
        }
        let lines = headers.get_all(REVALIDATE).into_iter();
        let texts = lines.filter_map(|line| line.to_str().ok());
        let mut revalidations = Vec::new();
        for item in texts.flat_map(Revalidation::parse).take(MAX_REVALIDATIONS) {
            match item {
                Ok(revalidation) => revalidations.push(revalidation),
                Err(error) => {
                    let line = format!("nothing is revalidated: {}", shown(&error.to_string()));
                    if log.admits(&line) {
                        let Labels { route, component } = labels;
                        tracing::warn!(route, %component, %request, "{line}");
                    }
                }
            }
        }
        for _ in &revalidations {
            self.metrics.count(CacheEvent::Revalidation);
        }
        self.invalidations.apply(&revalidations, self.clock.now());
        headers.remove(REVALIDATE);
    }
}
