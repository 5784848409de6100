//! The rules of Waypost's response cache: what is cached, under which key, for how long, and what invalidates it.
//!
//! The crate has no I/O, no clock and no async code: the caller passes the time, random values and the contents of its
//! store. The host, the router component and the macro use it, so that all of them decide alike.
#![forbid(unsafe_code)]

mod escape;
mod internal;
mod key;
mod life;
mod names;
mod policy;
mod request;
mod revalidation;
mod storable;
mod subject;
mod tag;
mod token;
mod verdict;

pub use internal::{
    X_WAYPOST_FILL, X_WAYPOST_LIFE, X_WAYPOST_TAGS, parse_life, parse_tags, write_life, write_tags,
};
pub use key::{Key, MAX_DEPTH, MAX_HEADERS, MAX_PATH, MAX_QUERY, RouteId};
pub use life::{DEFAULT_EXPIRE, Life, MAX_LIFE, NEGATIVE_LIFE, PathSpace, parse_time};
pub use names::is_hop_by_hop;
pub use policy::{Draft, MAX_QUERY_NAMES, MAX_VARY_NAMES, Policy, PolicyError};
pub use request::{Request, Sealed, keeps_header};
pub use revalidation::{
    Change, MAX_INTERNAL_HEADER, MAX_REVALIDATIONS, Revalidation, RevalidationError,
    X_WAYPOST_REVALIDATE,
};
pub use storable::{HIT_FOR_MISS, Headers, Storable, Unstorable, check_length, storable};
pub use subject::{Kind, Subject, SubjectError};
pub use tag::{MAX_TAG_CHARS, MAX_TAGS, TagError, add_tags, check_tag};
pub use token::{Token, TokenPair, Tokens};
pub use verdict::{MAX_CLOCK_SKEW, Verdict};
