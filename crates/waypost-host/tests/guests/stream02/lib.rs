//! Streams, as a WASI 0.2 component: `/echo` sends the request's body back, `/ticks` a line every 100 ms,
//! ten of them.

use wstd::http::body::Bytes;
use wstd::http::{Body, Error, Request, Response};
use wstd::time::Duration;

#[wstd::http_server]
async fn main(request: Request<Body>) -> Result<Response<Body>, Error> {
    if request.uri().path() == "/echo" {
        return Ok(Response::new(request.into_body()));
    }
    let ticks = futures_lite::stream::unfold(0, |tick| async move {
        if tick == 10 {
            return None;
        }
        wstd::task::sleep(Duration::from_millis(100)).await;
        Some((Bytes::from(format!("tick {tick}\n")), tick + 1))
    });
    Ok(Response::new(Body::from_stream(ticks)))
}
