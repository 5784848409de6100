//! `/c/static-stream`: a cached stream of two chunks.

use std::time::Duration;

use futures::{StreamExt, stream};
use waypost::{Body, Response, time::sleep};

async fn get() -> Response {
    let first = stream::iter([format!("a{}", ids::id())]);
    let second = stream::once(async {
        sleep(Duration::from_millis(20)).await;
        "b".to_owned()
    });
    Response::new(Body::from_stream(first.chain(second)))
}

waypost::export!(get; cache());
