//! Reads the request's body to its end before it answers; a body that fails is its own 400.

use wasip3::http::types::{ErrorCode, Request, Response};
use wasip3::http_compat::http_into_wasi_response;
use wasip3::wit_future;

struct Reads;
wasip3::http::service::export!(Reads);

impl wasip3::exports::http::handler::Guest for Reads {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let (_, processed) = wit_future::new(|| Ok(()));
        let (body, trailers) = Request::consume_body(request, processed);
        let bytes = body.collect().await;
        let status = match trailers.await {
            Ok(_) => 200,
            Err(_) => 400,
        };
        let response = http::Response::builder()
            .status(status)
            .body(format!("read {}", bytes.len()));
        http_into_wasi_response(response.expect("the response is well formed"))
    }
}
