//! [`Asked`]: a request for a cached response, and the response to it.

use super::stored::{Stored, StoredHead};
use crate::request::body;
use bytes::Bytes;
use http::header::{
    ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, HeaderMap, HeaderName, HeaderValue, IF_MATCH,
    IF_NONE_MATCH, IF_RANGE, RANGE,
};
use http::{Method, Request, Response, StatusCode};
use std::time::Duration;
use wasmtime_wasi_http::WasiBody;
use waypost_cache::Outcome;
use waypost_cache::headers::{computed_headers, is_kept_on_304, is_not_modified};

/// What the client of a cached response asked for.
pub(super) struct Asked {
    pub(super) is_head: bool,
    if_match: Vec<HeaderValue>,
    if_none_match: Vec<HeaderValue>,
    range: Option<HeaderValue>,
    if_range: Option<HeaderValue>,
}

impl Asked {
    pub(super) fn of<B>(request: &Request<B>) -> Self {
        let headers = request.headers();
        let is_head = request.method() == Method::HEAD;
        Self {
            is_head,
            if_match: headers.get_all(IF_MATCH).iter().cloned().collect(),
            if_none_match: headers.get_all(IF_NONE_MATCH).iter().cloned().collect(),
            // Range is defined for GET alone (RFC 9110 section 14.2).
            range: headers.get(RANGE).filter(|_| !is_head).cloned(),
            if_range: headers.get(IF_RANGE).cloned(),
        }
    }

    /// Makes the response from a stored one.
    pub(super) fn respond(
        &self,
        stored: &Stored,
        outcome: &Outcome<'_>,
        age: Option<Duration>,
    ) -> Response<WasiBody> {
        let (status, etag) = (stored.head.status, stored.etag());
        if self.is_for_another(etag) {
            return without_content(StatusCode::PRECONDITION_FAILED, &stored.head, outcome, age);
        }
        let lines = self.if_none_match.iter().map(HeaderValue::as_bytes);
        if is_not_modified(status.as_u16(), etag.map(HeaderValue::as_bytes), lines) {
            return without_content(StatusCode::NOT_MODIFIED, &stored.head, outcome, age);
        }
        match self.range_of(stored) {
            Some(range) => partial(stored, range, outcome, age),
            None => {
                let mut response = stored.head.response(body::full(stored.body.clone()));
                let length = stored.body.len();
                response.headers_mut().insert(CONTENT_LENGTH, length.into());
                if status == StatusCode::OK {
                    accept_ranges(response.headers_mut());
                }
                add_computed(response.headers_mut(), outcome, age);
                response
            }
        }
    }

    /// Returns whether `If-Match` names other versions only, by strong comparison (RFC 9110 section 13.1.1): the client has a
    /// part of one of these.
    fn is_for_another(&self, etag: Option<&HeaderValue>) -> bool {
        let etag = etag.map(HeaderValue::as_bytes);
        let is_this = |tag: &[u8]| tag == b"*" || Some(tag) == etag && !tag.starts_with(b"W/");
        let mut tags = self.if_match.iter().flat_map(|line| {
            line.as_bytes()
                .split(|byte| *byte == b',')
                .map(<[u8]>::trim_ascii)
        });
        !self.if_match.is_empty() && !tags.any(is_this)
    }

    /// Returns the part of the body that the client asked for, or `None` for all of it.
    fn range_of(&self, stored: &Stored) -> Option<ByteRange> {
        let range = self.range.as_ref()?.to_str().ok()?;
        if stored.head.status != StatusCode::OK {
            return None;
        }
        if let Some(condition) = &self.if_range {
            // A weak tag, or a date, which is not strong either, never matches (RFC 9110 section 13.1.5).
            let is_strong = !condition.as_bytes().starts_with(b"W/");
            if !is_strong || stored.etag() != Some(condition) {
                return None;
            }
        }
        ByteRange::parse(range, stored.body.len())
    }
}

/// A part of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ByteRange {
    /// From the first to the last byte, both included.
    Part(usize, usize),
    /// Beyond the end.
    Unsatisfiable,
}

impl ByteRange {
    /// Parses the value of `Range` for a body of this length. Returns `None` if it is malformed, has another unit, or names
    /// several ranges: a server may then send the whole body (RFC 9110 section 14.2).
    fn parse(text: &str, length: usize) -> Option<Self> {
        let (first, last) = text.trim().strip_prefix("bytes=")?.trim().split_once('-')?;
        let number = |text: &str| -> Option<usize> {
            let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            // A larger number is beyond every end.
            is_number.then(|| text.parse().unwrap_or(usize::MAX))
        };
        let (first, last) = match (first, last) {
            // The last bytes, as many as the number says.
            ("", last) => match number(last)? {
                0 => return Some(Self::Unsatisfiable),
                suffix => (length.saturating_sub(suffix), usize::MAX),
            },
            (first, "") => (number(first)?, usize::MAX),
            (first, last) => (number(first)?, number(last)?),
        };
        if last < first {
            return None;
        }
        let end = length.checked_sub(1).filter(|end| first <= *end);
        Some(end.map_or(Self::Unsatisfiable, |end| Self::Part(first, last.min(end))))
    }
}

/// Makes a response without the body of the stored one: the client has it (RFC 9110 section 15.4.5), or wants another one.
fn without_content(
    status: StatusCode,
    head: &StoredHead,
    outcome: &Outcome<'_>,
    age: Option<Duration>,
) -> Response<WasiBody> {
    let mut response = Response::new(body::empty());
    *response.status_mut() = status;
    *response.headers_mut() = headers_without_content(head);
    add_computed(response.headers_mut(), outcome, age);
    response
}

/// Makes the response with a part of the body (RFC 9110 sections 15.3.7 and 15.5.17).
fn partial(
    stored: &Stored,
    range: ByteRange,
    outcome: &Outcome<'_>,
    age: Option<Duration>,
) -> Response<WasiBody> {
    let length = stored.body.len();
    let (status, part, content_range) = match range {
        ByteRange::Part(first, last) => (
            StatusCode::PARTIAL_CONTENT,
            stored.body.slice(first..=last),
            format!("bytes {first}-{last}/{length}"),
        ),
        ByteRange::Unsatisfiable => (
            StatusCode::RANGE_NOT_SATISFIABLE,
            Bytes::new(),
            format!("bytes */{length}"),
        ),
    };
    let mut headers = match range {
        ByteRange::Part(..) => stored.head.headers.clone(),
        ByteRange::Unsatisfiable => headers_without_content(&stored.head),
    };
    if let Ok(content_range) = HeaderValue::try_from(content_range) {
        headers.insert(CONTENT_RANGE, content_range);
    }
    headers.insert(CONTENT_LENGTH, part.len().into());
    accept_ranges(&mut headers);
    add_computed(&mut headers, outcome, age);
    let mut response = Response::new(body::full(part));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// Returns the headers that do not describe the body.
fn headers_without_content(head: &StoredHead) -> HeaderMap {
    let kept = head.headers.iter();
    let kept = kept.filter(|(name, _)| is_kept_on_304(name.as_str()));
    kept.map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

fn accept_ranges(headers: &mut HeaderMap) {
    headers
        .entry(ACCEPT_RANGES)
        .or_insert(HeaderValue::from_static("bytes"));
}

/// Adds the headers that say what the cache did.
pub(super) fn add_computed(headers: &mut HeaderMap, outcome: &Outcome<'_>, age: Option<Duration>) {
    for (name, value) in computed_headers(outcome, age) {
        let (name, Ok(value)) = (HeaderName::from_static(name), HeaderValue::try_from(value))
        else {
            continue;
        };
        if name == CACHE_STATUS {
            // Caches that the response came through before have their members in it (RFC 9211 section 2).
            headers.append(name, value);
        } else {
            headers.insert(name, value);
        }
    }
}

const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        let part = |first, last| Some(ByteRange::Part(first, last));
        let beyond = Some(ByteRange::Unsatisfiable);
        for (text, length, expected) in [
            ("bytes=0-", 10, part(0, 9)),
            ("bytes=2-4", 10, part(2, 4)),
            ("bytes=2-99", 10, part(2, 9)),
            ("bytes=-3", 10, part(7, 9)),
            ("bytes=-99", 10, part(0, 9)),
            ("bytes=9-9", 10, part(9, 9)),
            ("bytes=0-99999999999999999999999", 10, part(0, 9)),
            ("bytes=10-", 10, beyond),
            ("bytes=99999999999999999999999-", 10, beyond),
            ("bytes=-0", 10, beyond),
            ("bytes=0-0", 0, beyond),
            ("bytes=-1", 0, beyond),
            ("bytes=4-2", 10, None),
            ("bytes=0-1,3-4", 10, None),
            ("bytes=+1-2", 10, None),
            ("bytes=a-b", 10, None),
            ("bytes=-", 10, None),
            ("items=0-1", 10, None),
            ("", 10, None),
        ] {
            assert_eq!(
                ByteRange::parse(text, length),
                expected,
                "{text} of {length}"
            );
        }
    }
}
