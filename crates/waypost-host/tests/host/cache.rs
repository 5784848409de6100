//! The response cache.

mod ages;
mod clients;
mod door;
mod flights;
mod keys;
mod operators;
mod revalidation;
mod storing;

use super::support::{PATIENCE, Reply, Running, TestApp};
use bytes::Bytes;
use http::{Method, Request};
use http_body_util::Full;
use std::time::{Duration, Instant};

const PATTERN: &str = "/cached/[...rest]";

/// Serves the guest with a policy, under an id of its own for the log.
async fn serve(id: &str, policy: &str, settings: &str) -> Running {
    TestApp::new()
        .component_of(id, "cached", "\"/...\"", "")
        .pattern(id, PATTERN)
        .settings(&format!(
            "{settings}\n[routes.\"{PATTERN}\".cache]\n{policy}\n"
        ))
        .start()
        .await
}

fn request(method: Method, path: &str, headers: &[(&str, &str)]) -> Request<Full<Bytes>> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request
        .body(Full::default())
        .expect("the request is well formed")
}

async fn get(app: &Running, path: &str, headers: &[(&str, &str)]) -> Reply {
    let request = request(Method::GET, path, headers);
    app.client().await.ask(request).await
}

/// Returns what the cache did, and the text of the response.
async fn ask(app: &Running, path: &str) -> (String, String) {
    let reply = get(app, path, &[]).await;
    (outcome(&reply), reply.text)
}

fn outcome(reply: &Reply) -> String {
    let outcome = reply.headers.get("x-waypost-cache");
    let outcome = outcome.and_then(|value| value.to_str().ok());
    outcome.unwrap_or("none").to_owned()
}

/// Revalidates, as a handler does by a header of its response.
async fn revalidate(app: &Running, what: &str) {
    let reply = app.client().await.post("/cached/x", what.to_owned()).await;
    assert_eq!(reply.status, 200);
    assert!(reply.headers.get("x-waypost-revalidate").is_none());
}

/// Waits until a response differs from an old one.
async fn until_new(app: &Running, path: &str, old: &str) {
    let began = Instant::now();
    while ask(app, path).await.1 == old {
        assert!(began.elapsed() < PATIENCE, "{path} stays old");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
