//! Internal headers: the tags and the life that a handler gives to one response. The host or router component that
//! forwards the response removes them.

use std::time::Duration;

use crate::revalidation::MAX_INTERNAL_HEADER;
use crate::tag::{TagError, add_tags};
use crate::{Life, escape};

/// The internal request header that asks a handler for a sealed run. Its value is [`REDUCED`] if the caller has reduced the
/// request to what is in the key, and `1` if it has not.
pub const X_WAYPOST_FILL: &str = "x-waypost-fill";

/// The value of [`X_WAYPOST_FILL`] for a request that has only what is in the key ([`Sealed`](crate::Sealed)).
pub const REDUCED: &str = "reduced";

/// The environment variable of a component whose caller sets internal request headers, and removes those of clients. Without
/// it, a handler must not believe them.
pub const CACHE_VARIABLE: &str = "WAYPOST_CACHE";

/// The key-value store of a router component that caches, unless [`STORE_VARIABLE`] names another one. Spin has it without any
/// configuration, and does not start if a store is granted that is not configured.
pub const STORE: &str = "default";

/// The environment variable of the router component with the name of that store.
pub const STORE_VARIABLE: &str = "WAYPOST_CACHE_STORE";

/// The cookie of draft mode, named as in Next. A request that has it, with the right value, is never answered from the cache.
pub const DRAFT_COOKIE: &str = "__prerender_bypass";

/// The environment variable with the secret of draft mode, which [`DRAFT_COOKIE`] contains. Waypost's host generates one at each
/// start, unless `spin.toml` sets one.
pub const DRAFT_SECRET: &str = "WAYPOST_DRAFT_SECRET";

/// The internal response header with the tags of a response.
pub const X_WAYPOST_TAGS: &str = "x-waypost-tags";

/// The internal response header with the life of a response.
pub const X_WAYPOST_LIFE: &str = "x-waypost-life";

/// Writes the value of [`X_WAYPOST_TAGS`]: percent-encoded tags, separated by commas.
///
/// # Errors
///
/// Returns an error if a tag is invalid, if there are more than [`MAX_TAGS`](crate::tag::MAX_TAGS), or if the value would be
/// longer than [`MAX_INTERNAL_HEADER`].
pub fn write_tags(tags: &[String]) -> Result<String, TagError> {
    let mut checked = Vec::new();
    add_tags(&mut checked, tags.iter().cloned())?;
    let mut header = String::new();
    for tag in &checked {
        if !header.is_empty() {
            header.push(',');
        }
        escape::encode(&mut header, tag.as_bytes(), b"/");
    }
    match header.len() > MAX_INTERNAL_HEADER {
        true => Err(TagError::TooMany),
        false => Ok(header),
    }
}

/// Parses the value of [`X_WAYPOST_TAGS`]. Spaces around tags are ignored, and repeated tags are dropped.
///
/// # Errors
///
/// Returns an error if any tag is malformed or invalid, or if there are too many. A response without one of its tags could
/// not be invalidated by it, so it must not be stored.
pub fn parse_tags(header: &str) -> Result<Vec<String>, TagError> {
    if header.len() > MAX_INTERNAL_HEADER {
        return Err(TagError::TooMany);
    }
    let mut tags = Vec::new();
    for item in header.split(',').filter(|_| !header.trim().is_empty()) {
        let tag = escape::decode_strict(item.trim()).ok_or(TagError::Malformed)?;
        add_tags(&mut tags, [tag])?;
    }
    Ok(tags)
}

/// Writes the value of [`X_WAYPOST_LIFE`]: `revalidate=60, expire=3600` in seconds, without `revalidate` if age does not
/// make the response stale. `None` is written as `no-store`: the response is not cached.
pub fn write_life(life: Option<Life>) -> String {
    let Some(life) = life else {
        return NO_STORE.to_owned();
    };
    let expire = life.expire().as_secs();
    match life.revalidate() {
        Some(revalidate) => format!("revalidate={}, expire={expire}", revalidate.as_secs()),
        None => format!("expire={expire}"),
    }
}

/// Parses the value of [`X_WAYPOST_LIFE`]. Returns `None` if it is malformed, and `Some(None)` for `no-store`.
pub fn parse_life(header: &str) -> Option<Option<Life>> {
    if header.trim() == NO_STORE {
        return Some(None);
    }
    let (mut revalidate, mut expire) = (None, None);
    for item in header.split(',') {
        let (name, value) = item.trim().split_once('=')?;
        let field = match name {
            "revalidate" => &mut revalidate,
            "expire" => &mut expire,
            _ => return None,
        };
        let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
        let seconds = value.parse().ok().filter(|_| is_number)?;
        if field.replace(Duration::from_secs(seconds)).is_some() {
            return None;
        }
    }
    Life::new(revalidate, expire).ok().map(Some)
}

/// The value of [`X_WAYPOST_LIFE`] for a response that is not cached.
const NO_STORE: &str = "no-store";

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn tags_are_written_and_parsed() {
        let written = write_tags(&tags(&["posts", "a, b", "ü\n", "x/y", "posts"])).unwrap();
        assert_eq!(written, "posts,a%2C%20b,%C3%BC%0A,x/y");
        assert_eq!(
            parse_tags(&written),
            Ok(tags(&["posts", "a, b", "ü\n", "x/y"]))
        );
        assert_eq!(parse_tags(""), Ok(vec![]));
        assert_eq!(parse_tags(" a , b "), Ok(tags(&["a", "b"])));
    }

    #[test]
    fn wrong_lists_of_tags_are_errors() {
        for (header, expected) in [
            ("a,,b", TagError::Empty),
            ("a,", TagError::Empty),
            ("a,%2", TagError::Malformed),
            ("%FF", TagError::Malformed),
        ] {
            assert_eq!(parse_tags(header), Err(expected), "{header}");
        }
        let numbers: Vec<_> = (0..129).map(|number| number.to_string()).collect();
        assert_eq!(parse_tags(&numbers.join(",")), Err(TagError::TooMany));
        assert_eq!(write_tags(&numbers), Err(TagError::TooMany));
        assert_eq!(
            parse_tags(&"a".repeat(MAX_INTERNAL_HEADER + 1)),
            Err(TagError::TooMany)
        );
        assert_eq!(parse_tags(&"a".repeat(257)), Err(TagError::TooLong));
    }

    #[test]
    fn lives_are_written_and_parsed() {
        let time = Duration::from_secs;
        for (life, written) in [
            (None, "no-store"),
            (
                Some(Life::new(Some(time(60)), Some(time(3600))).unwrap()),
                "revalidate=60, expire=3600",
            ),
            (
                Some(Life::new(None, Some(time(3600))).unwrap()),
                "expire=3600",
            ),
        ] {
            assert_eq!(write_life(life), written);
            assert_eq!(parse_life(written), Some(life));
        }
        assert_eq!(
            parse_life("revalidate=5"),
            Some(Life::new(Some(time(5)), None).ok())
        );
    }

    #[test]
    fn wrong_lives_are_none() {
        for header in [
            "",
            "60",
            "revalidate=",
            "revalidate=0",
            "revalidate=+5",
            "revalidate=60, expire=59",
            "revalidate=1, revalidate=2",
            "expire=99999999999999999999",
            "expire=9999999999",
            "stale=1",
            "no-store, expire=1",
        ] {
            assert_eq!(parse_life(header), None, "{header}");
        }
    }
}
