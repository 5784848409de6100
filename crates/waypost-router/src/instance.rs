//! What an instance of the router component keeps from request to request.

use std::fmt::Display;
use std::sync::OnceLock;

use crate::{Answer, Destination, Router};

/// What a client reads that asks for an address of the inside.
#[cfg(feature = "composed")]
pub(crate) const BAD_HOST: &str = "the request has no valid Host header";

/// Gives the table of routes, which is read once.
///
/// # Errors
///
/// A 500, where it can't be read; `id` names the request.
pub(crate) fn router(routes: &str, id: impl FnOnce() -> String) -> Result<&'static Router, Answer> {
    static ROUTER: OnceLock<Option<Router>> = OnceLock::new();
    let router = ROUTER.get_or_init(|| {
        Router::parse(routes)
            .inspect_err(|error| eprintln!("error: {error}"))
            .ok()
    });
    router.as_ref().ok_or_else(|| Answer::internal_error(&id()))
}

/// Gives the names of the headers that the host vouches for.
#[cfg(not(feature = "composed"))]
pub(crate) fn trusted_headers() -> &'static [String] {
    static TRUSTED: OnceLock<Vec<String>> = OnceLock::new();
    TRUSTED.get_or_init(|| {
        let names = std::env::var(crate::TRUSTED_HEADERS).unwrap_or_default();
        crate::trusted_headers(&names)
    })
}

/// Logs that a handler failed, and makes the answer to its client.
pub(crate) fn failed(id: &str, destination: &Destination, why: impl Display) -> Answer {
    eprintln!("error: request {id}: the handler `{destination}` did not answer: {why}");
    Answer::internal_error(id)
}
