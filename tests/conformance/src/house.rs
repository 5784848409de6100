//! What is never compared, and what counts as the same: every such decision, in one place, with its
//! reason. All else that differs is a difference, or an entry of the table of deviations.
//!
//! * **Framing**: `transfer-encoding: chunked` and `content-length` are no difference. Rule 10: a fixed
//!   body has a length where Next sends all bodies in chunks. That the framing of an answer is *right*
//!   is checked by reading it: a body that ends before its length, or without the last chunk, is cut.
//! * **Boundaries of chunks** (`wire.chunks`) carry no meaning (RFC 9112 section 7.1), and whoever stands
//!   between may move them. The text of all chunks is the body, which is compared.
//! * **Reason phrases** (`wire.reason`) are compared for codes that are not registered, where Next says
//!   `unknown`. No other phrase can be said by a handler of `wasi:http`, which has no field for it, nor
//!   heard by a client of HTTP/2; a client should ignore it (RFC 9112 section 4).
//! * **Next's house headers** (rule 15) need not be there: [`HOUSE`], the `refresh` that goes with a 308 for
//!   browsers of the nineties, and the names in `vary` that only Next's own client understands.
//! * **The report of the cache** has another name (rule 15): `x-nextjs-cache` is `x-waypost-cache`, on
//!   either side. An answer out of the cache may carry `age` and `etag` (rule 15).
//! * **Hop-by-hop headers of a whole conversation** (`connection`, `keep-alive`, `date`) are recorded with
//!   it as they were on the wire. They are Node's and the connection's, not the handler's.

use std::borrow::Cow;

use crate::answer::Answer;
use crate::expectation::Expectation;

/// The name under which the cache reports.
const CACHE: &str = "x-waypost-cache";

/// Headers that Next sends of itself, for its own client or to show its name.
const HOUSE: [&str; 5] = [
    "x-powered-by",
    "x-nextjs-prerender",
    "x-nextjs-stale-time",
    "x-nextjs-matched-path",
    "x-middleware-rewrite",
];

/// Names in `vary` that say nothing to anyone but Next's client, and the one that the recordings leave
/// out because Next puts it on everything compressible.
const HOUSE_VARY: [&str; 6] = [
    "rsc",
    "next-router-state-tree",
    "next-router-prefetch",
    "next-router-segment-prefetch",
    "next-url",
    "accept-encoding",
];

/// Headers of a connection, which a recorded conversation shows.
const OF_THE_CONNECTION: [&str; 5] = [
    "connection",
    "keep-alive",
    "date",
    "content-length",
    "transfer-encoding",
];

/// Takes from an expectation what nobody but Next is expected to send.
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

/// Takes from an expectation out of a conversation what belongs to the connection.
pub(crate) fn tidy_connection(expectation: &mut Expectation) {
    expectation
        .headers
        .retain(|name, _| !OF_THE_CONNECTION.contains(&name.as_str()));
}

/// Returns the lines of a header of an answer, as they are compared.
pub(crate) fn lines(answer: &Answer, name: &str) -> Vec<String> {
    let headers = answer
        .headers
        .iter()
        .filter(|(known, _)| own_name(known) == name);
    without_house_vary(name, headers.map(|(_, value)| value.clone()).collect())
}

fn is_house(name: &str, status: Option<u16>) -> bool {
    HOUSE.contains(&name) || (name == "refresh" && status == Some(308))
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
        !HOUSE_VARY.contains(&name.to_ascii_lowercase().as_str()) && !name.is_empty()
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
    fn house_headers_are_not_expected() {
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
            "a handler's own stays"
        );
    }

    #[test]
    fn a_cached_answer_may_have_an_etag() {
        let cached =
            expectation(r#"{"status":200,"headers":{"x-nextjs-cache":"HIT"},"absent":["etag"]}"#);
        assert!(!cached.absent.contains("etag") && cached.headers.contains_key("x-waypost-cache"));
    }
}
