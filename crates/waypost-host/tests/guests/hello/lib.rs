//! Says what it was asked: method, scheme, authority, target and headers, a line each.

use wasip3::http::types::{ErrorCode, Request, Response};
use wasip3::http_compat::http_into_wasi_response;

struct Hello;
wasip3::http::service::export!(Hello);

impl wasip3::exports::http::handler::Guest for Hello {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let mut lines = vec![
            format!("method {:?}", request.get_method()),
            format!("scheme {:?}", request.get_scheme()),
            format!("authority {}", request.get_authority().unwrap_or_default()),
            format!(
                "target {}",
                request.get_path_with_query().unwrap_or_default()
            ),
        ];
        for (name, value) in request.get_headers().copy_all() {
            lines.push(format!("{name}: {}", String::from_utf8_lossy(&value)));
        }
        let response = http::Response::builder()
            .header("x-guest", "hello")
            .body(lines.join("\n"))
            .expect("the response is well formed");
        http_into_wasi_response(response)
    }
}
