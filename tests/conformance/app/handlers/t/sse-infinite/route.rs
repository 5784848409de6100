//! `/t/sse-infinite`: endless events, until the client goes away.

use std::time::Duration;

use futures::{StreamExt, stream};
use journal::note;
use waypost::sse::Event;
use waypost::{Body, Context, Response, time::sleep};

async fn get(ctx: Context) -> Response {
    let signal = ctx.signal().clone();
    ctx.after(async move {
        note(format!("signal-abort:{}", signal.is_aborted())).await?;
        note("stream-cancel").await
    });
    let events = stream::iter(1_u64..).then(async |n| {
        sleep(Duration::from_millis(30)).await;
        Event::new(n.to_string()).to_string()
    });
    Response::new(Body::from_stream(events)).with_header("content-type", "text/event-stream")
}

waypost::export!(get);
