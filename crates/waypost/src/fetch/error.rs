//! Why a fetch has no response.

use std::fmt;

/// Why a fetch has no response.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FetchError {
    /// The request can't be sent as it is: a bad URL, method or header.
    Request(String),
    /// The component may not ask that host.
    Denied(String),
    /// There was no response within the time given.
    Timeout,
    /// There were too many redirects, one that was not wanted, or one of a streamed body.
    Redirect,
    /// The connection could not be made, or broke.
    Connection(String),
    /// The body of the response is not what was asked for, is too large, or broke off.
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
