//! `/broken-stream`: fails before the first byte, or with `?late` after it.

use futures::stream;
use waypost::{Body, Request, Response};

async fn get(req: Request) -> Response {
    let late = req.search_params().has("late").then_some(Ok("first"));
    let pieces = late.into_iter().chain([Err("the stream broke")]);
    Response::new(Body::from_stream(stream::iter(pieces.collect::<Vec<_>>())))
}

waypost::export!(get);
