//! `/t/sse`: three server-sent events.

use std::time::Duration;

use futures::{StreamExt, stream};
use waypost::sse::Event;
use waypost::{Response, time::sleep};

async fn get() -> Response {
    let events = stream::iter(1..=3).then(async |n| {
        sleep(Duration::from_millis(40)).await;
        Event::new(format!("{{\"n\":{n}}}"))
            .named("tick")
            .with_id(n.to_string())
    });
    Response::events(events).with_header("connection", "keep-alive")
}

waypost::export!(get);
