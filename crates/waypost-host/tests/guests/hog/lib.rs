//! Takes as many mebibytes of memory as the query says.

use wasip3::http::types::{ErrorCode, Request, Response};
use wasip3::http_compat::http_into_wasi_response;

struct Hog;
wasip3::http::service::export!(Hog);

impl wasip3::exports::http::handler::Guest for Hog {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let target = request.get_path_with_query().unwrap_or_default();
        let wanted = target
            .split_once('?')
            .and_then(|(_, query)| query.parse().ok())
            .unwrap_or(0);
        let hoard: Vec<Vec<u8>> = (0..wanted)
            .map(|_| std::hint::black_box(vec![1; 1 << 20]))
            .collect();
        http_into_wasi_response(http::Response::new(format!("took {}", hoard.len())))
    }
}
