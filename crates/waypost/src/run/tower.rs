//! Routes that are a [`tower_service::Service`] with the types of the [`http`] crate, such as an axum router.
//!
//! A route file passes its requests to the service with [`serve`]. The service routes them by path, and also by
//! method if the route file exports `any`. It receives requests as from hyper: with the target in origin form, the
//! whole path of the URL, and a `Host` header.
//!
//! A component has no tokio runtime: layers that spawn tasks or set timers with tokio can't be used. Use
//! [`crate::After`], [`crate::time::sleep`] and [`crate::fetch`] instead.
//!
//! # Examples
//!
//! `handlers/api/[[...rest]]/route.rs`:
//!
//! ```
//! use axum::{Router, extract::Path, routing::get};
//! use waypost::{Request, Result, tower};
//!
//! fn app() -> Router {
//!     let api = Router::new().route("/items/{id}", get(async |Path(id): Path<u32>| format!("item {id}")));
//!     Router::new().nest("/api", api)
//! }
//!
//! async fn any(req: Request) -> Result {
//!     tower::serve(app(), req).await
//! }
//!
//! waypost::export!("/api/[[...rest]]": any);
//!
//! # fn main() {
//! let response = waypost::test::call::<route::Route>(Request::get("/api/items/7"));
//! assert_eq!(waypost::test::text(response), "item 7");
//! # }
//! ```

use std::future::poll_fn;
use std::task::Poll;

use futures::{future, stream};
use http::{HeaderValue, Method, StatusCode, Uri, header, request};
use http_body::Body as _;
use send_wrapper::SendWrapper;
use tower_service::Service;
use url::Position;

use crate::body::{BoxError, Frame};
use crate::request::public_url;
use crate::{Body, Error, Response, Result};

pub use crate::body::http_body::SendBody;

/// Answers a request with a service. Both bodies stream, with their trailers.
///
/// It takes a [`Request`](crate::Request) or a request of the [`http`] crate, to which you can add extensions first.
///
/// # Errors
///
/// The error of the service, as a 500. An axum router never fails.
///
/// # Examples
///
/// Passing the params of the route to an axum handler as `Extension<Params>`:
///
/// ```
/// use axum::{Extension, Router, routing::get};
/// use waypost::extract::Params;
/// use waypost::{Body, Context, Request, Result, http, tower};
///
/// async fn shop(Extension(params): Extension<Params>) -> String {
///     params.get("shop").unwrap_or_default().to_owned()
/// }
///
/// async fn any(req: Request, ctx: Context) -> Result {
///     let app = Router::new().fallback(get(shop));
///     let mut req = http::Request::<Body>::from(req);
///     req.extensions_mut().insert(ctx.params);
///     tower::serve(app, req).await
/// }
///
/// waypost::export!("/shops/[shop]/[[...rest]]": any);
/// # fn main() {
/// let response = waypost::test::call::<route::Route>(Request::get("/shops/tea/new"));
/// assert_eq!(waypost::test::text(response), "tea");
/// # }
/// ```
pub async fn serve<S, B>(mut service: S, request: impl Into<http::Request<Body>>) -> Result
where
    S: Service<http::Request<SendBody>, Response = http::Response<B>, Error: Into<BoxError>>,
    B: http_body::Body<Error: Into<BoxError>> + 'static,
{
    let (mut head, body) = request.into().into_parts();
    to_origin_form(&mut head);
    let is_head = head.method == Method::HEAD;
    let request = http::Request::from_parts(head, SendBody::from(body));
    poll_fn(|cx| service.poll_ready(cx))
        .await
        .map_err(failure)?;
    let (head, body) = service.call(request).await.map_err(failure)?.into_parts();
    let body = match is_head && may_have_body(head.status) {
        true => of_unknown_length(),
        false => sent(body).await,
    };
    Ok(http::Response::from_parts(head, body).into())
}

/// Makes a future [`Send`], as axum requires of its handlers. The futures of this crate are not, because a component
/// has a single thread.
///
/// # Panics
///
/// If the future is polled or dropped on a thread other than the one that created it.
///
/// # Examples
///
/// An axum handler that passes a fetched response on:
///
/// ```no_run
/// use axum::{Router, response::IntoResponse, routing::get};
/// use waypost::{fetch, http, tower};
///
/// async fn feed() -> impl IntoResponse {
///     let reply = tower::into_send(fetch("https://example.com/feed").send()).await;
///     match reply {
///         Ok(reply) => Ok(tower::into_send_response(reply)),
///         Err(_) => Err(http::StatusCode::BAD_GATEWAY),
///     }
/// }
///
/// fn app() -> Router {
///     Router::new().route("/feed", get(feed))
/// }
/// ```
pub fn into_send<F: Future>(future: F) -> impl Future<Output = F::Output> + Send {
    SendWrapper::new(future)
}

/// Converts a response into one that a tower service can return.
pub fn into_send_response(response: Response) -> http::Response<SendBody> {
    http::Response::from(response).map(SendBody::from)
}

fn failure(error: impl Into<BoxError>) -> Error {
    anyhow::Error::from_boxed(error.into()).into()
}

/// Replaces the target by its origin form (RFC 9112 section 3.2.1), with the path of [`Request::url`], which is the one
/// that the router matched: `/a/../b` is `/b`. Behind the router the target's authority names the component, and a
/// service must not build links from it.
///
/// [`Request::url`]: crate::Request::url
fn to_origin_form(head: &mut request::Parts) {
    let url = public_url(head);
    if !head.headers.contains_key(header::HOST) {
        let authority = &url[Position::BeforeHost..Position::AfterPort];
        // Always valid: the host of a URL is ASCII.
        if let Ok(host) = HeaderValue::from_str(authority) {
            head.headers.insert(header::HOST, host);
        }
    }
    let target = match head.uri.query() {
        Some(query) => Uri::try_from(format!("{}?{query}", url.path())),
        None => Uri::try_from(url.path()),
    };
    // Always valid: a URL encodes the characters that a target may not contain.
    head.uri = target.unwrap_or_else(|_| Uri::from_static("/"));
}

fn may_have_body(status: StatusCode) -> bool {
    !matches!(status.as_u16(), 204 | 205 | 304)
}

/// Returns an empty body of unknown length, for a HEAD whose body the service left out. Zero would be the wrong
/// length, and omitting the length is allowed (RFC 9110 section 9.3.2).
fn of_unknown_length() -> Body {
    Body::from_frames(stream::empty())
}

/// Converts the body of a response. A body that is complete in its first frame does not become a stream, so that its
/// length is sent.
async fn sent<B>(body: B) -> Body
where
    B: http_body::Body<Error: Into<BoxError>> + 'static,
{
    let length = body.size_hint().exact();
    if length == Some(0) && body.is_end_stream() {
        return Body::empty();
    }
    let mut body = Box::pin(body);
    if length.is_none() {
        return Body::from_http_body(body);
    }
    let first = poll_fn(|cx| Poll::Ready(body.as_mut().poll_frame(cx))).await;
    let first = match first {
        Poll::Pending => return Body::from_http_body(body),
        Poll::Ready(None) => return Body::empty(),
        Poll::Ready(Some(frame)) => frame.map(Frame::from).map_err(Into::into),
    };
    match first {
        Ok(Frame::Data(data)) if body.is_end_stream() => Body::from(data),
        Ok(first) => Body::from_http_body(body).behind(first),
        Err(error) => Body::from_frames(stream::once(future::ready(Err(error)))),
    }
}
