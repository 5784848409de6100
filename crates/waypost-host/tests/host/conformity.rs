//! What handlers and clients send that HTTP does not allow, and what is made of it.

use super::support::{Running, TestApp, logged};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn odd(id: &str) -> Running {
    TestApp::new()
        .component_of(id, "odd", "\"/...\"", "")
        .start()
        .await
}

/// Sends bytes, and reads until the host closes the connection.
async fn exchange(app: &Running, sent: &str) -> String {
    let mut stream = TcpStream::connect(app.address)
        .await
        .expect("the host listens");
    stream
        .write_all(sent.as_bytes())
        .await
        .expect("the host reads");
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

async fn get(app: &Running, path: &str) -> String {
    let sent = format!("GET {path} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n");
    exchange(app, &sent).await
}

#[tokio::test]
async fn an_informational_status_is_a_500() {
    let app = odd("hundred").await;
    for status in ["101", "100", "103"] {
        let answer = get(&app, &format!("/{status}")).await;
        assert!(answer.starts_with("HTTP/1.1 500 "), "{status}: {answer}");
        assert!(logged(&["component=hundred", &format!("status {status}")]));
    }
    app.stopped().await;
}

#[tokio::test]
async fn a_status_without_content_has_none() {
    let app = odd("odd").await;
    for (status, length) in [("204", None), ("205", Some("0")), ("304", None)] {
        let answer = get(&app, &format!("/{status}")).await;
        let (head, content) = answer.split_once("\r\n\r\n").expect("there is a head");
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert_eq!(content, "", "{answer}");
        let mut lengths = head
            .lines()
            .filter_map(|line| line.strip_prefix("content-length: "));
        assert_eq!(lengths.next_back(), length, "{answer}");
        assert!(!head.contains("transfer-encoding"), "{answer}");
    }
    app.stopped().await;
}

#[tokio::test]
async fn a_body_of_another_length_than_promised_never_looks_whole() {
    let app = odd("lengthy").await;
    let short = get(&app, "/short").await;
    assert!(short.starts_with("HTTP/1.1 200 "), "{short}");
    assert!(short.contains("content-length: 10") && short.ends_with("\r\n\r\nhalf"));
    assert!(logged(&["component=lengthy", "the response broke off"]));
    for path in ["/none", "/long"] {
        let answer = get(&app, path).await;
        assert!(answer.starts_with("HTTP/1.1 500 "), "{path}: {answer}");
    }
    // A response to HEAD has the length and no content.
    let head = exchange(
        &app,
        "HEAD /none HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n",
    )
    .await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    app.stopped().await;
}

#[tokio::test]
async fn trailers_say_nothing_that_only_the_host_says() {
    let app = odd("odd").await;
    let answer = exchange(
        &app,
        "POST /trailers HTTP/1.1\r\nhost: h\r\nte: trailers\r\nconnection: close\r\n\
         transfer-encoding: chunked\r\n\r\n0\r\nx-request-id: 1\r\nx_forwarded_for: 1\r\n\
         host: evil\r\nspin-path-info: /\r\nx-own: 1\r\n\r\n",
    )
    .await;
    assert!(answer.contains("trailers x-own\r\n"), "{answer}");
    let (_, trailers) = answer.rsplit_once("0\r\n").expect("it is chunked");
    assert_eq!(trailers, "server-timing: 1\r\n\r\n", "{answer}");
    app.stopped().await;
}

#[tokio::test]
async fn a_malformed_body_is_the_clients_fault() {
    let app = odd("blameless").await;
    for body in ["zz\r\n", "5\r\nhello0\r\n\r\n", "fffffffffffffffff\r\n"] {
        let answer = exchange(
            &app,
            &format!(
                "POST /collect HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n{body}"
            ),
        )
        .await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{body:?}: {answer}");
        assert!(answer.contains("connection: close"), "{answer}");
    }
    assert!(!logged(&["ERROR", "component=blameless"]));
    app.stopped().await;
}

#[tokio::test]
async fn a_client_names_itself_in_no_header() {
    let app = TestApp::new()
        .component("hello", "\"/...\"", "")
        .start()
        .await;
    let answer = exchange(
        &app,
        "GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\nx_forwarded_for: 6.6.6.6\r\n\
         x-real-ip: 6.6.6.6\r\ntrue-client-ip: 6.6.6.6\r\nclient-ip: 6.6.6.6\r\n\
         x-forwarded-for: 6.6.6.6\r\nx_real_ip: 6.6.6.6\r\nx_mine: 7.7.7.7\r\n\r\n",
    )
    .await;
    assert!(!answer.contains("6.6.6.6"), "{answer}");
    assert!(answer.contains("x_mine: 7.7.7.7"), "{answer}");
    app.stopped().await;
}
