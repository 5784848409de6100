//! Requests that are not as they should be, and those that only look so.

use super::support::{PATIENCE, TestApp};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends bytes as they are and reads until the host closes.
async fn raw(address: std::net::SocketAddr, sent: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("the host listens");
    // The host may answer and close before it has read everything.
    let _ = stream.write_all(sent.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn requests_are_checked_at_the_door() {
    let app = TestApp::new()
        .component("hello", "\"/...\"", "")
        .start()
        .await;
    let long = format!(
        "GET /{} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n",
        "a".repeat(20 << 10)
    );
    let many = format!(
        "GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n{}\r\n",
        "x: y\r\n".repeat(200)
    );
    let large = format!(
        "GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\nx: {}\r\n\r\n",
        "y".repeat(100 << 10)
    );
    let both = format!(
        "GET /{} HTTP/1.1\r\nhost: h\r\nconnection: close\r\nx: {}\r\n\r\n",
        "a".repeat(15 << 10),
        "y".repeat(55 << 10)
    );
    for (sent, status) in [
        (
            "GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n",
            "200",
        ),
        (
            "GET http://other/x HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n",
            "200",
        ),
        ("GET / HTTP/1.1\r\nconnection: close\r\n\r\n", "400"),
        (
            "GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\nconnection: close\r\n\r\n",
            "400",
        ),
        (
            "GET / HTTP/1.1\r\nhost: a b\r\nconnection: close\r\n\r\n",
            "400",
        ),
        (
            "GET / HTTP/1.1\r\nhost: u@h\r\nconnection: close\r\n\r\n",
            "400",
        ),
        ("GET / HTTP/1.0\r\n\r\n", "400"),
        ("nonsense\r\n\r\n", "400"),
        (
            "GET / HTTP/1.1\r\nhost: h\r\ncontent-length: x\r\nconnection: close\r\n\r\n",
            "400",
        ),
        (
            "OPTIONS * HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n",
            "204",
        ),
        (&long, "414"),
        (&many, "431"),
        (&large, "431"),
        (&both, "431"),
    ] {
        let answer = raw(app.address, sent).await;
        let line = answer.lines().next().unwrap_or_default();
        assert!(
            line.starts_with(&format!("HTTP/1.1 {status}"))
                || line.starts_with(&format!("HTTP/1.0 {status}")),
            "{sent:.60?}: {answer:.200}"
        );
    }
    app.stopped().await;
}

#[tokio::test]
async fn there_is_nothing_to_tunnel_to() {
    let app = TestApp::new()
        .component("hello", "\"/...\"", "")
        .start()
        .await;
    let answer = raw(app.address, "CONNECT h:80 HTTP/1.1\r\nhost: h:80\r\n\r\n").await;
    assert_eq!(answer, "");
    app.stopped().await;
}

#[tokio::test]
async fn an_absolute_target_names_the_authority() {
    let app = TestApp::new()
        .component("hello", "\"/...\"", "")
        .start()
        .await;
    let answer = raw(
        app.address,
        "GET http://other:81/x?y HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n",
    )
    .await;
    assert!(
        answer.contains("authority other:81") && answer.contains("target /x?y"),
        "{answer}"
    );
    app.stopped().await;
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let app = TestApp::new()
        .component("hello", "\"/...\"", "")
        .start()
        .await;
    let sent =
        "GET /1 HTTP/1.1\r\nhost: h\r\n\r\nGET /2 HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n";
    let answer = raw(app.address, sent).await;
    let first = answer.find("target /1").expect("the first is answered");
    let second = answer.find("target /2").expect("the second is answered");
    assert!(first < second);
    app.stopped().await;
}

#[tokio::test]
async fn a_stream_is_not_held_back_by_the_next_request() {
    let app = TestApp::new()
        .component("stream", "\"/...\"", "")
        .start()
        .await;
    let mut stream = TcpStream::connect(app.address)
        .await
        .expect("the host listens");
    let sent = "GET /ticks HTTP/1.1\r\nhost: h\r\n\r\nGET /ticks HTTP/1.1\r\nhost: h\r\n\r\n";
    stream
        .write_all(sent.as_bytes())
        .await
        .expect("the host reads");
    let mut answer = Vec::new();
    let ticking = async {
        while !String::from_utf8_lossy(&answer).contains("tick") {
            stream.read_buf(&mut answer).await.expect("the host sends");
        }
    };
    tokio::time::timeout(PATIENCE, ticking)
        .await
        .expect("it ticks");
    drop(stream);
    app.stopped().await;
}

#[tokio::test]
async fn the_origin_of_the_settings_stands_for_any_host() {
    let app = TestApp::new()
        .component("hello", "\"/...\"", "")
        .settings("[server]\norigin = \"https://example.com\"\n")
        .start()
        .await;
    let reply = app.get("/x").await;
    assert!(
        reply.text.contains("authority example.com"),
        "{}",
        reply.text
    );
    app.stopped().await;
}
