//! Conditional requests, compared with a byte-by-byte implementation of RFC 9110 section 13.1.2.

use waypost::http::{HeaderMap, HeaderValue, header};
use waypost::response::IntoHeaderValue;
use waypost::{Request, Response};

/// Checks that only a client that has the response gets a 304, which keeps all headers but those of the body.
pub(super) fn conditional(request: &Request, tag: &str) {
    let answer = || {
        Response::new("body")
            .with_header("x-other", "1")
            .with_cookie(("a", "1"))
    };
    assert_is_conditional(request, answer());
    if is_entity_tag(tag.as_bytes()) && tag.into_header_value().is_ok() {
        assert_is_conditional(request, answer().with_header(header::ETAG, tag));
    }
}

fn assert_is_conditional(request: &Request, response: Response) {
    let response = waypost::http::Response::from(response.conditional(request));
    let headers = response.headers();
    assert_eq!(headers.get_all(header::SET_COOKIE).iter().count(), 1);
    let known = knows(request.headers(), &headers[header::ETAG]);
    match response.status().as_u16() {
        200 => assert_ne!(known, Some(true)),
        304 => {
            assert_ne!(known, Some(false));
            assert!(response.body().is_empty() && headers.contains_key("x-other"));
            assert!(!headers.contains_key(header::CONTENT_TYPE));
        }
        other => panic!("a conditional request got {other}"),
    }
}

/// The oracle: returns whether `If-None-Match` contains the tag, or `None` if it is not a list of tags.
fn knows(headers: &HeaderMap, tag: &HeaderValue) -> Option<bool> {
    let lines: Vec<_> = headers.get_all(header::IF_NONE_MATCH).iter().collect();
    if lines.iter().any(|line| line.as_bytes() == b"*") {
        return (lines.len() == 1).then_some(true);
    }
    let mut known = false;
    for line in lines {
        for found in tags(line.as_bytes())? {
            known |= found == strong(tag.as_bytes());
        }
    }
    Some(known)
}

/// Parses a list of entity tags, and removes their `W/`.
fn tags(mut rest: &[u8]) -> Option<Vec<&[u8]>> {
    let mut tags = Vec::new();
    loop {
        rest = strong(rest.trim_ascii_start());
        let end = rest.iter().skip(1).position(|byte| *byte == b'"')? + 2;
        let (tag, behind) = rest.split_at(end);
        tags.push(is_entity_tag(tag).then_some(tag)?);
        rest = match behind.trim_ascii_start() {
            [] => return Some(tags),
            [b',', behind @ ..] => behind,
            _ => return None,
        };
    }
}

fn strong(tag: &[u8]) -> &[u8] {
    tag.strip_prefix(b"W/").unwrap_or(tag)
}

/// Returns `true` for an entity tag (RFC 9110 section 8.8.3).
fn is_entity_tag(text: &[u8]) -> bool {
    let [b'"', inner @ .., b'"'] = strong(text) else {
        return false;
    };
    let is_inner = |byte: &u8| matches!(byte, b'!' | b'#'..=b'~' | 0x80..);
    inner.iter().all(is_inner)
}
