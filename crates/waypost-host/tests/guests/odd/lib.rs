//! Answers as HTTP does not allow, or without reading the request.
//!
//! `/NNN` has that status and a body, `/short`, `/none` and `/long` have not the length that they announce, `/trailers`
//! names the request's trailers and sends its own, `/collect` fails if the request's body does, and `/large` sends 16 MiB
//! and does not read the request.

use wasip3::clocks::monotonic_clock;
use wasip3::http::types::{ErrorCode, Fields, Request, Response};
use wasip3::wit_bindgen;
use wasip3::{wit_future, wit_stream};

struct Odd;
wasip3::http::service::export!(Odd);

impl wasip3::exports::http::handler::Guest for Odd {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let target = request.get_path_with_query().unwrap_or_default();
        match target.as_str() {
            "/short" => respond(200, "10", Some("half"), None),
            "/none" => respond(200, "10", None, None),
            "/long" => respond(200, "4", Some("too much"), None),
            "/trailers" => {
                let names = read(request).await?;
                let own = ["x-forwarded-for", "x_request_id", "server-timing"];
                let own = own.map(|name| (name.to_owned(), b"1".to_vec()));
                let own = Fields::from_list(&own).map_err(internal)?;
                let length = names.len().to_string();
                respond(200, &length, Some(&names), Some(own))
            }
            "/collect" => respond(200, "0", None, read(request).await.map(|_| None)?),
            "/large" => respond(200, "16777216", Some(&"a".repeat(16 << 20)), None),
            status => {
                let status = status.trim_start_matches('/').parse();
                respond(status.unwrap_or(404), "7", Some("content"), None)
            }
        }
    }
}

/// Reads the body to its end; returns the names of its trailers.
async fn read(request: Request) -> Result<String, ErrorCode> {
    let (_, processed) = wit_future::new(|| Ok(()));
    let (body, trailers) = Request::consume_body(request, processed);
    body.collect().await;
    let trailers = trailers.await?.map(|trailers| trailers.copy_all());
    let names = trailers.into_iter().flatten().map(|(name, _)| name);
    Ok(format!("trailers {}", names.collect::<Vec<_>>().join(",")))
}

fn respond(
    status: u16,
    length: &str,
    content: Option<&str>,
    own: Option<Fields>,
) -> Result<Response, ErrorCode> {
    let mut headers = vec![("content-length".to_owned(), length.as_bytes().to_vec())];
    if own.is_some() {
        // Only a body of unknown length has trailers.
        let names = b"x-forwarded-for, x_request_id, server-timing".to_vec();
        headers = vec![("trailer".to_owned(), names)];
    }
    let headers = Fields::from_list(&headers).map_err(internal)?;
    let (ended, trailers) = wit_future::new(|| Ok(None));
    let content = content.map(|content| {
        let (mut writer, reader) = wit_stream::new();
        let content = content.as_bytes().to_vec();
        wit_bindgen::spawn(async move {
            writer.write_all(content).await;
            // The head leaves before the end.
            monotonic_clock::wait_for(50_000_000).await;
            drop(writer);
            let _ = ended.write(Ok(own)).await;
        });
        reader
    });
    let (response, _sent) = Response::new(headers, content, trailers);
    response.set_status_code(status).map_err(internal)?;
    Ok(response)
}

fn internal(error: impl std::fmt::Debug) -> ErrorCode {
    ErrorCode::InternalError(Some(format!("{error:?}")))
}
