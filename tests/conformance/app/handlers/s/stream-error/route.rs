//! `/s/stream-error`: a stream that fails after its first chunk.

use std::time::Duration;

use futures::{StreamExt, stream};
use waypost::{Body, Response, time::sleep};

async fn get() -> Response {
    let broken = stream::once(async {
        sleep(Duration::from_millis(50)).await;
        Err("the stream broke")
    });
    Response::new(Body::from_stream(
        stream::iter([Ok("first\n")]).chain(broken),
    ))
}

waypost::export!(get);
