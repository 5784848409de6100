//! Errors of a fetch.

use std::fmt;

/// The reason why a fetch failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FetchError {
    /// The request is invalid: its URL, method, a header or the body.
    Request(String),
    /// The component is not allowed to reach that host.
    Denied(String),
    /// There was no response within the timeout.
    Timeout,
    /// There were too many redirects, a redirect although the policy forbids it, or a redirect that requires a
    /// streamed body to be sent again.
    Redirect,
    /// The connection could not be established, or broke.
    Connection(String),
    /// The body of the response is not of the requested type, is too large, or broke off.
    Body(String),
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(why) => write!(f, "the request can't be sent: {why}"),
            Self::Denied(origin) => write!(
                f,
                "the component may not ask `{origin}`: grant it in `allowed_outbound_hosts` in `spin.toml`"
            ),
            Self::Timeout => f.write_str("there was no response in time"),
            Self::Redirect => f.write_str("the redirect was not followed"),
            Self::Connection(why) => write!(f, "there was no response: {why}"),
            Self::Body(why) => write!(f, "the body of the response can't be used: {why}"),
        }
    }
}

impl std::error::Error for FetchError {}
