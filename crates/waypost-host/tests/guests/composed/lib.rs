//! The router of a composition, with one handler, which tells the headers that reach it.

use wasip3::http::types::{ErrorCode, Request, Response};
use wasip3::http_compat::http_into_wasi_response;
use waypost_router::wasi03::composed;

struct Composed;
wasip3::http::service::export!(Composed);

impl wasip3::exports::http::handler::Guest for Composed {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        composed::handle("only GET /[[...path]]", request, async |_, request| {
            let names = request.get_headers().copy_all();
            let names: Vec<String> = names.into_iter().map(|(name, _)| name).collect();
            Some(http_into_wasi_response(http::Response::new(
                names.join(" "),
            )))
        })
        .await
    }
}
