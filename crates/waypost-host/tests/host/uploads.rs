//! Requests that are answered before they have been read.

use super::support::{Running, TestApp};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// More than any buffer on the way holds.
const LARGE: usize = 32 << 20;

/// Sends a request as most clients do: they read nothing before they have sent everything.
fn upload(address: SocketAddr, head: &str, size: usize) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    stream.set_write_timeout(Some(Duration::from_secs(20)))?;
    stream.write_all(head.as_bytes())?;
    let piece = vec![b'a'; 1 << 20];
    let mut left = size;
    while left > 0 {
        let size = left.min(piece.len());
        stream.write_all(&piece[..size])?;
        left -= size;
    }
    let mut answer = Vec::new();
    let mut buffer = vec![0; 1 << 16];
    let whole = |answer: &[u8]| answer.windows(4).any(|end| end == b"\r\n\r\n");
    while !whole(&answer) {
        match stream.read(&mut buffer)? {
            0 => break,
            count => answer.extend_from_slice(&buffer[..count]),
        }
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

async fn answer(app: &Running, path: &str, size: usize) -> std::io::Result<String> {
    let address = app.address;
    let head = format!("POST {path} HTTP/1.1\r\nhost: h\r\ncontent-length: {size}\r\n\r\n");
    tokio::task::spawn_blocking(move || upload(address, &head, size))
        .await
        .expect("the client does not panic")
}

#[tokio::test]
async fn a_client_in_the_middle_of_an_upload_gets_the_answer() {
    let app = TestApp::new()
        .component("hello", "\"/hello\"", "")
        .component("reads", "\"/reads\"", "")
        .component("odd", "\"/large\"", "")
        .pattern("reads", "/reads")
        .settings("[routes.\"/reads\".limits]\nrequest_body = \"1KiB\"\n")
        .start()
        .await;
    for round in 0..20 {
        for (path, status) in [("/reads", "413"), ("/none", "404"), ("/hello", "200")] {
            let answer = answer(&app, path, LARGE).await;
            let answer = answer.unwrap_or_else(|error| panic!("{round} {path}: {error}"));
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status} ")),
                "{round} {path}: {answer}"
            );
            assert!(answer.contains("connection: close"), "{path}: {answer}");
        }
    }
    // A response that is as large: neither side waits for the other.
    let answer = answer(&app, "/large", LARGE).await.expect("it is sent");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer:.200}");
    app.stopped().await;
}

#[tokio::test]
async fn a_small_body_that_nobody_reads_costs_no_connection() {
    let app = TestApp::new()
        .component("hello", "\"/hello\"", "")
        .start()
        .await;
    let mut client = app.client().await;
    for path in ["/hello", "/none", "/hello", "/none"] {
        let reply = client.post(path, "a".repeat(20_000)).await;
        assert!(!reply.headers.contains_key("connection"), "{reply:?}");
    }
    app.stopped().await;
}

#[tokio::test]
async fn a_client_that_waits_for_100_continue_is_not_asked_for_what_nobody_reads() {
    let app = TestApp::new()
        .component("hello", "\"/hello\"", "")
        .start()
        .await;
    let address = app.address;
    let head =
        "POST /none HTTP/1.1\r\nhost: h\r\ncontent-length: 9\r\nexpect: 100-continue\r\n\r\n";
    let answer = tokio::task::spawn_blocking(move || upload(address, head, 0));
    let answer = answer
        .await
        .expect("it does not panic")
        .expect("it is sent");
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
    app.stopped().await;
}
