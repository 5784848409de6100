//! Checks the head of a client's request, and prepares it for components.

use super::headers::{list, strip_request};
use crate::observe::metrics::Bound;
use http::header::{CONTENT_LENGTH, HOST, HeaderMap, TRANSFER_ENCODING};
use http::request::Parts;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Method, StatusCode, Uri, Version};
use std::net::SocketAddr;
use waypost_config::settings::{Origin, RouteLimits};

/// Why a request is refused before any component sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RequestError {
    #[error("the request has no `Host` header")]
    MissingHost,
    #[error("the request has more than one `Host` header")]
    RepeatedHost,
    #[error("the host is not valid")]
    InvalidHost,
    #[error("`Host` and `:authority` differ")]
    OtherHost,
    #[error("the request target is not valid")]
    InvalidTarget,
    #[error("the request has a transfer coding other than `chunked`")]
    UnknownCoding,
    #[error("the request is `chunked` more than once")]
    RepeatedCoding,
    #[error("the request line is too long")]
    LongLine,
    #[error("the request has too many headers, or too large ones")]
    LargeHeaders,
    #[error("the headers did not arrive in time")]
    StalledHead,
    #[error("the body did not arrive in time")]
    StalledBody,
    #[error("the body is not framed as HTTP requires")]
    MalformedBody,
}

impl RequestError {
    /// Returns the bound that the request exceeded, if any.
    pub(crate) fn bound(self) -> Option<Bound> {
        match self {
            Self::LongLine => Some(Bound::RequestLine),
            Self::LargeHeaders => Some(Bound::Headers),
            Self::StalledHead | Self::StalledBody => Some(Bound::IdleTimeout),
            Self::MissingHost
            | Self::RepeatedHost
            | Self::InvalidHost
            | Self::OtherHost
            | Self::InvalidTarget
            | Self::UnknownCoding
            | Self::RepeatedCoding
            | Self::MalformedBody => None,
        }
    }

    /// Returns the status of the response.
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::MissingHost
            | Self::RepeatedHost
            | Self::InvalidHost
            | Self::OtherHost
            | Self::InvalidTarget
            | Self::RepeatedCoding
            | Self::MalformedBody => StatusCode::BAD_REQUEST,
            Self::UnknownCoding => StatusCode::NOT_IMPLEMENTED,
            Self::LongLine => StatusCode::URI_TOO_LONG,
            Self::LargeHeaders => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::StalledHead | Self::StalledBody => StatusCode::REQUEST_TIMEOUT,
        }
    }

    /// Returns whether the connection must end, because nobody can tell where the next request begins, or because the rest
    /// of this one is not worth reading.
    pub(crate) fn ends_connection(self) -> bool {
        matches!(
            self,
            Self::UnknownCoding | Self::RepeatedCoding | Self::StalledBody | Self::MalformedBody
        )
    }
}

/// Checks the head of a request and prepares it for components: makes the URI absolute, with the public authority, and
/// removes the headers that a client may not set.
///
/// A request of HTTP/1.0 may name no host: then it is the address `own` that the client connected to (RFC 9110, section
/// 7.1).
///
/// # Errors
///
/// See [`RequestError`].
pub(crate) fn prepare(
    parts: &mut Parts,
    origin: Option<&Origin>,
    own: SocketAddr,
) -> Result<(), RequestError> {
    check_codings(&parts.headers)?;
    let sent = authority(parts)?;
    let (scheme, authority) = match (origin, sent) {
        (Some(origin), _) => (scheme_of(origin)?, parse_authority(origin.authority())?),
        (None, Some(sent)) => (Scheme::HTTP, sent),
        (None, None) if parts.version == Version::HTTP_10 => {
            // Without the zone of an IPv6 address, which has no place in a URL.
            let own = SocketAddr::new(own.ip().to_canonical(), own.port());
            (Scheme::HTTP, parse_authority(&own.to_string())?)
        }
        (None, None) => return Err(RequestError::MissingHost),
    };
    parts.uri = absolute(&parts.uri, scheme, authority)?;
    strip_request(&mut parts.headers);
    single_content_length(&mut parts.headers);
    Ok(())
}

/// Checks that `chunked` is the only transfer coding (RFC 9112, section 6.1). The HTTP library has read the body by it, and
/// accepts others before it.
fn check_codings(headers: &HeaderMap) -> Result<(), RequestError> {
    let mut codings = list(headers, &TRANSFER_ENCODING).filter(|coding| !coding.is_empty());
    let is_chunked = |coding: &str| coding.eq_ignore_ascii_case("chunked");
    match (codings.next(), codings.next()) {
        (Some(first), _) if !is_chunked(first) => Err(RequestError::UnknownCoding),
        (_, Some(second)) if !is_chunked(second) => Err(RequestError::UnknownCoding),
        (_, Some(_)) => Err(RequestError::RepeatedCoding),
        (_, None) => Ok(()),
    }
}

/// Checks that the request names one valid host, as HTTP/1.1 requires.
///
/// # Errors
///
/// See [`RequestError`].
pub(crate) fn check_host(parts: &Parts) -> Result<(), RequestError> {
    authority(parts).map(drop)
}

/// The size of a head: the bytes of its request line, of the names and of the values. The parser has dropped the white
/// space between them and the fragment of the target, so these do not count.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct HeadSize {
    line: usize,
    /// Bytes of line and fields together.
    whole: usize,
    /// Number of fields.
    fields: usize,
}

impl HeadSize {
    /// Measures a head as it was sent. The authority of HTTP/2 counts like that of an absolute target.
    pub(crate) fn of(method: &Method, target: &Uri, headers: &HeaderMap) -> Self {
        let path = target
            .path_and_query()
            .map_or(0, |path| path.as_str().len());
        let scheme = target.scheme_str().map_or(0, str::len);
        let authority = target.authority().map_or(0, |authority| {
            scheme + "://".len() + authority.as_str().len()
        });
        let line = method.as_str().len() + " ".len() + authority + path + " HTTP/1.1".len();
        let fields: usize = headers
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len())
            .sum();
        Self {
            line,
            whole: line + fields,
            fields: headers.len(),
        }
    }

    /// Returns the smaller one of each size.
    pub(crate) fn min(self, other: Self) -> Self {
        Self {
            line: self.line.min(other.line),
            whole: self.whole.min(other.whole),
            fields: self.fields.min(other.fields),
        }
    }

    /// Checks the request line, and then the head as a whole.
    ///
    /// # Errors
    ///
    /// When one of them exceeds its limit.
    pub(crate) fn check(self, limits: &RouteLimits) -> Result<(), RequestError> {
        if self.line > limits.request_line {
            return Err(RequestError::LongLine);
        }
        if self.fields > limits.header_count || self.whole > limits.header_size {
            return Err(RequestError::LargeHeaders);
        }
        Ok(())
    }
}

/// Returns the authority that the client named: the target's (`:authority`, or that of an absolute-form target, which
/// takes precedence over `Host` by RFC 9112 section 3.2.2), else that of `Host`. Only a request of HTTP/1.0 may have none.
fn authority(parts: &Parts) -> Result<Option<Authority>, RequestError> {
    let host = host_header(&parts.headers)?;
    let target = parts
        .uri
        .authority()
        .map(|target| parse_authority(target.as_str()))
        .transpose()?;
    match (target, host) {
        (Some(target), Some(host)) if parts.version == Version::HTTP_2 && target != host => {
            Err(RequestError::OtherHost)
        }
        (Some(target), None) if parts.version == Version::HTTP_2 => Ok(Some(target)),
        (_, None) if parts.version == Version::HTTP_11 => Err(RequestError::MissingHost),
        (target, host) => Ok(target.or(host)),
    }
}

fn host_header(headers: &HeaderMap) -> Result<Option<Authority>, RequestError> {
    let mut hosts = headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) => Ok(None),
        (Some(host), None) => {
            let host = host.to_str().map_err(|_| RequestError::InvalidHost)?;
            parse_authority(host).map(Some)
        }
        (Some(_), Some(_)) => Err(RequestError::RepeatedHost),
    }
}

/// Parses `host[:port]`; user information has no place in a request (RFC 9110, section 4.2.4).
fn parse_authority(text: &str) -> Result<Authority, RequestError> {
    let authority: Authority = text.parse().map_err(|_| RequestError::InvalidHost)?;
    let port = match authority.as_str().strip_prefix(authority.host()) {
        Some("") => true,
        Some(port) => port
            .strip_prefix(':')
            .is_some_and(|port| port.is_empty() || port.parse::<u16>().is_ok()),
        // What stands before the host is user information.
        None => false,
    };
    let valid = port && is_host(authority.host());
    valid.then_some(authority).ok_or(RequestError::InvalidHost)
}

/// Returns whether this is a host name or an address (RFC 3986, section 3.2.2, without percent-encoding, which no
/// resolver accepts).
fn is_host(host: &str) -> bool {
    if let Some(address) = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        return address.parse::<std::net::Ipv6Addr>().is_ok();
    }
    !host.is_empty()
        && host
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
}

fn scheme_of(origin: &Origin) -> Result<Scheme, RequestError> {
    origin
        .scheme()
        .parse()
        .map_err(|_| RequestError::InvalidHost)
}

fn absolute(target: &Uri, scheme: Scheme, authority: Authority) -> Result<Uri, RequestError> {
    if target.authority().is_some() && target.scheme().is_none() {
        // Only `CONNECT` has a target without a path (RFC 9112, section 3.2.3).
        return Err(RequestError::InvalidTarget);
    }
    let path = target
        .path_and_query()
        .cloned()
        .unwrap_or_else(|| PathAndQuery::from_static("/"));
    // `http` gives "*" for the target of `OPTIONS *`, which is no path.
    if !path.as_str().starts_with(['/', '?']) {
        return Err(RequestError::InvalidTarget);
    }
    Uri::builder()
        .scheme(scheme)
        .authority(authority)
        .path_and_query(path)
        .build()
        .map_err(|_| RequestError::InvalidTarget)
}

/// Keeps one of several equal `Content-Length` headers: hyper has checked that they are equal, and components expect one.
fn single_content_length(headers: &mut HeaderMap) {
    if headers.get_all(CONTENT_LENGTH).iter().count() > 1
        && let Some(first) = headers.get(CONTENT_LENGTH).cloned()
    {
        headers.insert(CONTENT_LENGTH, first);
    }
}

/// Returns whether this asks for the options of the server as a whole (`OPTIONS *`, RFC 9110, section 9.3.7).
pub(crate) fn is_about_the_server(parts: &Parts) -> bool {
    parts.method == Method::OPTIONS && parts.uri.path() == "*"
}

/// Returns the length that `Content-Length` announces, if any.
pub(crate) fn announced_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests;
