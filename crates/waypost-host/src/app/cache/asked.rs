//! [`Asked`]: a request for a cached response, and the response to it.

use super::stored::{Moment, Stored, StoredHead};
use bytes::Bytes;
use http::header::{
    ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, HeaderMap, HeaderName, HeaderValue, IF_MATCH,
    IF_NONE_MATCH, IF_RANGE, RANGE,
};
use http::{Method, Request, Response, StatusCode};
use std::time::Duration;
use waypost_cache::headers::{computed_headers, is_kept_on_304, is_not_modified};
use waypost_cache::{Outcome, Verdict};

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

    /// Makes the response from one that was stored before, and is fresh or stale.
    pub(super) fn respond_stored(
        &self,
        stored: &Stored,
        verdict: Verdict,
        now: Duration,
    ) -> Response<Bytes> {
        let (age, life) = (stored.head.age(now), stored.head.life);
        let (outcome, moment) = match verdict {
            Verdict::Fresh => (Outcome::hit(age, life), Moment::Fresh(age.as_secs())),
            Verdict::Stale | Verdict::Gone => {
                (Outcome::stale(age, life), Moment::Stale(age.as_secs()))
            }
        };
        let selected = self.select(stored);
        let headers = || selected.headers(stored, &outcome, Some(age));
        let headers = match &selected {
            Selected::Whole => stored.whole.at(moment, headers),
            Selected::NotModified => stored.not_modified.at(moment, headers),
            Selected::Range(_) | Selected::PreconditionFailed => headers(),
        };
        selected.response(stored, headers)
    }

    /// Makes the response from one that was made now.
    pub(super) fn respond(
        &self,
        stored: &Stored,
        outcome: &Outcome<'_>,
        age: Option<Duration>,
    ) -> Response<Bytes> {
        let selected = self.select(stored);
        selected.response(stored, selected.headers(stored, outcome, age))
    }

    /// Decides what of a stored response the client gets.
    fn select(&self, stored: &Stored) -> Selected {
        let etag = stored.etag();
        if self.is_for_another(etag) {
            return Selected::PreconditionFailed;
        }
        let lines = self.if_none_match.iter().map(HeaderValue::as_bytes);
        let status = stored.head.status.as_u16();
        if is_not_modified(status, etag.map(HeaderValue::as_bytes), lines) {
            return Selected::NotModified;
        }
        self.range_of(stored)
            .map_or(Selected::Whole, Selected::Range)
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

/// What of a stored response a client gets.
enum Selected {
    Whole,
    Range(ByteRange),
    /// The client has it already (RFC 9110 section 15.4.5).
    NotModified,
    /// The client wants another version (RFC 9110 section 15.5.13).
    PreconditionFailed,
}

impl Selected {
    fn status(&self, stored: &Stored) -> StatusCode {
        match self {
            Self::Whole => stored.head.status,
            Self::Range(ByteRange::Part(..)) => StatusCode::PARTIAL_CONTENT,
            Self::Range(ByteRange::Unsatisfiable) => StatusCode::RANGE_NOT_SATISFIABLE,
            Self::NotModified => StatusCode::NOT_MODIFIED,
            Self::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
        }
    }

    fn body(&self, stored: &Stored) -> Bytes {
        match self {
            Self::Whole => stored.body.clone(),
            Self::Range(ByteRange::Part(first, last)) => stored.body.slice(*first..=*last),
            Self::Range(ByteRange::Unsatisfiable)
            | Self::NotModified
            | Self::PreconditionFailed => Bytes::new(),
        }
    }

    fn response(&self, stored: &Stored, headers: HeaderMap) -> Response<Bytes> {
        let mut response = Response::new(self.body(stored));
        *response.status_mut() = self.status(stored);
        *response.headers_mut() = headers;
        response
    }

    fn headers(&self, stored: &Stored, outcome: &Outcome<'_>, age: Option<Duration>) -> HeaderMap {
        let mut headers = match self {
            Self::Whole | Self::Range(ByteRange::Part(..)) => stored.head.headers.clone(),
            Self::Range(ByteRange::Unsatisfiable)
            | Self::NotModified
            | Self::PreconditionFailed => headers_without_content(&stored.head),
        };
        let length = stored.body.len();
        match self {
            Self::Whole => {
                headers.insert(CONTENT_LENGTH, length.into());
                if stored.head.status == StatusCode::OK {
                    accept_ranges(&mut headers);
                }
            }
            Self::Range(range) => {
                let (sent, content_range) = match range {
                    ByteRange::Part(first, last) => {
                        (last - first + 1, format!("bytes {first}-{last}/{length}"))
                    }
                    ByteRange::Unsatisfiable => (0, format!("bytes */{length}")),
                };
                if let Ok(content_range) = HeaderValue::try_from(content_range) {
                    headers.insert(CONTENT_RANGE, content_range);
                }
                headers.insert(CONTENT_LENGTH, sent.into());
                accept_ranges(&mut headers);
            }
            Self::NotModified | Self::PreconditionFailed => {}
        }
        add_computed(&mut headers, outcome, age);
        headers
    }
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
