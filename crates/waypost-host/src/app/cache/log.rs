//! The log of the cache: a line for each request to a route with a policy, at the level `debug`.

use crate::app::component::LazyComponent;
use crate::observe::labels::Labels;
use crate::observe::request_id::RequestId;
use crate::observe::untrusted::shown;
use http::{HeaderMap, HeaderName, Method, Request};
use tracing::field::display;
use waypost_cache::status::X_WAYPOST_CACHE;

/// The target of the lines, for filters: `RUST_LOG=info,waypost::cache=debug`.
pub(super) const TARGET: &str = "waypost::cache";

const OUTCOME: HeaderName = HeaderName::from_static(X_WAYPOST_CACHE);
const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

/// Returns whether the log wants a line for each request.
pub(super) fn is_wanted() -> bool {
    tracing::enabled!(target: TARGET, tracing::Level::DEBUG)
}

/// A request whose outcome is logged.
pub(super) struct Logged {
    method: Method,
    /// The path, without the query, which may have secrets.
    path: String,
    /// Its id, unless it is answered before it gets one.
    request: Option<RequestId>,
}

impl Logged {
    /// Notes a request, or returns `None` if the log does not want it.
    pub(super) fn of<B>(request: &Request<B>, id: Option<RequestId>) -> Option<Self> {
        is_wanted().then(|| Self {
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            request: id,
        })
    }

    /// Logs what the cache did, as the headers of the response say.
    pub(super) fn outcome(self, headers: &HeaderMap, component: &LazyComponent) {
        let Self {
            method,
            path,
            request,
        } = self;
        let text = |name| {
            let mut lines = headers.get_all(name).into_iter();
            // What other caches did comes before.
            lines.next_back().and_then(|value| value.to_str().ok())
        };
        let (Some(outcome), Some(status)) = (text(OUTCOME), text(CACHE_STATUS)) else {
            return;
        };
        // Only texts in quotation marks in it are not the cache's own.
        let status = status.strip_prefix("waypost; ").unwrap_or(status);
        let Labels { route, component } = &*component.config.labels;
        let (path, request) = (shown(&path), request.map(display));
        tracing::debug!(target: TARGET, route, %component, request, "{outcome} {method} {path} ({status})");
    }
}
