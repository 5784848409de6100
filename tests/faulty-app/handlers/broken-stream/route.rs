//! `/broken-stream`: fails before the first byte, with `?late` after it; with `?trap` it traps after it.

use futures::stream::{self, StreamExt};
use waypost::{Body, Request, Response};

async fn get(req: Request) -> Response {
    if req.search_params().has("trap") {
        let trap = stream::once(async { trap() });
        return Response::new(Body::from_stream(stream::iter(["first"]).chain(trap)));
    }
    let late = req.search_params().has("late").then_some(Ok("first"));
    let pieces = late.into_iter().chain([Err("the stream broke")]);
    Response::new(Body::from_stream(stream::iter(pieces.collect::<Vec<_>>())))
}

fn trap() -> &'static str {
    panic!("the stream traps")
}

waypost::export!(get);
