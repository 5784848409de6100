//! `/events`: an event at once, and another every ten seconds.

use std::time::Duration;

use futures::stream;
use waypost::sse::Event;
use waypost::{Response, time::sleep};

async fn get() -> Response {
    Response::events(stream::unfold(0, async |count: u32| {
        if count > 0 {
            sleep(Duration::from_secs(10)).await;
        }
        Some((Event::new(count.to_string()), count + 1))
    }))
}

waypost::export!(get);
