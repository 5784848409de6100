//! The response to one client, made from a stored one.

use std::time::Duration;

use waypost_cache::asked::Selection;
use waypost_cache::headers::{computed_headers, is_kept_on_304};
use waypost_cache::{Asked, Outcome};

use super::asking::values;
use super::slots::Stored;
use super::{Body, Reply};
use crate::Headers;

/// Makes the response to one client.
pub(super) fn serve<S>(
    stored: Stored,
    asked: &Asked<Vec<u8>>,
    outcome: &Outcome<'_>,
    age: Option<Duration>,
) -> Reply<S> {
    let Stored {
        entry, mut body, ..
    } = stored;
    let (mut status, length) = (entry.status, body.len());
    let etag = values(&entry.headers, "etag").next();
    let selection = asked.select(status, etag, length);
    let mut headers = entry.headers.clone();
    match selection {
        Selection::Whole => {
            set(&mut headers, "content-length", length.to_string());
            if status == 200 {
                set(&mut headers, "accept-ranges", "bytes".to_owned());
            }
        }
        Selection::Part(first, last) => {
            status = 206;
            body.truncate(last.saturating_add(1));
            body.drain(..first.min(body.len()));
            set(
                &mut headers,
                "content-range",
                format!("bytes {first}-{last}/{length}"),
            );
            set(&mut headers, "content-length", body.len().to_string());
            set(&mut headers, "accept-ranges", "bytes".to_owned());
        }
        Selection::Unsatisfiable => {
            (status, body) = (416, Vec::new());
            headers.retain(|(name, _)| is_kept_on_304(name));
            set(&mut headers, "content-range", format!("bytes */{length}"));
            set(&mut headers, "content-length", "0".to_owned());
            set(&mut headers, "accept-ranges", "bytes".to_owned());
        }
        Selection::NotModified | Selection::AnotherVersion => {
            status = match selection {
                Selection::NotModified => 304,
                _ => 412,
            };
            body = Vec::new();
            headers.retain(|(name, _)| is_kept_on_304(name));
        }
    }
    add_computed(&mut headers, outcome, age);
    Reply {
        status,
        headers,
        body: Body::Whole(body),
    }
}

/// Sets a header, except that a handler's `accept-ranges` stays.
fn set(headers: &mut Headers, name: &str, value: String) {
    if name == "accept-ranges" && values(headers, name).next().is_some() {
        return;
    }
    headers.retain(|(known, _)| known != name);
    headers.push((name.to_owned(), value.into_bytes()));
}

/// Adds the headers that say what the cache did.
pub(super) fn add_computed(headers: &mut Headers, outcome: &Outcome<'_>, age: Option<Duration>) {
    for (name, value) in computed_headers(outcome, age) {
        // Caches that the response came through before have their members in `cache-status` (RFC 9211 section 2).
        if name != "cache-status" {
            headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        }
        headers.push((name.to_owned(), value.into_bytes()));
    }
}
