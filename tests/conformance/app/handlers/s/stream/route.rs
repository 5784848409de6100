//! `/s/stream`: three chunks, with a pause before each.

use std::time::Duration;

use futures::{StreamExt, stream};
use waypost::{Body, Response, time::sleep};

async fn get() -> Response {
    let pieces = stream::iter(1..=3).then(async |n| {
        sleep(Duration::from_millis(30)).await;
        format!("chunk{n}\n")
    });
    Response::new(Body::from_stream(pieces))
}

waypost::export!(get);
