//! Revalidations: those of handlers, which are in internal headers of their responses, and those of operators.

use super::ResponseCache;
use super::log::{TARGET, is_wanted};
use super::metrics::CacheEvent;
use crate::app::component::LazyComponent;
use crate::observe::labels::Labels;
use crate::observe::request_id::RequestId;
use crate::observe::untrusted::shown;
use crate::options::Cached;
use crate::wasi::logs::ComponentLog;
use http::{HeaderMap, HeaderName};
use waypost_cache::revalidation::{MAX_REVALIDATIONS, RevalidationError, X_WAYPOST_REVALIDATE};
use waypost_cache::subject::Kind;
use waypost_cache::{Revalidation, Subject, Verdict};
use waypost_routing::{Path, Resolved};

/// Says to a handler that its revalidations are applied, and carries them back.
pub(super) const REVALIDATE: HeaderName = HeaderName::from_static(X_WAYPOST_REVALIDATE);

/// A revalidation that was applied.
pub(crate) struct Applied {
    pub(crate) revalidation: Revalidation,
    /// How many stored responses it concerned that might have been served.
    pub(crate) entries: usize,
}

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
        let Labels { route, component } = labels;
        let warn = |text: &str| {
            if log.admits(text) {
                tracing::warn!(route, %component, %request, "{text}");
            }
        };
        let mut revalidations = Vec::new();
        for item in parse(headers).take(MAX_REVALIDATIONS) {
            match item {
                Ok(revalidation) => {
                    if !self.is_of_a_route(&revalidation.subject) {
                        let what = no_route(&revalidation.subject);
                        warn(&format!("nothing is revalidated: {}", shown(&what)));
                    }
                    revalidations.push(revalidation);
                }
                Err(error) => warn(&format!(
                    "nothing is revalidated: {}",
                    shown(&error.to_string())
                )),
            }
        }
        headers.remove(REVALIDATE);
        match self.cached {
            // To count what is concerned takes a while.
            Cached::ByPolicy if is_wanted() => {
                for Applied {
                    revalidation,
                    entries,
                } in self.apply(revalidations)
                {
                    let what = revalidation.to_string();
                    tracing::debug!(target: TARGET, route, %component, %request, entries, "revalidated {}", shown(&what));
                }
            }
            Cached::ByPolicy => self.apply_uncounted(&revalidations),
            // Nothing is stored, but its author wants to see that it works.
            Cached::Never => {
                self.apply_uncounted(&revalidations);
                for revalidation in revalidations {
                    let what = revalidation.to_string();
                    tracing::info!(target: TARGET, route, %component, %request, "revalidated {}", shown(&what));
                }
            }
        }
    }

    /// Applies revalidations, and counts the stored responses that each of them concerns. This looks at all of these.
    pub(crate) fn apply(&self, revalidations: Vec<Revalidation>) -> Vec<Applied> {
        let slots = revalidations.iter();
        let slots = slots.map(|revalidation| self.invalidations.slot(&revalidation.subject));
        let slots: Vec<_> = slots.collect();
        let mut counts = vec![0; slots.len()];
        let now = self.clock.now();
        for (_, stored) in self.memory.iter() {
            if stored.verdict(&self.invalidations, now) != Verdict::Gone {
                for (count, slot) in counts.iter_mut().zip(&slots) {
                    *count += usize::from(stored.depends_on(*slot));
                }
            }
        }
        self.apply_uncounted(&revalidations);
        let counted = revalidations.into_iter().zip(counts);
        let applied = counted.map(|(revalidation, entries)| Applied {
            revalidation,
            entries,
        });
        applied.collect()
    }

    fn apply_uncounted(&self, revalidations: &[Revalidation]) {
        for _ in revalidations {
            self.metrics.count(CacheEvent::Revalidation);
        }
        self.invalidations.apply(revalidations, self.clock.now());
    }

    /// Returns whether the app has a route with this path or pattern. Tags, and the paths below one, may be of any route.
    pub(crate) fn is_of_a_route(&self, subject: &Subject) -> bool {
        let mut patterns = self.patterns.iter();
        match subject.kind() {
            Kind::Tag | Kind::Below => true,
            Kind::Route => patterns.any(|pattern| pattern.to_string() == subject.name()),
            Kind::Path => match Path::resolve(subject.name()) {
                Ok(Resolved::Path(path)) => patterns.any(|known| known.matches(&path).is_some()),
                Ok(Resolved::Redirect(_)) | Err(_) => false,
            },
        }
    }
}

/// Says that the app has no route for a path or pattern.
pub(crate) fn no_route(subject: &Subject) -> String {
    let name = subject.name();
    match subject.kind() {
        Kind::Route => format!("the app has no route `{name}`"),
        _ => format!("no route of the app answers `{name}`"),
    }
}

/// Parses all lines of the header.
fn parse(headers: &HeaderMap) -> impl Iterator<Item = Result<Revalidation, RevalidationError>> {
    let lines = headers.get_all(REVALIDATE).into_iter();
    lines.flat_map(|line| {
        // The SDK escapes all other characters. A line that has some is malformed as a whole.
        let text = line.to_str();
        let malformed = text.is_err().then_some(Err(RevalidationError::Malformed));
        Revalidation::parse(text.unwrap_or_default()).chain(malformed)
    })
}
