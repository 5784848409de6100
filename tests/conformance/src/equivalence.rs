//! Defines what is never compared and which differences don't matter, with the reasons. Every other difference is a
//! failure, unless an entry of the table of deviations expects it.
//!
//! * **Framing**: `transfer-encoding: chunked` and `content-length` are equivalent. Next sends all bodies in
//!   chunks, while rule 10 requires a length for a fixed body. Reading the response checks that its framing is
//!   *correct*: a body that ends before its length, or without the last chunk, is cut.
//! * **Boundaries of chunks** (`wire.chunks`) have no meaning (RFC 9112 section 7.1), and an intermediary may move
//!   them. The body, which all chunks together form, is compared.
//! * **Reason phrases** (`wire.reason`) are compared only for unregistered statuses, where Next sends
//!   `unknown`. A handler of `wasi:http` can't set another phrase, HTTP/2 has none, and a client should ignore
//!   it (RFC 9112 section 4).
//! * **Next's own headers** (rule 15) are optional: [`NEXT_HEADERS`], the `refresh` that Next adds to a 308 for
//!   browsers of the nineties, and the names in `vary` that only Next's own client understands.
//! * **The cache header** has another name (rule 15): `x-nextjs-cache` and `x-waypost-cache` are the same header.
//!   A cached response may have `age` and `etag` (rule 15).
//! * **Hop-by-hop headers of a conversation** (`connection`, `keep-alive`, `date`) are recorded as they were on
//!   the wire. They come from Node and the connection, not from the handler.

use std::borrow::Cow;

use crate::answer::Answer;
use crate::expectation::Expectation;

/// The header with the state of the cache.
const CACHE: &str = "x-waypost-cache";

/// Headers that Next adds for its own client or to name itself.
const NEXT_HEADERS: [&str; 5] = [
    "x-powered-by",
    "x-nextjs-prerender",
    "x-nextjs-stale-time",
    "x-nextjs-matched-path",
    "x-middleware-rewrite",
];

/// Names in `vary` that matter only to Next's client, and the one that is missing in the recordings because
/// Next adds it to every compressible response.
const NEXT_VARY: [&str; 6] = [
    "rsc",
    "next-router-state-tree",
    "next-router-prefetch",
    "next-router-segment-prefetch",
    "next-url",
    "accept-encoding",
];

/// Connection headers, which a recorded conversation contains.
const CONNECTION_HEADERS: [&str; 5] = [
    "connection",
    "keep-alive",
    "date",
    "content-length",
    "transfer-encoding",
];

/// Removes headers from an expectation that only Next sends.
pub(crate) fn tidy(expectation: &mut Expectation) {
    let headers = std::mem::take(&mut expectation.headers);
    let status = expectation.status;
    expectation.headers = headers
        .into_iter()
        .filter(|(name, _)| !is_house(name, status))
        .filter_map(|(name, lines)| {
            let lines = without_house_vary(&name, lines);
            (!lines.is_empty()).then(|| (own_name(&name).into_owned(), lines))
        })
        .collect();
    let absent = std::mem::take(&mut expectation.absent);
    expectation.absent = absent
        .iter()
        .map(|name| own_name(name).into_owned())
        .collect();
    if expectation.headers.contains_key(CACHE) {
        for name in ["etag", "age"] {
            expectation.absent.remove(name);
            expectation.headers.remove(name);
        }
    }
}

/// Removes connection headers from an expectation of a conversation.
pub(crate) fn tidy_connection(expectation: &mut Expectation) {
    expectation
        .headers
        .retain(|name, _| !CONNECTION_HEADERS.contains(&name.as_str()));
}

/// Returns the lines of a response's header, normalised for comparison.
pub(crate) fn lines(answer: &Answer, name: &str) -> Vec<String> {
    let headers = answer
        .headers
        .iter()
        .filter(|(known, _)| own_name(known) == name);
    without_house_vary(name, headers.map(|(_, value)| value.clone()).collect())
}

fn is_house(name: &str, status: Option<u16>) -> bool {
    NEXT_HEADERS.contains(&name) || (name == "refresh" && status == Some(308))
}

fn own_name(name: &str) -> Cow<'_, str> {
    match name {
        "x-nextjs-cache" => Cow::Borrowed(CACHE),
        name => Cow::Borrowed(name),
    }
}

fn without_house_vary(name: &str, lines: Vec<String>) -> Vec<String> {
    if name != "vary" {
        return lines;
    }
    let names = lines.iter().flat_map(|line| line.split(',')).map(str::trim);
    let kept = names.filter(|name| {
        !NEXT_VARY.contains(&name.to_ascii_lowercase().as_str()) && !name.is_empty()
    });
    let kept: Vec<_> = kept.collect();
    if kept.is_empty() {
        Vec::new()
    } else {
        vec![kept.join(", ")]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorded;

    fn expectation(json: &str) -> Expectation {
        let answer: recorded::Answer = serde_json::from_str(json).unwrap();
        Expectation::of(&answer, 80)
    }

    #[test]
    fn nexts_own_headers_are_not_expected() {
        let tidy = expectation(
            r#"{"status":308,"headers":{"refresh":"0;url=/x","x-powered-by":"Next.js","vary":"rsc, X-A","location":"/x"},"absent":["x-nextjs-cache"]}"#,
        );
        let headers: Vec<_> = tidy
            .headers
            .iter()
            .map(|(name, lines)| (name.as_str(), lines[0].as_str()))
            .collect();
        assert_eq!(headers, [("location", "/x"), ("vary", "X-A")]);
        assert!(tidy.absent.contains("x-waypost-cache"));
        let refresh = expectation(r#"{"status":200,"headers":{"refresh":"5"}}"#);
        assert!(
            refresh.headers.contains_key("refresh"),
            "a handler's own header stays"
        );
    }

    #[test]
    fn a_cached_response_may_have_an_etag() {
        let cached =
            expectation(r#"{"status":200,"headers":{"x-nextjs-cache":"HIT"},"absent":["etag"]}"#);
        assert!(!cached.absent.contains("etag") && cached.headers.contains_key("x-waypost-cache"));
    }
}
