//! `/quiet`: an event at once, and no other for an hour.

use std::time::Duration;

use futures::{StreamExt as _, stream};
use waypost::sse::Event;
use waypost::{Response, time::sleep};

async fn get() -> Response {
    let later = stream::once(async {
        sleep(Duration::from_secs(3600)).await;
        Event::new("late")
    });
    Response::events(stream::iter([Event::new("first")]).chain(later))
}

waypost::export!(get);
