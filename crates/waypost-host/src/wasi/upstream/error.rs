//! Why there is no response from another server: a code for the component, and a text for the log.

use super::was_used;
use crate::observe::metrics::Bound;
use h2::Reason;
use http::{Method, Request};
use hyper::client::conn::TrySendError;
use hyper_util::client::legacy;
use std::error::Error as StdError;
use std::io::{self, ErrorKind};
use tokio_rustls::rustls;
use wasmtime_wasi_http::{Error, WasiBody};

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    #[error(
        "the app or the route has {0} connections to other hosts, as many as `total_outbound_connections` in `waypost.toml` allows: a route may have three quarters"
    )]
    Limit(usize),
    #[error(
        "the app or the route makes {0} requests to other hosts over HTTP/2 at once, as many as `total_outbound_connections` in `waypost.toml` allows: a route may make three quarters"
    )]
    Requests(usize),
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
            Self::Limit(_) | Self::Requests(_) => Some(Bound::TotalOutboundConnections),
            Self::Private(_) => Some(Bound::DenyPrivate),
            _ => None,
        }
    }

    fn code(&self) -> Error {
        match self {
            Self::Limit(_) | Self::Requests(_) | Self::Exhausted(_) => {
                Error::ConnectionLimitReached
            }
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
    /// Whether the server did nothing with the request: by the guarantee of RFC 9113, section 8.7, or because it wants HTTP/1.1.
    pub(super) is_unprocessed: bool,
    /// Whether the server wants HTTP/1.1 (RFC 9113, section 7). The RFC does not say that it did nothing with the request, but a
    /// server that needs HTTP/1.1 for a request, for instance for a client certificate, cannot have handled it.
    pub(super) requires_http1: bool,
    lacks_place: bool,
    of_used_connection: bool,
}

impl SendError {
    /// Describes an error by its causes, the innermost last. `of_used` says whether the connection had a response before.
    fn new(causes: &[&(dyn StdError + 'static)], of_used: bool) -> Self {
        let each = || causes.iter().copied();
        let text: Vec<_> = each().map(ToString::to_string).collect();
        // The innermost cause says most.
        let code = each().rev().find_map(code);
        let requires_http1 = each().any(requires_http1);
        Self {
            code: code.unwrap_or(Error::HttpProtocolError),
            cause: text.join(": "),
            bound: each().find_map(|cause| cause.downcast_ref::<ConnectError>()?.bound()),
            is_unprocessed: requires_http1 || each().any(is_refused),
            requires_http1,
            lacks_place: each().any(lacks_place),
            of_used_connection: of_used && !each().any(is_answered),
        }
    }

    /// Describes why there is no response over HTTP/2. `of_used` says whether the connection had one before.
    pub(super) fn of_http2(error: TrySendError<Request<WasiBody>>, of_used: bool) -> Self {
        let is_unsent = error.message().is_some();
        let error = error.into_error();
        let causes: Vec<_> = causes(Some(&error)).collect();
        let error = Self::new(&causes, of_used);
        Self {
            is_unprocessed: error.is_unprocessed || is_unsent,
            ..error
        }
    }

    /// Returns whether a request without a body may be sent again: nothing of it was sent, or the connection broke that had a
    /// response before, and the method is idempotent (RFC 9110, section 9.2.2). The server may have closed it as idle.
    pub(super) fn allows_another_try(&self, method: &Method) -> bool {
        self.is_unsent() || (self.of_used_connection && is_idempotent(method))
    }

    /// Returns whether the server did nothing with the request: then any request may be sent again.
    pub(super) fn is_unsent(&self) -> bool {
        self.is_unprocessed || self.lacks_place()
    }

    /// Returns whether a limit on connections was reached.
    pub(super) fn lacks_place(&self) -> bool {
        self.lacks_place
    }
}

impl From<Error> for SendError {
    fn from(code: Error) -> Self {
        Self {
            cause: code.to_string(),
            code,
            bound: None,
            is_unprocessed: false,
            requires_http1: false,
            lacks_place: false,
            of_used_connection: false,
        }
    }
}

impl From<legacy::Error> for SendError {
    fn from(error: legacy::Error) -> Self {
        let causes: Vec<_> = causes(error.source()).collect();
        Self::new(&causes, error.connect_info().is_some_and(was_used))
    }
}

impl From<ConnectError> for SendError {
    fn from(error: ConnectError) -> Self {
        Self::new(&[&error], false)
    }
}

fn is_idempotent(method: &Method) -> bool {
    let is_put_or_delete = *method == Method::PUT || *method == Method::DELETE;
    is_put_or_delete || method.is_safe()
}

fn causes<'e>(
    first: Option<&'e (dyn StdError + 'static)>,
) -> impl Iterator<Item = &'e (dyn StdError + 'static)> {
    std::iter::successors(first, |cause: &&'e (dyn StdError + 'static)| {
        let cause: &'e (dyn StdError + 'static) = *cause;
        cause.source()
    })
}

/// Returns whether the server has answered, though not validly, or the request is at fault: then it is not sent again.
fn is_answered(cause: &(dyn StdError + 'static)) -> bool {
    let is_of_body = cause.is::<Error>();
    let is_of_stream = http2(cause).is_some_and(|cause| cause.is_reset() || cause.is_library());
    let cause = cause.downcast_ref::<hyper::Error>();
    is_of_body
        || is_of_stream
        || cause.is_some_and(|cause| cause.is_parse() || cause.is_user() || cause.is_timeout())
}

fn http2<'e>(cause: &'e (dyn StdError + 'static)) -> Option<&'e h2::Error> {
    cause.downcast_ref()
}

/// Returns whether the server refused a request without having looked at it: by itself, or, when it closes the connection as
/// planned, with all that follow the last one that it answers (RFC 9113, sections 6.8 and 8.7). A server that closes because
/// something went wrong is not trusted to know which one that is.
fn is_refused(cause: &(dyn StdError + 'static)) -> bool {
    http2(cause).is_some_and(|cause| {
        let reason = match cause.is_go_away() {
            true => Reason::NO_ERROR,
            false => Reason::REFUSED_STREAM,
        };
        cause.is_remote() && cause.reason() == Some(reason)
    })
}

fn requires_http1(cause: &(dyn StdError + 'static)) -> bool {
    http2(cause)
        .is_some_and(|cause| cause.is_remote() && cause.reason() == Some(Reason::HTTP_1_1_REQUIRED))
}

fn lacks_place(cause: &(dyn StdError + 'static)) -> bool {
    matches!(cause.downcast_ref(), Some(ConnectError::Limit(_)))
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
    if http2(cause).is_some_and(h2::Error::is_library) {
        // The server broke the rules.
        return Some(Error::HttpProtocolError);
    }
    let cause = cause.downcast_ref::<hyper::Error>()?;
    Some(match cause {
        cause if cause.is_timeout() => Error::HttpResponseTimeout,
        cause if cause.is_parse_too_large() => Error::HttpResponseHeaderSectionSize(None),
        cause if cause.is_parse() || cause.is_user() => Error::HttpProtocolError,
        _ => Error::ConnectionTerminated,
    })
}
