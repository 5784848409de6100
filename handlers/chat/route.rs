//! `/chat`: server-sent events, like the tokens of a language model.

use std::time::Duration;

use futures::{Stream, StreamExt, stream};
use waypost::sse::Event;
use waypost::{Query, Response, time::sleep};

#[derive(serde::Deserialize)]
struct Chat {
    prompt: Option<String>,
}

async fn get(Query(chat): Query<Chat>) -> Response {
    let prompt = chat.prompt.unwrap_or_else(|| "nothing".to_owned());
    let tokens = complete(format!("You asked about {prompt} and I have no idea ."));
    let events = tokens.map(|token| Event::new(token).named("token"));
    Response::events(events.chain(stream::iter([Event::new("[DONE]")])))
}

/// Simulates a model that sends a word every tenth of a second.
fn complete(answer: String) -> impl Stream<Item = String> {
    let words: Vec<_> = answer.split(' ').map(str::to_owned).collect();
    stream::iter(words).then(async |word| {
        sleep(Duration::from_millis(100)).await;
        word
    })
}

waypost::export!(get);
