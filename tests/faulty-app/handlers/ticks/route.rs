//! `/ticks`: a stream of ten lines, or with `?endless` one of large pieces without an end.

use futures::{Stream, StreamExt, stream};
use waypost::{Body, Request, Response};

const PIECE: &str = "tick\n";

async fn get(req: Request) -> Response {
    match req.search_params().has("endless") {
        true => streamed(stream::repeat(PIECE.repeat(4096))),
        false => streamed(stream::iter(1..=10).map(|number| format!("tick {number}\n"))),
    }
}

fn streamed(pieces: impl Stream<Item = String> + 'static) -> Response {
    Response::new(Body::from_stream(pieces.map(Ok::<_, std::io::Error>)))
}

waypost::export!(get);
