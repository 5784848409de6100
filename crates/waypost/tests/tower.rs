//! Routes that are a router of axum, or a service of one's own.

#![cfg(feature = "tower")]
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test may panic")]

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Bytes;
use axum::routing::{any, get, post};
use axum::{Json, Router, extract};
use http_body::{Body as _, Frame, SizeHint};
use tower_service::Service;
use waypost::http::{self, HeaderMap, Method, StatusCode, header};
use waypost::tower::{self, SendBody};
use waypost::{Body, Request, Response, Result, fetch, test};

fn app() -> Router {
    let items = Router::new().route("/{id}", get(item)).route(
        "/",
        post(async |Json(names): Json<Vec<String>>| Json(names)),
    );
    Router::new()
        .nest("/axum/items", items)
        .route("/axum/echo", any(async |body: axum::body::Body| body))
        .route(
            "/axum/pieces",
            get(async || axum::body::Body::new(Pieces::of(&["ab", "c"]))),
        )
        .route("/axum/nothing", get(async || StatusCode::NO_CONTENT))
        .route("/axum/asked", get(asked))
        .route("/axum/fetched", get(fetched))
}

async fn item(extract::Path(id): extract::Path<u32>) -> String {
    format!("item {id}")
}

async fn asked(uri: http::Uri, headers: HeaderMap) -> String {
    format!("{uri} of {}", headers["host"].to_str().unwrap())
}

async fn fetched() -> http::Response<SendBody> {
    let reply = tower::into_send(fetch("http://example.com/").send()).await;
    tower::into_send_response(reply.unwrap())
}

async fn any_method(req: Request) -> Result {
    tower::serve(app(), req).await
}

waypost::export!("/axum/[[...rest]]": any = any_method);

fn call(request: Request) -> Response {
    test::call::<route::Route>(request)
}

/// A body of pieces with a length that is known, and trailers.
struct Pieces(VecDeque<Frame<Bytes>>, u64);

impl Pieces {
    fn of(pieces: &[&'static str]) -> Self {
        let length = pieces.iter().map(|piece| piece.len() as u64).sum();
        let data = pieces.iter().map(|piece| Frame::data(Bytes::from(*piece)));
        let trailers = HeaderMap::from_iter([(header::ETAG, "\"3\"".parse().unwrap())]);
        Self(data.chain([Frame::trailers(trailers)]).collect(), length)
    }
}

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(Ok))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.1)
    }
}

/// The frames of a response's body: data as text, and whether there are trailers.
fn frames(response: Response) -> Vec<String> {
    let mut body = tower::into_send_response(response).into_body();
    let mut next = || {
        test::block_on(std::future::poll_fn(|cx| {
            Pin::new(&mut body).poll_frame(cx)
        }))
    };
    let frames = std::iter::from_fn(|| next().map(Result::unwrap));
    let told = frames.map(|frame| match frame.into_data() {
        Ok(data) => String::from_utf8(data.to_vec()).unwrap(),
        Err(frame) => format!("{:?}", frame.into_trailers().unwrap()),
    });
    told.collect()
}

#[test]
fn paths_and_methods_are_the_services() {
    assert_eq!(test::text(call(Request::get("/axum/items/7"))), "item 7");
    assert_eq!(call(Request::get("/axum/items/x")).status(), 400);
    assert_eq!(call(Request::get("/axum/none")).status(), 404);
    let wrong = call(Request::post("/axum/items/7", ""));
    assert_eq!(wrong.status(), 405);
    assert_eq!(wrong.headers()["allow"], "GET,HEAD");
}

#[test]
fn bodies_go_in_and_out() {
    let json =
        Request::post("/axum/items", r#"["a"]"#).with_header("content-type", "application/json");
    let response = call(json);
    assert_eq!(response.headers()["content-length"], "5");
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(test::text(response), r#"["a"]"#);
    let no_json = Request::post("/axum/items", "?").with_header("content-type", "application/json");
    assert_eq!(call(no_json).status(), 400);
}

#[test]
fn streams_pass_through_with_their_trailers() {
    let trailers = r#"{"etag": "\"3\""}"#;
    for (request, length) in [
        // axum sets the length that the body says.
        (Request::get("/axum/pieces"), Some("3")),
        (
            Request::post("/axum/echo", Body::from_http_body(Pieces::of(&["ab", "c"]))),
            None,
        ),
    ] {
        let response = call(request);
        let found = response.headers().get("content-length");
        assert_eq!(found.map(|value| value.to_str().unwrap()), length);
        assert_eq!(frames(response), ["ab", "c", trailers]);
    }
}

#[test]
fn answers_without_a_body() {
    let head = call(Request::build(Method::HEAD, "/axum/items/7", ()));
    assert_eq!(head.status(), 200);
    // axum sets the length of the body that it leaves out.
    assert_eq!(head.headers()["content-length"], "6");
    for method in [Method::HEAD, Method::GET] {
        let nothing = call(Request::build(method, "/axum/nothing", ()));
        assert_eq!(nothing.status(), 204);
    }
}

#[test]
fn the_request_is_as_a_client_sent_it() {
    let inside = Request::get("http://axum.spin.internal/axum/asked?a=%20")
        .with_header("x-forwarded-host", "public.example")
        .with_header("host", "axum.spin.internal");
    assert_eq!(
        test::text(call(inside)),
        "/axum/asked?a=%20 of public.example"
    );
    let direct = Request::get("http://a.example:81/axum/asked");
    assert_eq!(test::text(call(direct)), "/axum/asked of a.example:81");
}

#[test]
fn the_path_is_the_one_that_the_router_matched() {
    for (target, path) in [
        ("/axum/x/../asked?a=%2e./b", "/axum/asked?a=%2e./b"),
        ("/axum/./x/%2E%2e/asked", "/axum/asked"),
    ] {
        let reply = frames(call(Request::get(target)));
        assert_eq!(reply.concat().split(' ').next(), Some(path), "{target}");
    }
}

#[test]
fn what_can_not_be_sent_is_wrapped() {
    let text = test::with_network(
        async |_| Response::new(Body::from_iter(["a", "b"])),
        || test::text(call(Request::get("/axum/fetched"))),
    );
    assert_eq!(text, "ab");
}

/// A service that is ready when it is asked the second time, and then fails.
struct Failing(u32);

impl Service<http::Request<SendBody>> for Failing {
    type Response = http::Response<SendBody>;
    type Error = std::io::Error;
    type Future = Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0 += 1;
        cx.waker().wake_by_ref();
        if self.0 < 2 {
            Poll::Pending
        } else {
            Poll::Ready(Ok(()))
        }
    }

    fn call(&mut self, _request: http::Request<SendBody>) -> Self::Future {
        assert_eq!(self.0, 2, "a service is called when it is ready");
        ready(Err(std::io::Error::other("out of tea")))
    }
}

#[test]
fn a_service_that_fails_is_a_500() {
    let error = test::block_on(tower::serve(Failing(0), Request::get("/"))).unwrap_err();
    assert_eq!(
        (error.status().as_u16(), error.to_string()),
        (500, "out of tea".to_owned())
    );
}
