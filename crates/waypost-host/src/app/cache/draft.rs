//! Draft mode: a request with the cookie that only the app can issue is never answered from the cache.

use crate::app::component::LazyComponent;
use crate::instance::config::DRAFT_SECRET;
use http::HeaderMap;
use http::header::COOKIE;
use waypost_cache::internal::DRAFT_COOKIE;

/// Returns whether a request for a component has the cookie of draft mode.
pub(super) fn asks_for(headers: &HeaderMap, component: &LazyComponent) -> bool {
    let config = &component.config;
    let set = config.permissions.environment.get(DRAFT_SECRET);
    let secret = set.map(String::as_str).or(config.draft_secret.as_deref());
    is_draft(headers, secret)
}

/// Returns whether the request has the cookie of draft mode with this secret.
fn is_draft(headers: &HeaderMap, secret: Option<&str>) -> bool {
    let Some(secret) = secret.filter(|secret| !secret.is_empty()) else {
        return false;
    };
    let lines = headers.get_all(COOKIE).into_iter();
    let cookies = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'));
    let mut pairs = cookies.filter_map(|cookie| cookie.trim().split_once('='));
    pairs.any(|(name, value)| name == DRAFT_COOKIE && is_same(value, secret))
}

/// Compares two texts in a time that does not depend on where they differ.
fn is_same(one: &str, other: &str) -> bool {
    let differences = one.bytes().zip(other.bytes()).map(|(a, b)| a ^ b);
    one.len() == other.len() && differences.fold(0, |all, next| all | next) == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn only_the_right_secret_is_draft_mode() {
        for (cookie, secret, expected) in [
            ("a=1; __prerender_bypass=x1; b=2", Some("x1"), true),
            ("__prerender_bypass=x2", Some("x1"), false),
            ("__prerender_bypass=x", Some("x1"), false),
            ("__prerender_bypass=", Some(""), false),
            ("__prerender_bypass=x1", None, false),
            ("prerender_bypass=x1", Some("x1"), false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(COOKIE, HeaderValue::from_static(cookie));
            assert_eq!(is_draft(&headers, secret), expected, "{cookie}");
        }
    }
}
