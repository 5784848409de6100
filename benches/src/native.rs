//! The native servers: the same routes on plain hyper and on axum, without WebAssembly.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Path, Query};
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

const TEXT: &str = "text/plain; charset=utf-8";

static BIG: [u8; 1 << 20] = [b'b'; 1 << 20];

/// The framework of a native server.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum Framework {
    Hyper,
    Axum,
}

/// Serves until the process is killed.
pub fn serve(framework: Framework, address: SocketAddr) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(address).await?;
        match framework {
            Framework::Hyper => on_hyper(listener).await,
            Framework::Axum => Ok(axum::serve(listener, router()).await?),
        }
    })
}

async fn on_hyper(listener: TcpListener) -> anyhow::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            let connection = http1::Builder::new();
            // An error means that the client went away.
            let _ = connection
                .serve_connection(TokioIo::new(stream), service_fn(answer))
                .await;
        });
    }
}

type Answer = Response<BoxBody<Bytes, hyper::Error>>;

async fn answer(request: Request<Incoming>) -> Result<Answer, hyper::Error> {
    let path = request.uri().path();
    Ok(match path {
        "/cached" if request.headers().contains_key("if-none-match") => empty(304),
        path if path.starts_with("/numbered/") => whole(TEXT, "Hello, world!"),
        "/hello" | "/cached" => whole(TEXT, "Hello, world!"),
        "/big" => whole("application/octet-stream", &BIG[..]),
        "/wait" => {
            tokio::time::sleep(Duration::from_millis(50)).await;
            whole(TEXT, "waited")
        }
        "/upload" => Response::new(request.into_body().boxed()),
        "/events" => {
            let frames = events().map(|event| Ok(Frame::data(event.expect("it is infallible"))));
            let mut answer = Response::new(BodyExt::boxed(StreamBody::new(frames)));
            let kind = "text/event-stream".parse().expect("it is a header");
            answer.headers_mut().insert("content-type", kind);
            answer
        }
        "/echo" => {
            let bytes = request.into_body().collect().await?.to_bytes();
            match serde_json::from_slice::<Value>(&bytes) {
                Ok(value) => whole("application/json", value.to_string()),
                Err(_) => empty(400),
            }
        }
        path => match path.strip_prefix("/items/") {
            Some(slug) => {
                let query = request.uri().query().unwrap_or_default();
                let page = query
                    .strip_prefix("page=")
                    .and_then(|page| page.parse().ok());
                let visits = visits(request.headers());
                let mut answer = whole("application/json", item(slug, page, visits).to_string());
                let cookie = format!("visits={visits}; Path=/")
                    .parse()
                    .expect("it is a header");
                answer.headers_mut().insert("set-cookie", cookie);
                answer
            }
            None => empty(404),
        },
    })
}

fn whole(kind: &'static str, body: impl Into<Bytes>) -> Answer {
    let body = Full::new(body.into())
        .map_err(|never| match never {})
        .boxed();
    let response = Response::builder().header("content-type", kind).body(body);
    response.expect("the head is well formed")
}

fn empty(status: u16) -> Answer {
    let mut answer = whole("text/plain", "");
    *answer.status_mut() = status.try_into().expect("it is a status");
    answer
}

#[derive(serde::Deserialize)]
struct Page {
    page: Option<u32>,
}

fn router() -> axum::Router {
    axum::Router::new()
        .route("/hello", get(async || "Hello, world!"))
        .route("/cached", get(async || "Hello, world!"))
        .route("/numbered/{number}", get(async || "Hello, world!"))
        .route("/echo", post(async |body: axum::Json<Value>| body))
        .route("/big", get(async || Bytes::from_static(&BIG)))
        .route("/upload", post(async |body: axum::body::Body| body))
        .route("/wait", get(wait))
        .route("/items/{slug}", get(get_item))
        .route("/events", get(get_events))
        .layer(DefaultBodyLimit::disable())
}

async fn wait() -> &'static str {
    tokio::time::sleep(Duration::from_millis(50)).await;
    "waited"
}

async fn get_item(
    Path(slug): Path<String>,
    page: Query<Page>,
    headers: HeaderMap,
) -> impl IntoResponse {
    let visits = visits(&headers);
    let cookie = [("set-cookie", format!("visits={visits}; Path=/"))];
    (cookie, axum::Json(item(&slug, page.page, visits)))
}

async fn get_events() -> impl IntoResponse {
    let body = axum::body::Body::from_stream(events());
    ([("content-type", "text/event-stream")], body)
}

/// Sends an event at once, and another every ten seconds.
fn events() -> impl Stream<Item = Result<Bytes, Infallible>> + Send + Sync {
    stream::unfold(0, async |count: u32| {
        if count > 0 {
            tokio::time::sleep(Duration::from_secs(10)).await;
        }
        Some((Ok(format!("data: {count}\n\n").into()), count + 1))
    })
}

fn item(slug: &str, page: Option<u32>, visits: u32) -> Value {
    json!({ "slug": slug, "page": page.unwrap_or(1), "visits": visits })
}

/// Returns the number in the cookie plus one.
fn visits(headers: &HeaderMap) -> u32 {
    let cookies = headers
        .get("cookie")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let mut pairs = cookies.split("; ").filter_map(|pair| pair.split_once('='));
    let before = pairs
        .find(|(name, _)| *name == "visits")
        .and_then(|(_, value)| value.parse().ok());
    before.unwrap_or(0) + 1
}
