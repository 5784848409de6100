//! Requests that no component answered, and what their clients get instead.

use super::body;
use super::context::RequestContext;
use super::head::RequestError;
use crate::observe::metrics::Bound;
use crate::observe::untrusted::shown;
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use wasmtime_wasi_http::WasiBody;
use waypost_router::X_REQUEST_ID;

/// Seconds after which a rejected client may try again: load comes and goes within one.
const RETRY_SECONDS: HeaderValue = HeaderValue::from_static("1");

/// Why a component gave no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("the app serves {0} requests, as many as `concurrency` in `waypost.toml` allows")]
    AppBusy(usize),
    #[error("the route serves {0} requests, as many as its `concurrency` in `waypost.toml` allows")]
    RouteBusy(usize),
    #[error(
        "the handlers that work on one client's request have {0} requests to the app under way, as many as `inner_requests` in `waypost.toml` allows"
    )]
    TreeBusy(usize),
    #[error(transparent)]
    Head(#[from] RequestError),
    #[error(transparent)]
    ClientBody(RequestError),
    #[error("the body is larger than {0} bytes (`request_body` in `waypost.toml`)")]
    LargeBody(u64),
    #[error(
        "all instances together have {0} MiB of memory, as much as `total_memory` in `waypost.toml` allows"
    )]
    MemoryBusy(usize),
    #[error("no instance is free: {0}")]
    PoolBusy(String),
    #[error("{0}")]
    NotLoaded(Arc<dyn Error + Send + Sync>),
    #[error("no response within {0:?} (`max_duration` in `waypost.toml`)")]
    Overdue(Duration),
    #[error("the instance trapped before it answered")]
    Trapped,
    #[error("the handler returned an error: {}", shown(.0))]
    Returned(String),
    #[error("the handler's status {0} is not that of a response to a request")]
    Informational(StatusCode),
    #[error("the body of the response failed before its first byte: {}", shown(.0))]
    Body(String),
}

/// How much a failure matters to whoever reads the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    /// Logged elsewhere with more detail, or so frequent under load that it would fill the log.
    Detail,
    Warning,
    Error,
}

impl Failure {
    /// Returns the status of the response.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::AppBusy(_)
            | Self::RouteBusy(_)
            | Self::TreeBusy(_)
            | Self::MemoryBusy(_)
            | Self::PoolBusy(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Head(error) | Self::ClientBody(error) => error.status(),
            Self::LargeBody(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Overdue(_) => StatusCode::GATEWAY_TIMEOUT,
            Self::NotLoaded(_)
            | Self::Trapped
            | Self::Returned(_)
            | Self::Informational(_)
            | Self::Body(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Returns the bound that the request exceeded, if any.
    pub(crate) fn bound(&self) -> Option<Bound> {
        match self {
            Self::AppBusy(_) | Self::PoolBusy(_) => Some(Bound::Concurrency),
            Self::RouteBusy(_) => Some(Bound::RouteConcurrency),
            Self::TreeBusy(_) => Some(Bound::InnerRequests),
            Self::MemoryBusy(_) => Some(Bound::TotalMemory),
            Self::Head(error) => error.bound(),
            Self::LargeBody(_) => Some(Bound::RequestBody),
            Self::Overdue(_) => Some(Bound::MaxDuration),
            // A fault of the client's body is counted where the request entered the host.
            Self::ClientBody(_)
            | Self::NotLoaded(_)
            | Self::Trapped
            | Self::Returned(_)
            | Self::Informational(_)
            | Self::Body(_) => None,
        }
    }

    /// Returns the level at which to log it. The instance logs a trap.
    pub(crate) fn severity(&self) -> Severity {
        match self {
            Self::Trapped
            | Self::Head(_)
            | Self::ClientBody(_)
            | Self::LargeBody(_)
            | Self::AppBusy(_)
            | Self::RouteBusy(_)
            | Self::PoolBusy(_) => Severity::Detail,
            Self::Overdue(_) | Self::TreeBusy(_) | Self::MemoryBusy(_) => Severity::Warning,
            Self::NotLoaded(_) | Self::Returned(_) | Self::Informational(_) | Self::Body(_) => {
                Severity::Error
            }
        }
    }

    /// Makes the response for the client: a short text, an empty body for a 500, and the cause in development only.
    pub(crate) fn response(
        &self,
        context: &RequestContext,
        development: bool,
    ) -> Response<WasiBody> {
        if let Self::Head(error) | Self::ClientBody(error) = self {
            return rejection(*error);
        }
        let status = self.status();
        let mut response = match (development, status) {
            (true, _) => plain(
                status,
                format!("{}{self}\nrequest {}\n", reason(status), context.id),
            ),
            (false, StatusCode::INTERNAL_SERVER_ERROR) => bare(status),
            (false, _) => plain(status, reason(status)),
        };
        if status.is_server_error() {
            response
                .headers_mut()
                .insert(X_REQUEST_ID, context.id.header_value());
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, RETRY_SECONDS);
        }
        response
    }
}

/// Makes the response to a request that no component saw.
pub(crate) fn rejection(error: RequestError) -> Response<WasiBody> {
    plain(error.status(), format!("{error}\n"))
}

/// Makes a response without headers and body.
pub(crate) fn bare(status: StatusCode) -> Response<WasiBody> {
    let mut response = Response::new(body::empty());
    *response.status_mut() = status;
    response
}

/// Makes a response of plain text.
pub(crate) fn plain(status: StatusCode, text: String) -> Response<WasiBody> {
    let mut response = Response::new(body::full(text));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// Returns the reason phrase of a status, as a line of text.
pub(crate) fn reason(status: StatusCode) -> String {
    format!("{}\n", status.canonical_reason().unwrap_or("error"))
}

/// Describes an error of Wasmtime on one line: its causes from the outside in, without the backtrace.
pub(crate) fn summary(error: &wasmtime::Error) -> String {
    const BACKTRACE: &str = "error while executing at wasm backtrace";
    let causes = error.chain().map(ToString::to_string);
    let causes: Vec<String> = causes
        .filter(|cause| !cause.starts_with(BACKTRACE))
        .collect();
    causes.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_app_says_when_to_come_back() {
        let context = RequestContext::from_client();
        let response = Failure::AppBusy(1).response(&context, false);
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()[RETRY_AFTER], "1");
        assert_eq!(response.headers()[X_REQUEST_ID], context.id.to_string());
    }

    async fn text(development: bool) -> String {
        use http_body_util::BodyExt;
        let failure = Failure::Returned("secret".to_owned());
        let body = failure
            .response(&RequestContext::from_client(), development)
            .into_body();
        let collected = body.collect().await.expect("a fixed body is whole");
        String::from_utf8_lossy(&collected.to_bytes()).into_owned()
    }

    #[tokio::test]
    async fn the_cause_is_for_developers() {
        assert_eq!(text(false).await, "");
        assert!(text(true).await.contains("secret"));
    }
}
