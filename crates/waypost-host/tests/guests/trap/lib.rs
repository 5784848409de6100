//! Fails as its path says, and counts the requests that this instance had.

use std::sync::atomic::{AtomicU32, Ordering};
use wasip3::clocks::monotonic_clock;
use wasip3::http::types::{ErrorCode, Request, Response};
use wasip3::http_compat::http_into_wasi_response;

static SERVED: AtomicU32 = AtomicU32::new(0);

struct Trap;
wasip3::http::service::export!(Trap);

impl wasip3::exports::http::handler::Guest for Trap {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let served = SERVED.fetch_add(1, Ordering::Relaxed) + 1;
        match request.get_path_with_query().unwrap_or_default().as_str() {
            "/trap" => panic!("asked to trap"),
            "/error" => Err(ErrorCode::InternalError(Some("asked to fail".to_owned()))),
            "/wait" => {
                monotonic_clock::wait_for(300_000_000).await;
                http_into_wasi_response(http::Response::new("waited".to_owned()))
            }
            _ => http_into_wasi_response(http::Response::new(format!("served {served}"))),
        }
    }
}
