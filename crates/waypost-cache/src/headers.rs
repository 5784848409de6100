//! The headers of a cached response, and conditional requests.

use std::time::Duration;

use crate::internal::write_tags;
pub use crate::names::{is_hop_by_hop, is_internal};
use crate::{Life, Policy};

use crate::status::{Outcome, X_WAYPOST_CACHE};
use crate::storable::{Headers, values};

/// The `cache-control` of a response that no cache may keep, as Next sends it in draft mode.
pub const NO_STORE: &str = "private, no-cache, no-store, max-age=0, must-revalidate";

/// Headers that are not stored besides hop-by-hop and internal ones: they are computed for each response.
const COMPUTED: [&str; 4] = ["age", "content-length", "set-cookie", "trailer"];

/// The headers that describe the body, which a 304 does not have
/// ([RFC 9110 section 15.4.5](https://www.rfc-editor.org/rfc/rfc9110#section-15.4.5)).
const OF_THE_BODY: [&str; 5] = [
    "content-encoding",
    "content-language",
    "content-length",
    "content-range",
    "content-type",
];

/// Writes the `cache-control` of a cached response, in the form that Next sends.
///
/// # Examples
///
/// ```
/// use waypost_cache::{Life, headers::cache_control};
///
/// assert_eq!(cache_control(Life::default()), "s-maxage=31536000");
/// let hours = Life::profile("hours").unwrap();
/// assert_eq!(cache_control(hours), "s-maxage=3600, stale-while-revalidate=82800");
/// ```
pub fn cache_control(life: Life) -> String {
    freshness("s-maxage", life)
}

/// Writes how long a response is fresh, by this directive, and how long it may be served stale.
fn freshness(directive: &str, life: Life) -> String {
    let fresh = life.fresh_for().as_secs();
    match life.expire().as_secs().saturating_sub(fresh) {
        0 => format!("{directive}={fresh}"),
        stale => format!("{directive}={fresh}, stale-while-revalidate={stale}"),
    }
}

/// The longest `cache-tag`, in bytes. Cloudflare accepts headers of 16 kB.
const MAX_CACHE_TAG: usize = 16_000;

/// Returns the headers with which a CDN caches a response and purges it by tag: `cdn-cache-control`
/// ([RFC 9213](https://www.rfc-editor.org/rfc/rfc9213)), which only CDNs read, and `cache-tag` with the tags, percent-encoded and
/// separated by commas.
///
/// If the tags are too long for a header, no CDN may keep the response: it could not be purged.
///
/// # Examples
///
/// ```
/// use waypost_cache::{Life, headers::cdn_headers};
///
/// let hours = Life::profile("hours").unwrap();
/// let [control, tags] = cdn_headers(hours, &["posts".to_owned(), "a b".to_owned()]);
/// assert_eq!(control, Some(("cdn-cache-control", "max-age=3600, stale-while-revalidate=82800".to_owned())));
/// assert_eq!(tags, Some(("cache-tag", "posts,a%20b".to_owned())));
/// ```
pub fn cdn_headers(life: Life, tags: &[String]) -> [Option<(&'static str, String)>; 2] {
    let list = write_tags(tags).ok();
    let list = list.filter(|list| list.len() <= MAX_CACHE_TAG);
    let control = match list {
        Some(_) => freshness("max-age", life),
        None => "no-store".to_owned(),
    };
    let list = list.filter(|list| !list.is_empty());
    [
        Some(("cdn-cache-control", control)),
        list.map(|list| ("cache-tag", list)),
    ]
}

/// Writes a strong entity tag from the digest of a body
/// ([RFC 9110 section 8.8.3](https://www.rfc-editor.org/rfc/rfc9110#section-8.8.3)). It has the first 16 bytes in
/// hexadecimal.
pub fn etag(digest: &[u8; 32]) -> String {
    let (start, _) = digest.split_at(16);
    let digits: String = start.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("\"{digits}\"")
}

/// Returns the entity tag of the same response in another content coding, such as `gzip`. Two codings of one body must not
/// have the same strong tag ([RFC 9110 section 8.8.3.3](https://www.rfc-editor.org/rfc/rfc9110#section-8.8.3.3)).
///
/// Returns the tag unchanged if it is not quoted.
pub fn etag_of_coding(etag: &[u8], coding: &str) -> Vec<u8> {
    match etag.strip_suffix(b"\"") {
        Some(start) => [start, b"-", coding.as_bytes(), b"\""].concat(),
        None => etag.to_vec(),
    }
}

/// Computes the headers that are stored with a response. `digest` is the SHA-256 digest of the body.
///
/// Names are in lower case. Hop-by-hop and internal headers are removed, and those that are computed for each response.
/// `cache-control` and, for a 2xx, `etag` are added unless the handler set them.
pub fn stored_headers(
    status: u16,
    headers: &Headers,
    life: Life,
    digest: &[u8; 32],
) -> Vec<(String, Vec<u8>)> {
    let listed = listed_in_connection(headers);
    let lower = headers
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()));
    let mut stored: Vec<_> = lower
        .filter(|(name, _)| is_stored(name) && !listed.contains(name))
        .collect();
    let mut add = |name: &str, value: String| {
        if values(&stored, name).next().is_none() {
            stored.push((name.to_owned(), value.into_bytes()));
        }
    };
    add("cache-control", cache_control(life));
    if (200..300).contains(&status) {
        add("etag", etag(digest));
    }
    stored
}

/// Makes the headers of a sealed run's response those for all clients: without the id of one request, and with the policy's
/// headers in `Vary`, for caches between this one and the client. Names are in lower case.
pub fn for_all_clients(
    mut headers: Vec<(String, Vec<u8>)>,
    policy: &Policy,
) -> Vec<(String, Vec<u8>)> {
    headers.retain(|(name, _)| name != "x-request-id");
    if !policy.vary().is_empty() {
        // All names that the handler may have set are in the policy.
        headers.retain(|(name, _)| name != "vary");
        headers.push(("vary".to_owned(), policy.vary().join(", ").into_bytes()));
    }
    headers
}

/// Returns the headers that differ with each response: `age`, if it was stored, and what the cache did.
///
/// `age` is rounded down to seconds ([RFC 9111 section 5.1](https://www.rfc-editor.org/rfc/rfc9111#section-5.1)).
pub fn computed_headers(
    outcome: &Outcome<'_>,
    age: Option<Duration>,
) -> Vec<(&'static str, String)> {
    let mut computed = vec![
        (X_WAYPOST_CACHE, outcome.as_str().to_owned()),
        ("cache-status", outcome.cache_status()),
    ];
    computed.extend(age.map(|age| ("age", age.as_secs().to_string())));
    computed
}

/// Returns `true` if a GET or HEAD request gets a 304 in place of a stored response: `If-None-Match` is `*` or lists its
/// entity tag, by weak comparison ([RFC 9110 section 13.1.2](https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2)).
///
/// Only a stored 2xx is replaced (section 13.2.1). `lines` are the values of `If-None-Match`.
pub fn is_not_modified<'a>(
    status: u16,
    etag: Option<&[u8]>,
    mut lines: impl Iterator<Item = &'a [u8]>,
) -> bool {
    let tag = etag.and_then(|etag| opaque_tags(etag).next());
    (200..300).contains(&status)
        && lines.any(|line| {
            line.trim_ascii() == b"*" || opaque_tags(line).any(|known| Some(known) == tag)
        })
}

/// Returns `true` if a 304 has a header of the stored response, given by its lowercase name. It has all but those that
/// describe the body, because a client updates its stored response with them.
pub fn is_kept_on_304(name: &str) -> bool {
    !OF_THE_BODY.contains(&name)
}

fn is_stored(name: &str) -> bool {
    !is_hop_by_hop(name) && !is_internal(name) && !COMPUTED.contains(&name)
}

/// Returns the names that `Connection` declares as hop-by-hop.
fn listed_in_connection(headers: &Headers) -> Vec<String> {
    let items = values(headers, "connection").flat_map(|value| value.split(|byte| *byte == b','));
    items
        .map(|name| String::from_utf8_lossy(name).trim().to_ascii_lowercase())
        .collect()
}

/// Iterates over the text between the quotes of each entity tag in a list. It may contain commas.
fn opaque_tags(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    // What follows an unpaired quote is not a tag.
    let pairs = list.iter().filter(|byte| **byte == b'"').count() / 2;
    list.split(|byte| *byte == b'"')
        .skip(1)
        .step_by(2)
        .take(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn life(revalidate: Option<u64>, expire: u64) -> Life {
        let time = Duration::from_secs;
        Life::new(revalidate.map(time), Some(time(expire))).unwrap()
    }

    fn headers(pairs: &[(&str, &str)]) -> Vec<(String, Vec<u8>)> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), value.as_bytes().to_vec());
        pairs.iter().map(owned).collect()
    }

    #[test]
    fn cache_control_is_as_recorded() {
        // What Next 16.4.6 sends for `revalidate` 1, 2, 3 and 60, and for none.
        for (revalidate, expected) in [
            (Some(1), "s-maxage=1, stale-while-revalidate=31535999"),
            (Some(2), "s-maxage=2, stale-while-revalidate=31535998"),
            (Some(3), "s-maxage=3, stale-while-revalidate=31535997"),
            (Some(60), "s-maxage=60, stale-while-revalidate=31535940"),
            (None, "s-maxage=31536000"),
        ] {
            assert_eq!(cache_control(life(revalidate, 31_536_000)), expected);
        }
        assert_eq!(cache_control(life(Some(60), 60)), "s-maxage=60");
        assert_eq!(cache_control(life(None, 60)), "s-maxage=60");
    }

    #[test]
    fn a_cdn_keeps_nothing_that_it_could_not_purge() {
        let one_day = life(None, 86_400);
        let control = |value: &str| Some(("cdn-cache-control", value.to_owned()));
        assert_eq!(cdn_headers(one_day, &[]), [control("max-age=86400"), None]);
        let tag = |length| vec!["a".repeat(length)];
        assert!(cdn_headers(one_day, &tag(256))[1].is_some());
        let wrong = [
            tag(0),
            tag(257),
            (0..100).map(|n| format!("{n:0200}")).collect(),
        ];
        for tags in wrong {
            assert_eq!(cdn_headers(one_day, &tags), [control("no-store"), None]);
        }
    }

    #[test]
    fn stored_headers_have_nothing_of_the_connection() {
        let sent = headers(&[
            ("Content-Type", "text/plain"),
            ("Connection", "X-Private, close"),
            ("x-private", "1"),
            ("transfer-encoding", "chunked"),
            ("content-length", "5"),
            ("Age", "7"),
            ("X-Waypost-Tags", "a"),
            ("x-waypost-revalidate", "tag:a"),
            ("set-cookie", "a=1"),
            ("link", "a"),
            ("link", "b"),
        ]);
        let stored = stored_headers(200, &sent, life(None, 60), &[0xAB; 32]);
        let etag = format!("\"{}\"", "ab".repeat(16));
        let expected = headers(&[
            ("content-type", "text/plain"),
            ("link", "a"),
            ("link", "b"),
            ("cache-control", "s-maxage=60"),
            ("etag", &etag),
        ]);
        assert_eq!(stored, expected);
    }

    #[test]
    fn headers_of_the_handler_are_kept() {
        let sent = headers(&[("Cache-Control", "max-age=5"), ("ETag", "W/\"1\"")]);
        let stored = stored_headers(200, &sent, life(None, 60), &[0; 32]);
        assert_eq!(
            stored,
            headers(&[("cache-control", "max-age=5"), ("etag", "W/\"1\"")])
        );
        let stored = stored_headers(404, &[], life(None, 60), &[0; 32]);
        assert_eq!(stored, headers(&[("cache-control", "s-maxage=60")]));
    }

    #[test]
    fn stored_headers_are_for_all_clients() {
        let sent = headers(&[("x-request-id", "1"), ("vary", "Accept"), ("x-a", "1")]);
        let for_all = |vary: &[&str]| {
            let vary = vary.iter().map(|name| (*name).to_owned()).collect();
            let draft = crate::policy::Draft {
                vary,
                ..Default::default()
            };
            for_all_clients(sent.clone(), &draft.check(&[]).unwrap())
        };
        assert_eq!(for_all(&[]), headers(&[("vary", "Accept"), ("x-a", "1")]));
        let expected = headers(&[("x-a", "1"), ("vary", "accept, origin")]);
        assert_eq!(for_all(&["Origin", "accept"]), expected);
    }

    #[test]
    fn computed_headers_say_what_the_cache_did() {
        let computed =
            computed_headers(&Outcome::Hit { ttl: 5 }, Some(Duration::from_millis(1999)));
        let expected = [
            ("x-waypost-cache", "HIT".to_owned()),
            ("cache-status", "waypost; hit; ttl=5".to_owned()),
            ("age", "1".to_owned()),
        ];
        assert_eq!(computed, expected);
        assert_eq!(
            computed_headers(&Outcome::Bypass { reason: "draft" }, None).len(),
            2
        );
    }

    #[test]
    fn a_known_tag_is_not_modified() {
        for (etag, lines, expected) in [
            ("\"a\"", vec!["\"a\""], true),
            ("\"a\"", vec!["W/\"a\""], true),
            ("W/\"a\"", vec!["\"a\""], true),
            ("\"a\"", vec!["\"x\", W/\"a\""], true),
            ("\"a\"", vec!["\"x\"", "\"a\""], true),
            ("\"a,b\"", vec!["\"a,b\""], true),
            ("\"a\"", vec![" * "], true),
            ("\"a\"", vec![], false),
            ("\"a\"", vec!["\"A\""], false),
            ("\"a\"", vec!["a"], false),
            ("\"a\"", vec!["\"a"], false),
            ("a", vec!["a"], false),
            ("\"\"", vec!["\"\""], true),
        ] {
            let lines = lines.iter().map(|line| line.as_bytes());
            assert_eq!(
                is_not_modified(200, Some(etag.as_bytes()), lines),
                expected,
                "{etag}"
            );
        }
    }

    #[test]
    fn only_a_2xx_is_not_modified() {
        let star = || [b"*".as_slice()].into_iter();
        assert!(is_not_modified(203, None, star()));
        assert!(!is_not_modified(404, Some(b"\"a\""), star()));
        assert!(!is_not_modified(200, None, [b"a".as_slice()].into_iter()));
    }

    #[test]
    fn a_304_keeps_what_does_not_describe_the_body() {
        for name in [
            "etag",
            "cache-control",
            "vary",
            "content-location",
            "date",
            "x-a",
        ] {
            assert!(is_kept_on_304(name), "{name}");
        }
        assert!(!is_kept_on_304("content-type") && !is_kept_on_304("content-length"));
    }

    #[test]
    fn codings_have_tags_of_their_own() {
        assert_eq!(etag_of_coding(b"\"a\"", "gzip"), b"\"a-gzip\"");
        assert_eq!(etag_of_coding(b"a", "gzip"), b"a");
    }
}
