//! Hands `/<component>/...` on to that component, body and all; `/self/...` to its own app's front door.

use wasip3::http::client;
use wasip3::http::types::{ErrorCode, Fields, Request, RequestOptions, Response, Scheme};
use wasip3::wit_future;

struct Router;
wasip3::http::service::export!(Router);

impl wasip3::exports::http::handler::Guest for Router {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let target = request.get_path_with_query().unwrap_or_default();
        let mut parts = target.trim_start_matches('/').splitn(2, '/');
        let id = parts.next().unwrap_or_default().to_owned();
        let rest = format!("/{}", parts.next().unwrap_or_default());
        let authority = match id.as_str() {
            "self" => "self.alt".to_owned(),
            id => format!("{id}.spin.internal"),
        };
        let method = request.get_method();
        let headers = Fields::from_list(&request.get_headers().copy_all()).map_err(internal)?;
        headers
            .set(
                "x-forwarded-host",
                &[request.get_authority().unwrap_or_default().into_bytes()],
            )
            .map_err(internal)?;
        let (_, processed) = wit_future::new(|| Ok(()));
        let (body, trailers) = Request::consume_body(request, processed);
        let (inside, _sent) = Request::new(headers, Some(body), trailers, None::<RequestOptions>);
        let set = inside.set_method(&method).is_ok()
            && inside.set_scheme(Some(&Scheme::Http)).is_ok()
            && inside.set_authority(Some(&authority)).is_ok()
            && inside.set_path_with_query(Some(&rest)).is_ok();
        if !set {
            return Err(ErrorCode::HttpRequestUriInvalid);
        }
        client::send(inside).await
    }
}

fn internal(error: impl std::fmt::Debug) -> ErrorCode {
    ErrorCode::InternalError(Some(format!("{error:?}")))
}
