//! `/stream`: a page sent chunk by chunk.

use std::time::Duration;

use futures::stream;
use waypost::{Body, Response, time::sleep};

async fn get() -> Response {
    let pieces = stream::unfold(
        ["<p>One</p>", "<p>Two</p>", "<p>Three</p>"].iter(),
        async |mut rest| {
            let piece = rest.next()?;
            sleep(Duration::from_millis(200)).await;
            Some((*piece, rest))
        },
    );
    Response::new(Body::from_stream(pieces)).with_header("content-type", "text/html; charset=utf-8")
}

waypost::export!(get);
