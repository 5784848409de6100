//! Computes without a pause: for ever, or for as many milliseconds as the query says.

use std::time::{Duration, Instant};
use wasip3::http::types::{ErrorCode, Request, Response};
use wasip3::http_compat::http_into_wasi_response;

struct Busy;
wasip3::http::service::export!(Busy);

impl wasip3::exports::http::handler::Guest for Busy {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let target = request.get_path_with_query().unwrap_or_default();
        let wanted = target
            .split_once('?')
            .and_then(|(_, query)| query.parse().ok());
        let wanted = wanted.map_or(Duration::MAX, Duration::from_millis);
        let start = Instant::now();
        let mut number = 1_u64;
        while start.elapsed() < wanted {
            for _ in 0..10_000 {
                number = std::hint::black_box(number.wrapping_mul(6_364_136_223_846_793_005));
            }
        }
        http_into_wasi_response(http::Response::new(format!("computed {}", number != 0)))
    }
}
