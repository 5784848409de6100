//! [`Asked`]: a request for a cached response, and the response to it.

use super::stored::{Moment, Stored, StoredHead};
use bytes::Bytes;
use http::header::{
    ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, HeaderMap, HeaderName, HeaderValue, IF_MATCH,
    IF_NONE_MATCH, IF_RANGE, RANGE,
};
use http::{Method, Request, Response, StatusCode};
use std::time::Duration;
use waypost_cache::asked::Selection;
use waypost_cache::headers::{computed_headers, is_kept_on_304};
use waypost_cache::{Outcome, Verdict};

/// What the client of a cached response asked for.
pub(super) struct Asked {
    pub(super) is_head: bool,
    asked: waypost_cache::Asked<HeaderValue>,
}

impl Asked {
    pub(super) fn of<B>(request: &Request<B>) -> Self {
        let headers = request.headers();
        let is_head = request.method() == Method::HEAD;
        let asked = waypost_cache::Asked {
            if_match: headers.get_all(IF_MATCH).iter().cloned().collect(),
            if_none_match: headers.get_all(IF_NONE_MATCH).iter().cloned().collect(),
            range: headers.get(RANGE).filter(|_| !is_head).cloned(),
            if_range: headers.get(IF_RANGE).cloned(),
        };
        Self { is_head, asked }
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
        let headers = match selected.0 {
            Selection::Whole => stored.whole.at(moment, headers),
            Selection::NotModified => stored.not_modified.at(moment, headers),
            Selection::Part(..) | Selection::Unsatisfiable | Selection::AnotherVersion => headers(),
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
        let etag = stored.etag().map(HeaderValue::as_bytes);
        let status = stored.head.status.as_u16();
        Selected(self.asked.select(status, etag, stored.body.len()))
    }
}

/// What of a stored response a client gets.
struct Selected(Selection);

impl Selected {
    fn status(&self, stored: &Stored) -> StatusCode {
        match self.0 {
            Selection::Whole => stored.head.status,
            Selection::Part(..) => StatusCode::PARTIAL_CONTENT,
            Selection::Unsatisfiable => StatusCode::RANGE_NOT_SATISFIABLE,
            Selection::NotModified => StatusCode::NOT_MODIFIED,
            Selection::AnotherVersion => StatusCode::PRECONDITION_FAILED,
        }
    }

    fn body(&self, stored: &Stored) -> Bytes {
        match self.0 {
            Selection::Whole => stored.body.clone(),
            Selection::Part(first, last) => stored.body.slice(first..=last),
            Selection::Unsatisfiable | Selection::NotModified | Selection::AnotherVersion => {
                Bytes::new()
            }
        }
    }

    fn response(&self, stored: &Stored, headers: HeaderMap) -> Response<Bytes> {
        let mut response = Response::new(self.body(stored));
        *response.status_mut() = self.status(stored);
        *response.headers_mut() = headers;
        response
    }

    fn headers(&self, stored: &Stored, outcome: &Outcome<'_>, age: Option<Duration>) -> HeaderMap {
        let mut headers = match self.0 {
            Selection::Whole | Selection::Part(..) => stored.head.headers.clone(),
            Selection::Unsatisfiable | Selection::NotModified | Selection::AnotherVersion => {
                headers_without_content(&stored.head)
            }
        };
        let length = stored.body.len();
        match self.0 {
            Selection::Whole => {
                headers.insert(CONTENT_LENGTH, length.into());
                if stored.head.status == StatusCode::OK {
                    accept_ranges(&mut headers);
                }
            }
            Selection::Part(first, last) => {
                let range = format!("bytes {first}-{last}/{length}");
                set_range(&mut headers, &range, last - first + 1);
            }
            Selection::Unsatisfiable => set_range(&mut headers, &format!("bytes */{length}"), 0),
            Selection::NotModified | Selection::AnotherVersion => {}
        }
        add_computed(&mut headers, outcome, age);
        headers
    }
}

/// Sets the headers of a part of `length` bytes.
fn set_range(headers: &mut HeaderMap, range: &str, length: usize) {
    if let Ok(range) = HeaderValue::try_from(range) {
        headers.insert(CONTENT_RANGE, range);
    }
    headers.insert(CONTENT_LENGTH, length.into());
    accept_ranges(headers);
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
