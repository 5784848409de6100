//! [`storable`]: whether a response may be stored, and with which tags and life.

use std::time::Duration;

use waypost_routing::Params;

use crate::internal::{self, X_WAYPOST_LIFE, X_WAYPOST_TAGS};
use crate::life::PathSpace;
use crate::tag::{TagError, add_tags};
use crate::{Life, Policy};

/// The header fields of a response: names in any case, and values.
pub type Headers = [(String, Vec<u8>)];

/// Why a request or its response is not cached. The display form is for logs and for `Cache-Status`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unstorable {
    /// The method is neither GET nor HEAD.
    #[error("the method is neither GET nor HEAD")]
    Method,
    /// The path is longer than [`MAX_PATH`](crate::key::MAX_PATH).
    #[error("the path is too long")]
    PathTooLong,
    /// The path has more segments than [`MAX_DEPTH`](crate::key::MAX_DEPTH).
    #[error("the path has too many segments")]
    PathTooDeep,
    /// The declared query parameters are longer than [`MAX_QUERY`](crate::key::MAX_QUERY).
    #[error("the query is too long")]
    QueryTooLong,
    /// The declared request headers are longer than [`MAX_HEADERS`](crate::key::MAX_HEADERS).
    #[error("a request header is too long")]
    HeadersTooLong,
    /// Responses with this status are not stored.
    #[error("the status is {0}")]
    Status(u16),
    /// The response sets a cookie.
    #[error("the response has set-cookie")]
    SetCookie,
    /// The handler refused to have this response stored.
    #[error("the response says no-store")]
    NoStore,
    /// The response is for one client.
    #[error("the response says cache-control: private")]
    Private,
    /// The response depends on a request header that is not in the policy.
    #[error("the response varies by {0}, which the policy does not name")]
    Vary(String),
    /// The response has trailers, which an entry can't hold.
    #[error("the response has trailers")]
    Trailers,
    /// The body is larger than an entry may be.
    #[error("the body is too large")]
    TooLarge,
    /// A tag is invalid, so the response could not be invalidated by it.
    #[error(transparent)]
    Tag(#[from] TagError),
    /// The header [`X_WAYPOST_LIFE`] is malformed.
    #[error("the life of the response is malformed")]
    Life,
    /// The response has no `Content-Length`, so a store that can't tell a broken body from a whole one does not take it.
    #[error("the response has no content-length")]
    NoLength,
    /// The store of the cache does not answer.
    #[error("the store of the cache does not answer")]
    Store,
    /// The responses that are being received take all the memory that they may take.
    #[error("the responses that are being received take all memory")]
    Memory,
    /// A response for the same key could not be stored a while ago ([`HIT_FOR_MISS`]).
    #[error("an earlier response could not be stored")]
    Earlier,
    /// The response named a tag during its run, and something was invalidated meanwhile: perhaps this tag.
    #[error("something was invalidated during the run")]
    Invalidated,
}

/// How long requests for a key are not queued behind each other after a response proved to be uncacheable.
pub const HIT_FOR_MISS: Duration = Duration::from_secs(120);

/// The statuses that are stored. Those of RFC 9110 section 15.1 that are cacheable by default, without 204, 206 and
/// errors, and with 201 and the redirects, as in Next.
const STATUSES: [u16; 10] = [200, 201, 203, 301, 302, 303, 307, 308, 404, 410];

impl Unstorable {
    /// Returns `true` if the next response for the same key is probably not storable either.
    ///
    /// For [`HIT_FOR_MISS`], requests for this key should then run side by side: to queue them would only serialise them.
    pub fn is_lasting(&self) -> bool {
        match self {
            Self::SetCookie
            | Self::NoStore
            | Self::Private
            | Self::Vary(_)
            | Self::Trailers
            | Self::TooLarge
            | Self::NoLength
            | Self::Tag(_)
            | Self::Life => true,
            Self::Status(_) => !self.is_failure(),
            Self::Method
            | Self::PathTooLong
            | Self::PathTooDeep
            | Self::QueryTooLong
            | Self::HeadersTooLong
            | Self::Memory
            | Self::Store
            | Self::Earlier
            | Self::Invalidated => false,
        }
    }

    /// Returns `true` if the run failed for a reason that may pass, so that an older response stays: a status of a server
    /// error, or one that asks to try again.
    pub fn is_failure(&self) -> bool {
        match self {
            Self::Status(status) => matches!(status, 408 | 425 | 429 | 500..),
            Self::Invalidated | Self::Memory | Self::Store => true,
            _ => false,
        }
    }
}

/// What is stored with a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Storable {
    /// How long it is kept: the shorter of what the policy and the response say, and less for a 404.
    pub life: Life,
    /// The tags of the policy, then those of the response.
    pub tags: Vec<String>,
}

/// Decides by its head whether a response may be stored. The key has checked the method.
///
/// `params` are those of the path. A response with a 5xx status is never stored, so it replaces no entry.
///
/// # Errors
///
/// Returns the first reason why the response must not be stored.
pub fn storable(
    status: u16,
    headers: &Headers,
    policy: &Policy,
    params: &Params,
    paths: PathSpace,
) -> Result<Storable, Unstorable> {
    if !STATUSES.contains(&status) {
        return Err(Unstorable::Status(status));
    }
    if values(headers, "set-cookie").next().is_some() {
        return Err(Unstorable::SetCookie);
    }
    check_cache_control(headers)?;
    check_vary(headers, policy)?;
    if values(headers, "trailer").next().is_some() {
        return Err(Unstorable::Trailers);
    }
    let mut tags = policy.tags_for(params)?;
    for line in values(headers, X_WAYPOST_TAGS) {
        add_tags(&mut tags, internal::parse_tags(text(line))?)?;
    }
    let mut life = policy.life();
    for line in values(headers, X_WAYPOST_LIFE) {
        let own = internal::parse_life(text(line)).ok_or(Unstorable::Life)?;
        life = life.shorter(own.ok_or(Unstorable::NoStore)?);
    }
    let life = life.for_status(status, paths);
    Ok(Storable { life, tags })
}

/// Checks the length of a body, in bytes, against the largest that is stored. Called when the length is known from
/// `Content-Length`, and while the body arrives.
///
/// # Errors
///
/// Returns [`Unstorable::TooLarge`].
pub fn check_length(length: u64, most: u64) -> Result<(), Unstorable> {
    match length > most {
        true => Err(Unstorable::TooLarge),
        false => Ok(()),
    }
}

fn check_cache_control(headers: &Headers) -> Result<(), Unstorable> {
    for directive in list_items(headers, "cache-control") {
        let name = directive.split('=').next().unwrap_or_default().trim_end();
        if name.eq_ignore_ascii_case("no-store") {
            return Err(Unstorable::NoStore);
        }
        if name.eq_ignore_ascii_case("private") {
            return Err(Unstorable::Private);
        }
    }
    Ok(())
}

/// Checks that every name in `Vary` is in the policy. `*` never is.
fn check_vary(headers: &Headers, policy: &Policy) -> Result<(), Unstorable> {
    let names = list_items(headers, "vary").map(|name| name.to_ascii_lowercase());
    let mut others = names.filter(|name| !policy.vary().contains(name));
    others
        .next()
        .map_or(Ok(()), |name| Err(Unstorable::Vary(name)))
}

/// Iterates over the values of a header, given by its lowercase name.
pub(crate) fn values<'h>(headers: &'h Headers, name: &'h str) -> impl Iterator<Item = &'h [u8]> {
    let same = move |(known, _): &&(String, Vec<u8>)| known.eq_ignore_ascii_case(name);
    headers
        .iter()
        .filter(same)
        .map(|(_, value)| value.as_slice())
}

/// Iterates over the items of a header that is a list. A value that is not UTF-8 has the item `?`, which no rule knows.
fn list_items<'h>(headers: &'h Headers, name: &'h str) -> impl Iterator<Item = &'h str> {
    let items = values(headers, name).flat_map(|value| text(value).split(','));
    items.map(str::trim).filter(|item| !item.is_empty())
}

/// Returns the text of a value, or `?` if it is not UTF-8.
fn text(value: &[u8]) -> &str {
    std::str::from_utf8(value).unwrap_or("?")
}

#[cfg(test)]
mod tests;
