//! What the host tells those who watch an app.

use super::support::{Client, Running, TestApp, eventually, logged};
use http::Request;
use http_body_util::Full;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

pub const HEALTH: &str = "/.well-known/waypost/health";
pub const METRICS: &str = "/.well-known/waypost/metrics";

/// Serves the admin listener of an app, until the task is aborted.
pub async fn watch(app: &Running) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a port is free");
    let address = listener.local_addr().expect("the listener is bound");
    let host = Arc::clone(&app.host);
    let serving = tokio::spawn(async move {
        let served = host.serve_admin(listener).await;
        served.expect("the listener works");
    });
    (address, serving)
}

/// The value of a line of the metrics.
pub fn value(text: &str, name: &str) -> f64 {
    let mut lines = text.lines();
    let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let value = value.unwrap_or_else(|| panic!("no `{name}` in:\n{text}"));
    value.parse().expect("it is a number")
}

#[tokio::test]
async fn health_is_told_without_a_handler_until_the_host_stops() {
    let mut app = TestApp::new()
        .component("slow", "\"/...\"", "")
        .start()
        .await;
    let (address, serving) = watch(&app).await;
    let mut watcher = Client::connect(address).await;
    let healthy = watcher.get(HEALTH).await;
    assert_eq!(
        (healthy.status.as_u16(), healthy.text.as_str()),
        (200, "{\"status\":\"serving\"}\n")
    );
    assert_eq!(app.host.instances(), 0);

    let mut client = app.client().await;
    let slow = tokio::spawn(async move { client.get("/?900").await });
    eventually("the slow request", || logged(&["slow began 900"])).await;
    app.stop();
    let stopping = async {
        while watcher.get(HEALTH).await.status == 200 {}
        watcher.get(HEALTH).await
    };
    let reply = stopping.await;
    assert_eq!(
        (reply.status.as_u16(), reply.text.as_str()),
        (503, "{\"status\":\"stopping\"}\n")
    );
    assert_eq!(slow.await.expect("it ends").status, 200);
    serving.abort();
    app.stopped().await;
}

#[tokio::test]
async fn the_public_reaches_neither() {
    let app = TestApp::new()
        .component("hello", "\"/hello\"", "")
        .start()
        .await;
    for path in [HEALTH, METRICS] {
        assert_eq!(app.get(path).await.status, 404, "{path}");
    }
    app.stopped().await;
    let app = TestApp::new()
        .component("hello", "\"/hello\"", "")
        .settings("[server]\npublic_health = true\n")
        .start()
        .await;
    assert_eq!(app.get(HEALTH).await.status, 200);
    assert_eq!(app.get(METRICS).await.status, 404);
    app.stopped().await;
}

#[tokio::test]
async fn what_happened_is_counted() {
    let app = TestApp::new()
        .router()
        .private("hello", "")
        .component("trap", "\"/trap\"", "")
        .component("stream", "\"/echo\"", "")
        .component("reads", "\"/reads\"", "")
        .settings("[limits]\nrequest_body = \"1KiB\"\n")
        .start()
        .await;
    let (address, serving) = watch(&app).await;
    let mut client = app.client().await;
    assert_eq!(client.get("/hello/").await.status, 200);
    assert_eq!(client.get("/trap").await.status, 500);
    assert_eq!(
        client.post("/echo", vec![b'a'; 1000]).await.text.len(),
        1000
    );
    let large = client.post("/reads", vec![b'a'; 2000]).await;
    assert_eq!(large.status, 413);

    let reply = Client::connect(address).await.get(METRICS).await;
    assert_eq!(
        reply.headers["content-type"],
        "text/plain; version=0.0.4; charset=utf-8"
    );
    for (name, expected) in [
        ("waypost_responses_total{class=\"2xx\"}", 2.0),
        ("waypost_responses_total{class=\"4xx\"}", 1.0),
        ("waypost_responses_total{class=\"5xx\"}", 1.0),
        (
            "waypost_route_responses_total{route=\"hello\",class=\"2xx\"}",
            1.0,
        ),
        (
            "waypost_route_responses_total{route=\"trap\",class=\"5xx\"}",
            1.0,
        ),
        ("waypost_over_bound_total{bound=\"request_body\"}", 1.0),
        ("waypost_over_bound_total{bound=\"memory\"}", 0.0),
        ("waypost_requests_in_flight", 0.0),
        ("waypost_request_bytes_total", 1000.0),
    ] {
        assert_eq!(value(&reply.text, name), expected, "{name}");
    }
    assert!(value(&reply.text, "waypost_response_bytes_total") >= 1000.0);
    assert!(value(&reply.text, "waypost_instances") >= 1.0);
    assert!(value(&reply.text, "waypost_tasks") >= 1.0);
    serving.abort();
    app.stopped().await;
}

#[tokio::test]
async fn a_watcher_only_reads() {
    let app = TestApp::new()
        .component("hello", "\"/...\"", "")
        .start()
        .await;
    let (address, serving) = watch(&app).await;
    let mut watcher = Client::connect(address).await;
    let posted = watcher.post(HEALTH, "x").await;
    assert_eq!(posted.status, 405);
    assert_eq!(posted.headers["allow"], "GET, HEAD");
    let mut watcher = Client::connect(address).await;
    assert_eq!(watcher.get("/").await.status, 404);
    let head = Request::head(HEALTH).body(Full::default());
    let head = watcher.ask(head.expect("it is well formed")).await;
    assert_eq!((head.status.as_u16(), head.text.as_str()), (200, ""));
    serving.abort();
    app.stopped().await;
}

#[tokio::test]
async fn silent_clients_do_not_end_health() {
    let app = TestApp::new()
        .component("hello", "\"/...\"", "")
        .start()
        .await;
    let (address, serving) = watch(&app).await;
    let mut silent = Vec::new();
    for _ in 0..80 {
        silent.push(TcpStream::connect(address).await.expect("it listens"));
    }
    // Some ask, and never read.
    for stream in &mut silent[60..] {
        let request = format!("GET {METRICS} HTTP/1.1\r\nhost: x\r\n\r\n").repeat(200);
        let _ = stream.try_write(request.as_bytes());
    }
    let healthy = tokio::time::timeout(Duration::from_secs(2), async {
        Client::connect(address).await.get(HEALTH).await
    });
    assert_eq!(healthy.await.expect("it answers at once").status, 200);
    drop(silent);
    serving.abort();
    app.stopped().await;
}
