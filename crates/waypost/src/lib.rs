#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod accept;
mod after;
mod allow;
mod body;
mod bound;
mod conditional;
mod context;
pub mod cookies;
pub mod cors;
mod de;
mod delivery;
mod draft;
mod error;
mod event;
mod exchange;
mod extract;
mod fetch;
mod form;
#[cfg(feature = "spin")]
mod grant;
mod handler;
mod head;
mod header_text;
#[cfg(not(all(target_arch = "wasm32", target_env = "p2")))]
mod incoming;
#[cfg(feature = "multipart")]
pub mod multipart;
mod number;
mod params;
mod reply;
mod request;
mod response;
mod route;
mod search_params;
#[cfg(any(target_arch = "wasm32", feature = "tower"))]
mod send_body;
mod signal;
#[cfg(all(feature = "spin", not(target_arch = "wasm32")))]
mod stand_in;
mod sys;
pub mod test;
pub mod time;
#[cfg(feature = "tower")]
pub mod tower;
#[cfg(feature = "user-agent")]
pub mod user_agent;

pub use bytes::Bytes;
pub use http;
pub use url;
pub use waypost_macros::export;

pub use after::{After, Outcome};
pub use body::{Body, BodyWriter, Chunk, DEFAULT_BODY_LIMIT};
pub use context::Context;
pub use draft::DraftMode;
pub use error::{
    Error, RequestError, Result, forbidden, not_found, permanent_redirect, redirect, see_other,
    unauthorized,
};
pub use event::{Event, keep_alive};
pub use exchange::Exchange;
pub use extract::{Form, FromRequest, Json, Query};
pub use fetch::{Fetch, FetchError, RedirectPolicy, fetch};
pub use form::{File, FormData, FormLimits, FormValue};
pub use header_text::{HeaderValueError, IntoHeaderValue};
pub use params::Params;
pub use reply::{Html, IntoHeaders, IntoResponse};
pub use request::Request;
pub use response::Response;
pub use search_params::SearchParams;
pub use signal::Signal;

// The same names on every target: a handler that uses them is tested natively as it is.
#[cfg(all(feature = "spin", target_arch = "wasm32"))]
pub use spin_sdk::{key_value, sqlite, variables};
#[cfg(all(feature = "spin", not(target_arch = "wasm32")))]
pub use stand_in::{key_value, sqlite, variables};

/// What `export!` expands to. It follows the macro, not semantic versioning.
#[doc(hidden)]
pub mod __private {
    pub use crate::bound::Bound;
    pub use crate::handler::{WithFields, WithoutContext, probe, run};
    pub use crate::route::{Allow, Route, Verb};
    #[cfg(target_arch = "wasm32")]
    pub mod sys {
        pub use crate::sys::*;
    }
    pub use waypost_routing::{ParamName, Path, Pattern, Segment};
}
