//! The rules of Waypost's response cache: what is cached, under which key, for how long, and what invalidates it.
//!
//! The crate has no I/O, no clock and no async code: the caller passes the time, random values and the contents of its
//! store. The host, the router component and the macro use it, so that all of them decide alike.
//!
//! # The way of a request
//!
//! 1. The route has a [`Policy`]. [`Key::new`] computes the key of the request, or says why it bypasses the cache.
//! 2. The store has an [`Entry`] for the key. [`Entry::verdict_of_epoch`] judges it without further reads if nothing was
//!    invalidated; otherwise [`Entry::verdict`] compares the tokens of [`Subject::of_response`].
//! 3. A [`Verdict::Fresh`] entry is served, also a [`Verdict::Stale`] one while a new response is made. The headers are
//!    those of the entry and [`computed_headers`]. [`is_not_modified`] decides on a 304.
//! 4. Otherwise the handler runs and sees only [`Sealed`] and the headers of [`keeps_header`]. [`storable`] decides
//!    whether its response is stored, and [`stored_headers`] with which headers.
//! 5. The response of any run may carry [`Revalidation`]s, which are applied before the client gets the head.
//!
//! ```
//! use std::time::Duration;
//! use waypost_cache::{Entry, Key, PathSpace, Policy, Request, RouteId, Subject, Token, TokenPair, Tokens, Verdict};
//! use waypost_routing::{Path, Pattern, Resolved};
//!
//! let pattern = Pattern::parse("/blog/[slug]")?;
//! let policy = Policy::from_json(r#"{"revalidate":"1m","tags":["post-{slug}"],"query":["page"]}"#, &[]);
//! let policy = policy.unwrap().expect("it is not off");
//! policy.check_pattern(&pattern).unwrap();
//!
//! let Resolved::Path(path) = Path::resolve("/blog/a")? else { unreachable!() };
//! let request = Request {
//!     method: "GET",
//!     scheme: "https",
//!     authority: "example.com",
//!     path: &path,
//!     query: Some("utm=1&page=2"),
//!     header: &|_| None,
//! };
//! let key = Key::new(&request, &RouteId { id: "blog-slug", digest: &[0; 32] }, &policy)?;
//!
//! // The handler ran at second 1,000.
//! let params = pattern.matches(&path).unwrap_or_default();
//! let storable = waypost_cache::storable(200, &[], &policy, &params, PathSpace::Open)?;
//! let subjects = Subject::of_response(&path, &pattern, &storable.tags);
//! let pairs = vec![TokenPair::default(); subjects.len()];
//! let entry = Entry {
//!     key,
//!     status: 200,
//!     headers: waypost_cache::stored_headers(200, &[], storable.life, &[0; 32]),
//!     tags: storable.tags,
//!     tokens: Tokens { epoch: Token::NEVER, pairs: pairs.clone() },
//!     life: storable.life,
//!     made: Duration::from_secs(1000),
//! };
//! assert_eq!(entry.verdict(&pairs, Duration::from_secs(1059)), Verdict::Fresh);
//! assert_eq!(entry.verdict(&pairs, Duration::from_secs(1060)), Verdict::Stale);
//!
//! // `expire_tag("post-a")` changes the hard token of the tag.
//! let mut changed = pairs;
//! changed[5].hard = Token([1; 16]);
//! assert_eq!(subjects[5].to_string(), "tag:post-a");
//! assert_eq!(entry.verdict(&changed, Duration::from_secs(1001)), Verdict::Gone);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Invariants
//!
//! - Everything that a sealed run sees is in the key. Cookies and `Authorization` can't be in a policy.
//! - Bytes from a store or a header never cause a panic, and damaged ones are a miss or an error.
//! - A changed hard token is always [`Verdict::Gone`], and a changed soft token never [`Verdict::Fresh`].
//! - Everything that a client can make long or numerous has a bound.
#![forbid(unsafe_code)]

mod entry;
mod escape;
mod headers;
mod internal;
mod key;
mod life;
mod names;
mod policy;
mod request;
mod retry;
mod revalidation;
mod status;
mod storable;
mod subject;
mod tag;
mod token;
mod verdict;

pub use entry::{Entry, EntryError};
pub use headers::{
    NO_STORE, cache_control, computed_headers, etag, etag_of_coding, is_kept_on_304,
    is_not_modified, stored_headers,
};
pub use internal::{
    X_WAYPOST_FILL, X_WAYPOST_LIFE, X_WAYPOST_TAGS, parse_life, parse_tags, write_life, write_tags,
};
pub use key::{Key, MAX_DEPTH, MAX_HEADERS, MAX_PATH, MAX_QUERY, RouteId};
pub use life::{DEFAULT_EXPIRE, Life, MAX_LIFE, NEGATIVE_LIFE, PathSpace, parse_time};
pub use names::{is_hop_by_hop, is_internal};
pub use policy::{Draft, MAX_QUERY_NAMES, MAX_VARY_NAMES, Policy, PolicyError};
pub use request::{Request, Sealed, keeps_header};
pub use retry::retry_after;
pub use revalidation::{
    Change, MAX_INTERNAL_HEADER, MAX_REVALIDATIONS, Revalidation, RevalidationError,
    X_WAYPOST_REVALIDATE,
};
pub use status::{Miss, Outcome, X_WAYPOST_CACHE};
pub use storable::{HIT_FOR_MISS, Headers, Storable, Unstorable, check_length, storable};
pub use subject::{Kind, Subject, SubjectError};
pub use tag::{MAX_TAG_CHARS, MAX_TAGS, TagError, add_tags, check_tag};
pub use token::{Token, TokenPair, Tokens};
pub use verdict::{MAX_CLOCK_SKEW, Verdict};
