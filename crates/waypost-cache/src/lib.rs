//! The rules of Waypost's response cache: what is cached, under which key, for how long, and what invalidates it.
//!
//! The crate has no I/O, no clock and no async code: the caller passes the time, random values and the contents of its
//! store. The host, the router component and the macro use it, so that all of them decide alike.
#![forbid(unsafe_code)]

mod life;
mod names;
mod policy;
mod tag;

pub use life::{DEFAULT_EXPIRE, Life, MAX_LIFE, NEGATIVE_LIFE, PathSpace, parse_time};
pub use names::is_hop_by_hop;
pub use policy::{Draft, MAX_QUERY_NAMES, MAX_VARY_NAMES, Policy, PolicyError};
pub use tag::{MAX_TAG_CHARS, MAX_TAGS, TagError, add_tags, check_tag};
