//! Answers with a text that says what it saw of the request, and that differs with each run.
//!
//! The last segment of the path says how: `slow` after 200 ms, `slower` after 1.2 s, `stream` in two pieces half a second apart,
//! `tagged-stream` likewise with a tag of its own, `large` with 100 kB in pieces, `crumbs` with 1,000 pieces of one byte, `cut` with a body that breaks off, `cookie` with `Set-Cookie`, `tagged` with a tag of its own, `private` with
//! `Cache-Control`, `once` with a 500 from the second run on, `error` with a 500, `slow-error` with one after 200 ms. A POST revalidates what its body says.

use std::sync::atomic::{AtomicBool, Ordering};
use wasip3::clocks::monotonic_clock;
use wasip3::http::types::{ErrorCode, Fields, Method, Request, Response};
use wasip3::random::random::get_random_u64;
use wasip3::wit_bindgen::{self, StreamWriter};
use wasip3::{wit_future, wit_stream};

struct Cached;
wasip3::http::service::export!(Cached);

/// Whether `once` has run.
static HAS_RUN: AtomicBool = AtomicBool::new(false);

impl wasip3::exports::http::handler::Guest for Cached {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let target = request.get_path_with_query().unwrap_or_default();
        let method = format!("{:?}", request.get_method());
        if matches!(request.get_method(), Method::Post) {
            return revalidate(request).await;
        }
        let path = target.split('?').next().unwrap_or_default();
        let how = path.rsplit('/').next().unwrap_or_default().to_owned();
        let mut seen: Vec<_> = request.get_headers().copy_all();
        seen.sort();
        let seen = seen.iter().map(|(name, value)| {
            format!("{name}={}", String::from_utf8_lossy(value))
        });
        let seen = seen.collect::<Vec<_>>().join("|");
        println!("cached ran {target}");
        match how.as_str() {
            "slow" | "slow-error" => monotonic_clock::wait_for(200_000_000).await,
            "slower" => monotonic_clock::wait_for(1_200_000_000).await,
            _ => {}
        }
        let text = format!("{:016x} {method} {target} {seen}\n", get_random_u64());
        let (status, header) = match how.as_str() {
            "cookie" => (200, ("set-cookie", "a=1")),
            "tagged" | "tagged-stream" => (200, ("x-waypost-tags", "own")),
            "private" => (200, ("cache-control", "private")),
            "once" if HAS_RUN.swap(true, Ordering::Relaxed) => (500, ("x-own", "1")),
            "error" => (500, ("x-own", "1")),
            "slow-error" => (500, ("access-control-allow-origin", "*")),
            "missing" => (404, ("x-own", "1")),
            _ => (200, ("x-own", "1")),
        };
        respond(status, header, how, text)
    }
}

fn respond(
    status: u16,
    (name, value): (&str, &str),
    how: String,
    text: String,
) -> Result<Response, ErrorCode> {
    let headers = [
        ("content-type", "text/plain"),
        ("x-waypost-unknown", "1"),
        (name, value),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
    let headers = Fields::from_list(&headers).map_err(internal)?;
    let (mut writer, body) = wit_stream::new();
    let (ended, trailers) = wit_future::new(|| Ok(None));
    let (response, _sent) = Response::new(headers, Some(body), trailers);
    response.set_status_code(status).map_err(internal)?;
    wit_bindgen::spawn(async move {
        write(&how, text, &mut writer).await;
        drop(writer);
        let _ = ended.write(Ok(None)).await;
    });
    Ok(response)
}

async fn write(how: &str, text: String, writer: &mut StreamWriter<u8>) {
    match how {
        "stream" | "tagged-stream" => {
            writer.write_all(format!("one {text}").into_bytes()).await;
            monotonic_clock::wait_for(500_000_000).await;
            writer.write_all(b"two\n".to_vec()).await;
        }
        "cut" => {
            writer.write_all(b"begun\n".to_vec()).await;
            monotonic_clock::wait_for(50_000_000).await;
            panic!("asked to trap while streaming");
        }
        "crumbs" => {
            for _ in 0..1000 {
                writer.write_all(b"a".to_vec()).await;
            }
        }
        "large" => {
            for _ in 0..10 {
                writer.write_all(vec![b'a'; 10_000]).await;
                monotonic_clock::wait_for(5_000_000).await;
            }
        }
        _ => {
            writer.write_all(text.into_bytes()).await;
        }
    }
}

/// Answers with the header that revalidates what the body says.
async fn revalidate(request: Request) -> Result<Response, ErrorCode> {
    let (_, processed) = wit_future::new(|| Ok(()));
    let (body, _trailers) = Request::consume_body(request, processed);
    let value = body.collect().await;
    let header = ("x-waypost-revalidate".to_owned(), value);
    let headers = Fields::from_list(&[header]).map_err(internal)?;
    let (_, trailers) = wit_future::new(|| Ok(None));
    let (response, _sent) = Response::new(headers, None, trailers);
    Ok(response)
}

fn internal(error: impl std::fmt::Debug) -> ErrorCode {
    ErrorCode::InternalError(Some(format!("{error:?}")))
}
