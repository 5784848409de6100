//! Requests to the network.

use super::admin::{METRICS, value, watch};
use super::support::{Client, TestApp, logged};
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

/// Takes this many connections, and answers none of them before the last is there.
async fn patient(count: usize) -> (std::net::SocketAddr, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a port is free");
    let address = listener.local_addr().expect("the listener is bound");
    let serving = tokio::spawn(async move {
        let mut streams = Vec::new();
        while streams.len() < count {
            streams.push(listener.accept().await.expect("someone connects").0);
        }
        // Longer than a request waits for a connection that another one lets go of.
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        for mut stream in streams {
            // A server does not answer before it is asked: that would be the end of the connection.
            let size = stream.read(&mut [0; 1_024]).await;
            assert!(size.is_ok_and(|size| size > 0), "a request comes");
            let answer = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
            stream.write_all(answer).await.expect("it is taken");
        }
    });
    (address, serving)
}

#[tokio::test]
async fn connections_to_other_hosts_are_bounded() {
    for (settings, granted, bound) in [
        ("", 32, "outbound_connections"),
        ("outbound_connections = 3", 3, "outbound_connections"),
        (
            "outbound_connections = 40\ntotal_outbound_connections = 2",
            2,
            "total_outbound_connections",
        ),
    ] {
        let (address, serving) = patient(granted).await;
        let grant = format!("allowed_outbound_hosts = [\"http://{address}\"]");
        let app = TestApp::new()
            .component("outbound", "\"/...\"", &grant)
            .settings(&format!("[limits]\n{settings}\n"))
            .start()
            .await;
        let (admin, watching) = watch(&app).await;
        let reply = app.get(&format!("/?40*http://{address}/")).await;
        let answered = |what| reply.text.matches(what).count();
        let counts = (answered("204"), answered("ConnectionLimitReached"));
        assert_eq!(counts, (granted, 40 - granted), "{}", reply.text);
        let key = format!("bound=\"{bound}\"");
        let number = format!("{granted} connections");
        assert!(logged(&["component=outbound", &key, &number]));
        let text = Client::connect(admin).await.get(METRICS).await.text;
        let name = format!("waypost_over_bound_total{{bound=\"{bound}\"}}");
        assert!(value(&text, &name) >= 1.0, "{bound}");
        serving.await.expect("all were answered");
        watching.abort();
        app.stopped().await;
    }
}

#[tokio::test]
async fn a_route_may_have_more_connections_than_others() {
    let (address, serving) = patient(5).await;
    let grant = format!("allowed_outbound_hosts = [\"http://{address}\"]");
    let app = TestApp::new()
        .component("outbound", "\"/...\"", &grant)
        .pattern("outbound", "/asks")
        .settings("[limits]\noutbound_connections = 1\n[routes.\"/asks\".limits]\noutbound_connections = 5\n")
        .start()
        .await;
    let reply = app.get(&format!("/?5*http://{address}/")).await;
    assert_eq!(reply.text.matches("204").count(), 5, "{}", reply.text);
    serving.await.expect("all were answered");
    app.stopped().await;
}

#[tokio::test]
async fn private_addresses_are_only_reached_where_they_may_be() {
    for (grant, setting, host, is_reached) in [
        ("http://*:*", "", "127.0.0.1", false),
        ("http://*:*", "", "localhost", false),
        // The same address, in another notation.
        ("http://*:*", "", "2130706433", false),
        ("http://*:*", "deny_private = false", "localhost", true),
        ("http://localhost:*", "", "localhost", true),
        (
            "http://localhost:*",
            "deny_private = true",
            "localhost",
            false,
        ),
        (
            "http://localhost:*",
            "deny_private = \"wildcards\"",
            "localhost",
            true,
        ),
        (
            "http://127.0.0.1:*",
            "deny_private = true",
            "127.0.0.1",
            true,
        ),
        (
            "http://127.0.0.0/8:*",
            "deny_private = true",
            "127.0.0.1",
            true,
        ),
    ] {
        let (address, serving) = neighbour().await;
        let lines = format!("allowed_outbound_hosts = [\"{grant}\"]");
        let app = TestApp::new()
            .component_of("nosy", "outbound", "\"/...\"", &lines)
            .pattern("nosy", "/nosy")
            .settings(&format!("[routes.\"/nosy\".limits]\n{setting}\n"))
            .start()
            .await;
        let (admin, watching) = watch(&app).await;
        let reply = app
            .get(&format!("/?http://{host}:{}/x", address.port()))
            .await;
        let text = match is_reached {
            true => "200 nearby",
            false => "DestinationIpProhibited",
        };
        assert!(
            reply.text.contains(text),
            "{grant} {setting} {host}: {}",
            reply.text
        );
        let text = Client::connect(admin).await.get(METRICS).await.text;
        let denied = value(&text, "waypost_over_bound_total{bound=\"deny_private\"}");
        assert_eq!(denied == 0.0, is_reached, "{grant} {setting} {host}");
        match is_reached {
            true => serving.await.expect("the neighbour answered"),
            false => serving.abort(),
        }
        watching.abort();
        app.stopped().await;
    }
    assert!(logged(&[
        "component=nosy",
        "bound=\"deny_private\"",
        "`localhost` has a private address"
    ]));
}
