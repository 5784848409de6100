//! Requests to the network.

use super::support::{TestApp, logged};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Answers one request with fixed text.
async fn neighbour() -> (std::net::SocketAddr, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port is free");
    let address = listener.local_addr().expect("the listener is bound");
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("someone connects");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.expect("a request comes"));
        }
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\nconnection: close\r\n\r\nnearby";
        stream.write_all(answer).await.expect("the answer is taken");
    });
    (address, serving)
}

#[tokio::test]
async fn a_granted_address_is_reached() {
    let (address, serving) = neighbour().await;
    let grant = format!("allowed_outbound_hosts = [\"http://{address}\"]");
    let app = TestApp::new()
        .component("outbound", "\"/...\"", &grant)
        .start()
        .await;
    let reply = app.get(&format!("/?http://{address}/x")).await;
    assert_eq!(reply.text, "200 nearby");
    serving.await.expect("the neighbour answered");
    app.stopped().await;
}

#[tokio::test]
async fn another_address_is_denied_with_the_line_to_add() {
    let app = TestApp::new()
        .component_of(
            "caged",
            "outbound",
            "\"/...\"",
            "allowed_outbound_hosts = [\"http://127.0.0.1:1\"]",
        )
        .start()
        .await;
    for url in [
        "http://127.0.0.1:2/",
        "https://127.0.0.1:1/",
        "http://example.com/",
    ] {
        let reply = app.get(&format!("/?{url}")).await;
        assert!(
            reply.text.contains("HttpRequestDenied"),
            "{url}: {}",
            reply.text
        );
    }
    assert!(logged(&["\"http://127.0.0.1:2\"", "[component.caged]"]));
    app.stopped().await;
}

#[tokio::test]
async fn a_url_with_credentials_is_refused() {
    let (address, serving) = neighbour().await;
    let grant = format!("allowed_outbound_hosts = [\"http://{address}\"]");
    let app = TestApp::new()
        .component("outbound", "\"/...\"", &grant)
        .start()
        .await;
    let reply = app.get(&format!("/?http://u:p@{address}/")).await;
    assert!(reply.text.contains("UriInvalid"), "{}", reply.text);
    assert!(!serving.is_finished(), "nobody connects");
    serving.abort();
    app.stopped().await;
}

#[tokio::test]
async fn connections_of_one_instance_are_bounded() {
    let listener = TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a port is free");
    let address = listener.local_addr().expect("the listener is bound");
    // Takes all that come, and answers none of them before the last is there.
    let serving = tokio::spawn(async move {
        let mut streams = Vec::new();
        while streams.len() < 32 {
            streams.push(listener.accept().await.expect("someone connects").0);
        }
        for mut stream in streams {
            let answer = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
            stream.write_all(answer).await.expect("it is taken");
            let _ = stream.read(&mut [0; 1_024]).await;
        }
    });
    let grant = format!("allowed_outbound_hosts = [\"http://{address}\"]");
    let app = TestApp::new()
        .component("outbound", "\"/...\"", &grant)
        .start()
        .await;
    let reply = app.get(&format!("/?40*http://{address}/")).await;
    let answered = |what| reply.text.matches(what).count();
    let counts = (answered("204"), answered("ConnectionLimitReached"));
    assert_eq!(counts, (32, 8), "{}", reply.text);
    assert!(logged(&["component=outbound", "32 connections"]));
    serving.await.expect("all were answered");
    app.stopped().await;
}
