//! Requests that a handler sends to other servers, or to routes of its own app.

mod address;
mod caching;
mod error;
mod fetch;
mod outgoing;

pub use error::FetchError;
pub use fetch::{Fetch, RedirectPolicy, fetch};
