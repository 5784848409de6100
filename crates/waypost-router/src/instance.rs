//! The state that an instance of the router component keeps between requests.

use std::fmt::Display;
use std::sync::OnceLock;

use crate::{Answer, Destination, Router};

/// The body of the 400 for a request to an internal host.
#[cfg(feature = "composed")]
pub(crate) const BAD_HOST: &str = "the request has no valid Host header";

/// Returns the router, whose table is parsed once.
///
/// # Errors
///
/// A 500 with the request id `id` if the table is invalid.
#[expect(clippy::print_stderr, reason = "stderr is the log of a component")]
pub(crate) fn router(routes: &str, id: impl FnOnce() -> String) -> Result<&'static Router, Answer> {
    static ROUTER: OnceLock<Option<Router>> = OnceLock::new();
    let router = ROUTER.get_or_init(|| {
        Router::parse(routes)
            .inspect_err(|error| eprintln!("error: {error}"))
            .ok()
    });
    router.as_ref().ok_or_else(|| Answer::internal_error(&id()))
}

/// Returns the names of the headers that the host sets on every request.
#[cfg(not(feature = "composed"))]
pub(crate) fn trusted_headers() -> &'static [String] {
    static TRUSTED: OnceLock<Vec<String>> = OnceLock::new();
    TRUSTED.get_or_init(|| {
        let names = std::env::var(crate::TRUSTED_HEADERS).unwrap_or_default();
        crate::trusted_headers(&names)
    })
}

/// Logs that a handler failed, and builds the 500 for the client.
#[expect(clippy::print_stderr, reason = "stderr is the log of a component")]
pub(crate) fn handler_failed(id: &str, destination: &Destination, why: impl Display) -> Answer {
    eprintln!("error: request {id}: the handler `{destination}` did not answer: {why}");
    Answer::internal_error(id)
}
