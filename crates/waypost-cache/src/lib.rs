//! The rules of Waypost's response cache: what is cached, under which key, for how long, and what invalidates it. The module
//! [`data`] has those for values that handlers cache themselves.
//!
//! The crate has no I/O, no clock and no async code: the caller passes the time, random values and the contents of its
//! store. It is for the host, the router component and the macro, so that all of them decide alike.
//!
//! # How a request is answered
//!
//! 1. The route has a [`Policy`]. [`Key::new`] computes the key of the request, or says why the request bypasses the cache.
//! 2. The store may have an [`Entry`] for the key. If nothing was invalidated, [`Entry::verdict_of_epoch`] judges it
//!    without further reads. Otherwise [`Entry::verdict`] compares the tokens of [`Subject::of_response`].
//! 3. A [`Verdict::Fresh`] entry is served. A [`Verdict::Stale`] entry is served while a new response is made. The headers
//!    are those of the entry and [`headers::computed_headers`]. [`headers::is_not_modified`] decides on a 304.
//! 4. Without such an entry, the handler runs. It sees only [`Sealed`] and the headers of [`request::keeps_header`].
//!    [`storable::storable`] decides whether its response is stored, and [`headers::stored_headers`] with which headers.
//! 5. The response of any run may carry [`Revalidation`]s, which are applied before the client gets the head.
//!
//! ```
//! use std::time::Duration;
//! use waypost_cache::{Entry, Key, Policy, Request, Subject, Token, Tokens, Verdict};
//! use waypost_cache::{headers, key::RouteId, life::PathSpace, storable, token::TokenPair};
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
//! let storable = storable::storable(200, &[], &policy, &params, PathSpace::Open)?;
//! let subjects = Subject::of_response(&path, &pattern, &storable.tags);
//! let pairs = vec![TokenPair::default(); subjects.len()];
//! let entry = Entry {
//!     key,
//!     status: 200,
//!     headers: headers::stored_headers(200, &[], storable.life, &[0; 32]),
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

pub mod asked;
pub mod data;
pub mod draft;
pub mod early;
#[cfg(feature = "store")]
pub mod entry;
mod escape;
pub mod headers;
pub mod internal;
pub mod key;
pub mod life;
mod names;
pub mod policy;
pub mod request;
pub mod retry;
pub mod revalidation;
pub mod status;
pub mod storable;
pub mod subject;
pub mod tag;
pub mod token;
pub mod verdict;

pub use asked::Asked;
#[cfg(feature = "store")]
pub use entry::Entry;
pub use key::Key;
pub use life::Life;
pub use policy::Policy;
pub use request::{Request, Sealed};
pub use revalidation::Revalidation;
pub use status::Outcome;
pub use storable::{Storable, Unstorable};
pub use subject::Subject;
pub use token::{Token, Tokens};
pub use verdict::Verdict;
