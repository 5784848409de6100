//! Fetches the URL in its query and tells what came of it: `?URL`, or `?N*URL` for as many at once.

use std::future::poll_fn;
use std::task::Poll;
use wasip3::http::client;
use wasip3::http::types::{ErrorCode, Fields, Request, RequestOptions, Response, Scheme};
use wasip3::http_compat::http_into_wasi_response;
use wasip3::wit_future;

struct Outbound;
wasip3::http::service::export!(Outbound);

impl wasip3::exports::http::handler::Guest for Outbound {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let target = request.get_path_with_query().unwrap_or_default();
        let url = target
            .split_once('?')
            .map(|(_, url)| url)
            .unwrap_or_default();
        let (count, url) = url.split_once('*').unwrap_or(("1", url));
        let count = count.parse().unwrap_or(1);
        let text = all((0..count).map(|_| fetch(url))).await.join("\n");
        http_into_wasi_response(http::Response::new(text))
    }
}

/// Waits for all of these at once.
async fn all(
    fetches: impl Iterator<Item = impl Future<Output = Result<String, ErrorCode>>>,
) -> Vec<String> {
    let mut waiting: Vec<_> = fetches.map(Box::pin).collect();
    let mut texts = Vec::new();
    poll_fn(|cx| {
        waiting.retain_mut(|fetch| match fetch.as_mut().poll(cx) {
            Poll::Ready(result) => {
                texts.push(result.unwrap_or_else(|error| format!("{error:?}")));
                false
            }
            Poll::Pending => true,
        });
        if waiting.is_empty() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    texts
}

async fn fetch(url: &str) -> Result<String, ErrorCode> {
    let url: http::Uri = url.parse().map_err(|_| ErrorCode::HttpRequestUriInvalid)?;
    let (_, trailers) = wit_future::new(|| Ok(None));
    let (request, _sent) = Request::new(Fields::new(), None, trailers, None::<RequestOptions>);
    let scheme = match url.scheme_str() {
        Some("https") => Scheme::Https,
        _ => Scheme::Http,
    };
    let _ = request.set_scheme(Some(&scheme));
    let _ = request.set_authority(url.authority().map(http::uri::Authority::as_str));
    let _ = request.set_path_with_query(url.path_and_query().map(http::uri::PathAndQuery::as_str));
    let response = client::send(request).await?;
    let status = response.get_status_code();
    let (_, processed) = wit_future::new(|| Ok(()));
    let (body, _trailers) = Response::consume_body(response, processed);
    let body = String::from_utf8_lossy(&body.collect().await).into_owned();
    Ok(format!("{status} {body}"))
}
