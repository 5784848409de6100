//! Why there is no response from another server: a code for the component, and a text for the log.

use super::was_used;
use crate::observe::metrics::Bound;
use http::Method;
use hyper_util::client::legacy;
use std::error::Error as StdError;
use std::io::{self, ErrorKind};
use tokio_rustls::rustls;
use wasmtime_wasi_http::Error;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    #[error(
        "the app or the route has {0} connections to other hosts, as many as `total_outbound_connections` in `waypost.toml` allows: a route may have three quarters"
    )]
    Limit(usize),
    #[error(
        "`{0}` has a private address; to grant it, name that address in `allowed_outbound_hosts` of `spin.toml`, or set `deny_private = false` in `waypost.toml`"
    )]
    Private(String),
    #[error("there was no connection in time")]
    Timeout,
    #[error("its address was not found: {0}")]
    Dns(String),
    #[error("it refuses connections")]
    Refused,
    #[error("there is no way to it: {0}")]
    Unroutable(String),
    #[error("this machine has no port or file descriptor left: {0}")]
    Exhausted(String),
    #[error("there is no connection: {0}")]
    Tcp(String),
    #[error("its name can't be that of a certificate")]
    Name,
    #[error("its certificate is not trusted: {0}")]
    Certificate(String),
    #[error("TLS failed: {0}")]
    Tls(String),
}

impl ConnectError {
    /// Describes a connection that TCP did not make.
    pub(super) fn tcp(error: &io::Error) -> Self {
        let text = error.to_string();
        match error.kind() {
            ErrorKind::ConnectionRefused => Self::Refused,
            ErrorKind::TimedOut => Self::Timeout,
            ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => Self::Unroutable(text),
            ErrorKind::AddrNotAvailable | ErrorKind::AddrInUse => Self::Exhausted(text),
            // Too many open files, of the process or of the machine.
            _ if matches!(error.raw_os_error(), Some(23 | 24)) => Self::Exhausted(text),
            _ => Self::Tcp(text),
        }
    }

    /// Describes a connection that TLS did not make.
    pub(super) fn tls(error: io::Error) -> Self {
        let cause = error.get_ref().and_then(|cause| cause.downcast_ref());
        match cause {
            Some(rustls::Error::InvalidCertificate(_)) => Self::Certificate(error.to_string()),
            _ => Self::Tls(error.to_string()),
        }
    }

    /// Returns the setting that refused the connection, if one did.
    fn bound(&self) -> Option<Bound> {
        match self {
            Self::Limit(_) => Some(Bound::TotalOutboundConnections),
            Self::Private(_) => Some(Bound::DenyPrivate),
            _ => None,
        }
    }

    fn code(&self) -> Error {
        match self {
            Self::Limit(_) | Self::Exhausted(_) => Error::ConnectionLimitReached,
            Self::Timeout => Error::ConnectionTimeout,
            Self::Dns(text) => Error::DnsError {
                rcode: Some(text.clone()),
                info_code: None,
            },
            Self::Private(_) => Error::DestinationIpProhibited,
            Self::Refused => Error::ConnectionRefused,
            Self::Unroutable(_) => Error::DestinationIpUnroutable,
            Self::Tcp(_) => Error::DestinationUnavailable,
            Self::Name | Self::Certificate(_) => Error::TlsCertificateError,
            Self::Tls(_) => Error::TlsProtocolError,
        }
    }
}

/// Why there is no response.
#[derive(Debug)]
pub(crate) struct SendError {
    /// For the component.
    pub(crate) code: Error,
    /// For the log.
    pub(crate) cause: String,
    /// The setting that refused the connection, if one did.
    pub(crate) bound: Option<Bound>,
    of_used_connection: bool,
}

impl SendError {
    /// Returns whether a request without a body may be sent again: nothing of it was sent, or the connection broke that had a
    /// response before, and the method is idempotent (RFC 9110, section 9.2.2). The server may have closed it as idle.
    pub(super) fn allows_another_try(&self, method: &Method) -> bool {
        self.lacks_place() || (self.of_used_connection && is_idempotent(method))
    }

    /// Returns whether a limit on connections was reached.
    pub(super) fn lacks_place(&self) -> bool {
        matches!(self.bound, Some(Bound::TotalOutboundConnections))
    }
}

impl From<Error> for SendError {
    fn from(code: Error) -> Self {
        Self {
            cause: code.to_string(),
            code,
            bound: None,
            of_used_connection: false,
        }
    }
}

impl From<legacy::Error> for SendError {
    fn from(error: legacy::Error) -> Self {
        let cause: Vec<_> = causes(&error).map(ToString::to_string).collect();
        // The innermost cause says most.
        let code = causes(&error).filter_map(code).last();
        Self {
            code: code.unwrap_or(Error::HttpProtocolError),
            cause: cause.join(": "),
            bound: causes(&error).find_map(|cause| cause.downcast_ref::<ConnectError>()?.bound()),
            of_used_connection: error.connect_info().is_some_and(was_used)
                && !causes(&error).any(is_answered),
        }
    }
}

fn is_idempotent(method: &Method) -> bool {
    let is_put_or_delete = *method == Method::PUT || *method == Method::DELETE;
    is_put_or_delete || method.is_safe()
}

fn causes<'e>(
    error: &'e (dyn StdError + 'static),
) -> impl Iterator<Item = &'e (dyn StdError + 'static)> {
    std::iter::successors(error.source(), |cause: &&'e (dyn StdError + 'static)| {
        let cause: &'e (dyn StdError + 'static) = *cause;
        cause.source()
    })
}

/// Returns whether the server has answered, though not validly, or the request is at fault: then it is not sent again.
fn is_answered(cause: &(dyn StdError + 'static)) -> bool {
    let is_of_body = cause.is::<Error>();
    let cause = cause.downcast_ref::<hyper::Error>();
    is_of_body
        || cause.is_some_and(|cause| cause.is_parse() || cause.is_user() || cause.is_timeout())
}

fn code(cause: &(dyn StdError + 'static)) -> Option<Error> {
    if let Some(cause) = cause.downcast_ref::<ConnectError>() {
        return Some(cause.code());
    }
    if let Some(cause) = cause.downcast_ref::<Error>() {
        // The body of the request failed.
        return Some(match cause {
            Error::HttpRequestBodySize(size) => Error::HttpRequestBodySize(*size),
            other => Error::InternalError(Some(other.to_string())),
        });
    }
    let cause = cause.downcast_ref::<hyper::Error>()?;
    Some(match cause {
        cause if cause.is_timeout() => Error::HttpResponseTimeout,
        cause if cause.is_parse_too_large() => Error::HttpResponseHeaderSectionSize(None),
        cause if cause.is_parse() || cause.is_user() => Error::HttpProtocolError,
        _ => Error::ConnectionTerminated,
    })
}
