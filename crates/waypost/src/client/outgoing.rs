//! A request as a fetch sends it: which headers it has, and how its body is framed.
//!
//! It is the same on every host. Hosts differ in the headers that they refuse, and in what they make of a body of unknown
//! length.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use futures::future::{Either, select};
use futures::stream;
use http::header::{CONTENT_LENGTH, EXPECT, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Response, Uri};

use super::FetchError;
use crate::body::{BoxError, Frame};
use crate::message::connection::ConnectionHeaders;
use crate::response::caching;
use crate::response::head::parse_length;
use crate::{Body, time};

/// Prefixes of headers in which a host or the router describes the request that a handler got. They are of no use to
/// another server, and may be secret.
const OF_THE_INSIDE: [&str; 2] = ["spin-", "x-waypost-"];

/// How long the head waits for a stream of unknown length to turn out empty. One that comes from a request without a body
/// ends at once.
const EMPTY_WITHIN: Duration = Duration::from_millis(2);

/// Why the body of a request failed; `None` as long as it did not.
pub(super) type Failure = Rc<RefCell<Option<String>>>;

/// Notes an error of a streamed body, which the host reports as a broken connection only.
pub(super) fn watched(mut body: Body) -> (Body, Failure) {
    let failure = Failure::default();
    if body.len().is_some() {
        return (body, failure);
    }
    let (noted, length) = (Rc::clone(&failure), body.content_length());
    let mut watched = Body::from_frames(stream::poll_fn(move |cx| {
        let frame = body.poll_next_frame(cx);
        if let Poll::Ready(Some(Err(error))) = &frame {
            noted.replace(Some(error.to_string()));
        }
        frame
    }));
    watched.announce(length);
    (watched, failure)
}

/// Builds a request as it is sent.
///
/// # Errors
///
/// [`FetchError::Request`] if the body does not fit the method, or the length that was set.
pub(super) async fn request(
    method: &Method,
    uri: Uri,
    headers: &HeaderMap,
    body: Body,
) -> Result<Request<Body>, FetchError> {
    let declared = headers.get_all(CONTENT_LENGTH).iter();
    let declared = parse_length(declared.map(HeaderValue::as_bytes));
    let (length, body) = framed(method, declared, body).await?;
    let mut request = Request::new(body);
    request.method_mut().clone_from(method);
    *request.uri_mut() = uri;
    *request.headers_mut() = sent(headers);
    if let Some(length) = length {
        request.headers_mut().insert(CONTENT_LENGTH, length.into());
    }
    Ok(request)
}

/// Returns the headers that are sent of those that the handler set.
fn sent(headers: &HeaderMap) -> HeaderMap {
    let of_connection = ConnectionHeaders::from(headers);
    let is_sent = |name: &HeaderName| {
        let own = *name == EXPECT || *name == CONTENT_LENGTH;
        let name = name.as_str();
        let inside = OF_THE_INSIDE.iter().any(|prefix| name.starts_with(prefix));
        !own && !inside && !of_connection.contain(name)
    };
    let lines = headers.iter().filter(|(name, _)| is_sent(name));
    let mut sent = HeaderMap::new();
    for (name, value) in lines {
        sent.append(name.clone(), value.clone());
    }
    sent
}

/// Returns the value of `Content-Length`, or `None` if it is not sent, and the body.
async fn framed(
    method: &Method,
    declared: Option<u64>,
    mut body: Body,
) -> Result<(Option<u64>, Body), FetchError> {
    if body.len().is_some() {
        let length = body.content_length().filter(|length| *length > 0);
        return Ok((length.or_else(|| of_nothing(method)), body));
    }
    let first = match body.content_length().or(declared) {
        // The server would not wait for the body, so it has to be known to be empty before.
        Some(0) => match next(&mut body).await {
            Some(Ok(Frame::Data(_))) => {
                let why = "its body is longer than its `content-length` of 0";
                return Err(FetchError::Request(why.to_owned()));
            }
            first => Some(first),
        },
        Some(length) => return Ok((Some(length), body.measured(length))),
        // The head of these says that there is no body, unless its length is known.
        None if is_without_body(method) => match next(&mut body).await {
            Some(Ok(Frame::Data(_))) => {
                let why = format!("the length of its body is not known, as {method} requires");
                return Err(FetchError::Request(why));
            }
            first => Some(first),
        },
        None => soon(&mut body).await,
    };
    match first {
        None => Ok((None, body)),
        Some(None) => Ok((of_nothing(method), Body::empty())),
        Some(Some(Err(error))) => Err(FetchError::Request(format!("its body failed: {error}"))),
        Some(Some(Ok(first))) => Ok((None, body.behind(first))),
    }
}

/// Returns the length that a request without a body has. A host may take a missing one as a body of unknown length.
fn of_nothing(method: &Method) -> Option<u64> {
    (!is_without_body(method)).then_some(0)
}

fn is_without_body(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::CONNECT)
}

/// Waits for the next frame that is not empty.
async fn next(body: &mut Body) -> Option<Result<Frame, BoxError>> {
    loop {
        match poll_fn(|cx| body.poll_next_frame(cx)).await {
            Some(Ok(Frame::Data(data))) if data.is_empty() => {}
            frame => return frame,
        }
    }
}

/// Waits a moment for the next frame. `None` if it was not there in time.
async fn soon(body: &mut Body) -> Option<Option<Result<Frame, BoxError>>> {
    match select(pin!(next(body)), pin!(time::sleep(EMPTY_WITHIN))).await {
        Either::Left((frame, _)) => Some(frame),
        Either::Right(_) => None,
    }
}

/// Gives a response its body: none if its method or its status says so (RFC 9112 section 6.3), whatever its headers say.
/// Removes the headers with which a handler speaks to the cache: another server could empty it, if the response is passed
/// on.
pub(super) fn received(method: &Method, mut response: Response<Body>) -> Response<Body> {
    let is_empty = matches!(response.status().as_u16(), 204 | 205 | 304);
    if is_empty || *method == Method::HEAD {
        *response.body_mut() = Body::empty();
    }
    let length = response.headers().get_all(CONTENT_LENGTH).iter();
    let length = parse_length(length.map(HeaderValue::as_bytes));
    response.body_mut().announce(length);
    for name in caching::INTERNAL {
        response.headers_mut().remove(name);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test::block_on;

    fn built(
        method: Method,
        lines: &[(&'static str, &'static str)],
        body: Body,
    ) -> Result<Request<Body>, FetchError> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_static(value));
        }
        block_on(request(&method, Uri::from_static("/"), &headers, body))
    }

    fn text(request: Request<Body>) -> Result<String, String> {
        let bytes = block_on(request.into_body().bytes(100));
        let bytes = bytes.map_err(|error| error.to_string())?;
        Ok(String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[test]
    fn headers_of_another_request_can_be_copied() {
        let copied = [
            ("host", "shop.example"),
            ("connection", "keep-alive, X-Hop"),
            ("x-hop", "1"),
            ("keep-alive", "timeout=5"),
            ("te", "trailers"),
            ("transfer-encoding", "chunked"),
            ("expect", "100-continue"),
            ("upgrade", "h2c"),
            ("http2-settings", "a"),
            ("proxy-authorization", "a"),
            ("content-length", "7"),
            ("spin-client-addr", "10.0.0.1"),
            ("x-waypost-cache", "HIT"),
            ("accept", "a/b"),
            ("x-two", "1"),
            ("accept", "c/d"),
            ("x-forwarded-for", "192.0.2.1"),
        ];
        let request = built(Method::GET, &copied, Body::empty()).unwrap();
        let lines = request.headers().iter();
        let lines: Vec<_> = lines
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
            .collect();
        let expected = [
            ("accept", "a/b"),
            ("accept", "c/d"),
            ("x-two", "1"),
            ("x-forwarded-for", "192.0.2.1"),
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn the_length_of_a_request() {
        let stream = || Body::from_iter(["ab", "c"]);
        let announced = || {
            let mut body = stream();
            body.announce(Some(3));
            body
        };
        let none = || Body::from_iter([""; 2]);
        for (method, declared, body, length, text) in [
            (Method::GET, "9", Body::empty(), None, ""),
            (Method::DELETE, "9", Body::empty(), Some("0"), ""),
            (Method::POST, "9", Body::from("abc"), Some("3"), "abc"),
            (Method::POST, "0", announced(), Some("3"), "abc"),
            (Method::POST, "3", stream(), Some("3"), "abc"),
            (Method::POST, "x", stream(), None, "abc"),
            (Method::POST, "0", none(), Some("0"), ""),
            (Method::DELETE, "x", none(), Some("0"), ""),
            (Method::GET, "x", none(), None, ""),
            (Method::GET, "x", announced(), Some("3"), "abc"),
        ] {
            let case = format!("{method} {declared} {body:?}");
            let request = built(method, &[("content-length", declared)], body).unwrap();
            let found = request.headers().get(CONTENT_LENGTH);
            assert_eq!(found.map(|value| value.to_str().unwrap()), length, "{case}");
            assert_eq!(super::tests::text(request).unwrap(), text, "{case}");
        }
    }

    #[test]
    fn a_false_length_is_an_error() {
        let stream = || Body::from_iter(["ab", "c"]);
        for (method, declared) in [(Method::PUT, "0"), (Method::GET, "x")] {
            let error = built(method, &[("content-length", declared)], stream()).unwrap_err();
            assert!(
                matches!(&error, FetchError::Request(why) if why.contains("length")),
                "{error}"
            );
        }
        for declared in ["2", "4"] {
            let request = built(Method::PUT, &[("content-length", declared)], stream()).unwrap();
            assert!(text(request).is_err(), "{declared}");
        }
    }

    #[test]
    fn a_response_without_a_body() {
        for (method, status, is_empty) in [
            (Method::GET, 200, false),
            (Method::HEAD, 200, true),
            (Method::GET, 204, true),
            (Method::GET, 304, true),
        ] {
            let response = Response::builder().status(status).header(CONTENT_LENGTH, 2);
            let response = response.body(Body::from_iter(["ab"])).unwrap();
            let body = received(&method, response).into_body();
            assert_eq!(body.is_empty(), is_empty, "{method} {status}");
            assert_eq!(body.content_length(), Some(if is_empty { 0 } else { 2 }));
        }
    }
}
