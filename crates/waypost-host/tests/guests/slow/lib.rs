//! Waits as many milliseconds as the query says before it answers.

use wasip3::clocks::monotonic_clock;
use wasip3::http::types::{ErrorCode, Request, Response};
use wasip3::http_compat::http_into_wasi_response;

struct Slow;
wasip3::http::service::export!(Slow);

impl wasip3::exports::http::handler::Guest for Slow {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let target = request.get_path_with_query().unwrap_or_default();
        let wait: u64 = target
            .split_once('?')
            .and_then(|(_, query)| query.parse().ok())
            .unwrap_or(0);
        println!("slow began {wait}");
        monotonic_clock::wait_for(wait * 1_000_000).await;
        println!("slow ended {wait}");
        http_into_wasi_response(http::Response::new("awake".to_owned()))
    }
}
