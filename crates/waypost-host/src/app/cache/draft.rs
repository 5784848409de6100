//! Draft mode: a request with the cookie that only the app can issue is never answered from the cache.

use crate::app::component::LazyComponent;
use http::HeaderMap;
use http::header::{COOKIE, HeaderValue};
use waypost_cache::internal::DRAFT_SECRET;

/// Returns whether a request for a component has the cookie of draft mode.
pub(super) fn asks_for(headers: &HeaderMap, component: &LazyComponent) -> bool {
    let config = &component.config;
    let set = config.permissions.environment.get(DRAFT_SECRET);
    let secret = set.map(String::as_str).or(config.draft_secret.as_deref());
    is_draft(headers, secret)
}

/// Returns whether the request has the cookie of draft mode with this secret.
fn is_draft(headers: &HeaderMap, secret: Option<&str>) -> bool {
    let lines = headers.get_all(COOKIE).into_iter();
    waypost_cache::draft::is_draft(lines.map(HeaderValue::as_bytes), secret)
}
