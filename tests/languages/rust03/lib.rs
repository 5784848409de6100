//! Answers any method with what it was asked and the body that was sent, as a WASI 0.3 component.

use wasip3::http::types::{ErrorCode, Fields, Method, Request, Response};
use wasip3::wit_future;

struct Echo;
wasip3::http::service::export!(Echo);

impl wasip3::exports::http::handler::Guest for Echo {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let host = request.get_headers().get("x-forwarded-host");
        let target = request.get_path_with_query().unwrap_or_default();
        let mut headers = vec![
            ("x-language".to_owned(), b"Rust 0.3".to_vec()),
            ("x-method".to_owned(), name(request.get_method()).into_bytes()),
            ("x-target".to_owned(), target.into_bytes()),
        ];
        headers.extend(host.into_iter().map(|host| ("x-host".to_owned(), host)));
        let headers = Fields::from_list(&headers).expect("the headers are well formed");
        let (_, processed) = wit_future::new(|| Ok(()));
        let (body, trailers) = Request::consume_body(request, processed);
        let (response, _sent) = Response::new(headers, Some(body), trailers);
        response.set_status_code(201).expect("201 is a status");
        Ok(response)
    }
}

fn name(method: Method) -> String {
    match method {
        Method::Other(name) => name,
        known => format!("{known:?}").trim_start_matches("Method::").to_ascii_uppercase(),
    }
}
