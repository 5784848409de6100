//! Malformed requests, and those that only look malformed.

use super::support::{PATIENCE, TestApp};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends bytes as they are and reads until the host closes the connection.
async fn raw(address: std::net::SocketAddr, sent: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("the host listens");
    // The host may answer and close before it has read everything.
    let _ = stream.write_all(sent.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn malformed_requests_are_rejected() {
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
        ("GET / HTTP/1.0\r\n\r\n", "200"),
        (
            "GET evil.example HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n",
            "400",
        ),
        (
            "GET evil.example:80 HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n",
            "400",
        ),
        (
            "POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            "501",
        ),
        (
            "POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            "501",
        ),
        (
            "POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            "400",
        ),
        (
            "POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
            "400",
        ),
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
    assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
    assert!(answer.contains("allow: ") && answer.contains("connection: close"));
    app.stopped().await;
}

#[tokio::test]
async fn a_request_of_http_1_0_without_a_host_is_served() {
    let app = TestApp::new()
        .component("hello", "\"/...\"", "")
        .start()
        .await;
    let answer = raw(app.address, "GET /x HTTP/1.0\r\n\r\n").await;
    let authority = format!("authority {}", app.address);
    assert!(answer.contains(&authority), "{answer}");
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
async fn characters_that_no_url_has_are_an_error() {
    let app = TestApp::new()
        .component("hello", "\"/...\"", "")
        .start()
        .await;
    let before = "POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
    for target in [
        "/a<b",
        "/a>b",
        "/`",
        "/?<",
        "/?>",
        "/?\"",
        "http://other/?<",
        "/a b",
        "/\u{1}",
        "/\u{7f}",
        "h<i",
        "http://h<i/",
        "<",
    ] {
        let sent = format!("GET {target} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n");
        let answer = raw(app.address, &sent).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{target:?}: {answer}");
        let answers = raw(app.address, &format!("{before}{sent}")).await;
        let last = answers.rfind("HTTP/1.1 ").map(|start| &answers[start..]);
        assert!(
            last.is_some_and(|last| last.starts_with("HTTP/1.1 400")) && answers.contains(" 200 "),
            "{target:?}: {answers}"
        );
    }
    for target in ["/a<b", "/?<", "/?\"", "/`"] {
        assert_eq!(
            reset_code(app.address, target).await,
            PROTOCOL_ERROR,
            "{target}"
        );
    }
    app.stopped().await;
}

/// Error code of HTTP/2 for a malformed request (RFC 9113, section 7).
const PROTOCOL_ERROR: u32 = 1;

/// Requests `target` over HTTP/2; returns the error code with which the host resets the stream.
async fn reset_code(address: std::net::SocketAddr, target: &str) -> u32 {
    const HEADERS: u8 = 1;
    const RST_STREAM: u8 = 3;
    let length = |bytes: &[u8]| u8::try_from(bytes.len()).expect("the frame is short");
    // GET, `http`, the path, and the authority `h`, encoded by HPACK.
    let mut fields = b"\x82\x86\x04".to_vec();
    fields.push(length(target.as_bytes()));
    fields.extend_from_slice(target.as_bytes());
    fields.extend_from_slice(b"\x01\x01h");
    let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    let headers = [0, 0, length(&fields), HEADERS, 5, 0, 0, 0, 1];
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let sent = [preface.as_slice(), settings.as_slice(), &headers, &fields].concat();
    let mut stream = TcpStream::connect(address).await.expect("the host listens");
    stream.write_all(&sent).await.expect("the host reads");
    let reset = async {
        loop {
            let mut head = [0; 9];
            stream.read_exact(&mut head).await.expect("a frame comes");
            let [_, high, low, kind, ..] = head;
            let mut payload = vec![0; usize::from(high) << 8 | usize::from(low)];
            stream.read_exact(&mut payload).await.expect("it is whole");
            assert_ne!(kind, HEADERS, "the request is answered");
            if kind == RST_STREAM {
                return u32::from_be_bytes(payload.try_into().expect("it is a code"));
            }
        }
    };
    tokio::time::timeout(PATIENCE, reset)
        .await
        .expect("the host resets")
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
