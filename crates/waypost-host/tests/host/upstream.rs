//! Requests to other servers: their connections, and what passes through a component.

use super::support::{Client, PATIENCE, Running, TestApp, logged};
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use hyper::body::Frame;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use waypost_host::HostProfile;

/// A server that answers each request with fixed bytes, on connections that it counts.
struct Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
}

impl Server {
    /// Answers `per_connection` requests on each connection, and closes it when the next has come.
    async fn start(answer: &'static str, per_connection: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port is free");
        let address = listener.local_addr().expect("the listener is bound");
        let (connections, requests) =
            (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let server = Self {
            address,
            connections: Arc::clone(&connections),
            requests: Arc::clone(&requests),
        };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(serve(stream, answer, per_connection, Arc::clone(&requests)));
            }
        });
        server
    }

    fn grant(&self) -> String {
        format!("allowed_outbound_hosts = [\"http://{}\"]", self.address)
    }

    fn counts(&self) -> (usize, usize) {
        let (connections, requests) = (&self.connections, &self.requests);
        (
            connections.load(Ordering::Relaxed),
            requests.load(Ordering::Relaxed),
        )
    }
}

async fn serve(
    mut stream: TcpStream,
    answer: &'static str,
    per_connection: usize,
    requests: Arc<AtomicUsize>,
) {
    let mut head = Vec::new();
    for number in 0.. {
        head.clear();
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(_) => return,
            }
        }
        requests.fetch_add(1, Ordering::Relaxed);
        if number == per_connection {
            return;
        }
        stream
            .write_all(answer.as_bytes())
            .await
            .expect("it is taken");
    }
}

const HELLO: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";

#[tokio::test]
async fn a_connection_is_used_again() {
    let server = Server::start(HELLO, usize::MAX).await;
    for guest in ["outbound", "outbound02"] {
        let before = server.counts();
        let app = TestApp::new()
            .component(guest, "\"/...\"", &server.grant())
            .start()
            .await;
        for _ in 0..100 {
            let reply = app.get(&format!("/?http://{}/", server.address)).await;
            assert_eq!(reply.text, "200 hello");
        }
        let after = server.counts();
        assert_eq!(after.1 - before.1, 100, "{guest}");
        assert!(
            after.0 - before.0 <= 3,
            "{guest}: {} connections",
            after.0 - before.0
        );
        app.stopped().await;
    }
}

#[tokio::test]
async fn a_connection_is_not_lent_to_another_component() {
    let server = Server::start(HELLO, usize::MAX).await;
    let app = TestApp::new()
        .component_of("one", "outbound", "\"/one\"", &server.grant())
        .component_of("two", "outbound", "\"/two\"", &server.grant())
        .start()
        .await;
    for path in ["/one", "/two"] {
        let reply = app.get(&format!("{path}?http://{}/", server.address)).await;
        assert_eq!(reply.text, "200 hello");
    }
    assert_eq!(server.counts().0, 2);
    app.stopped().await;
}

#[tokio::test]
async fn idle_connections_make_room_for_others() {
    let servers = [
        Server::start(HELLO, usize::MAX).await,
        Server::start(HELLO, usize::MAX).await,
        Server::start(HELLO, usize::MAX).await,
    ];
    let grants = "allowed_outbound_hosts = [\"http://127.0.0.1:*\"]";
    let app = TestApp::new()
        .component_of("one", "outbound", "\"/one\"", grants)
        .component_of("two", "outbound", "\"/two\"", grants)
        .settings("[limits]\ntotal_outbound_connections = 2\n")
        .start()
        .await;
    // More servers than there are places, and connections of another component.
    for path in ["/one", "/two", "/one"] {
        for server in &servers {
            let reply = app.get(&format!("{path}?http://{}/", server.address)).await;
            assert_eq!(reply.text, "200 hello", "{path}");
        }
    }
    app.stopped().await;
}

#[tokio::test]
async fn a_get_is_repeated_if_its_used_connection_ends() {
    let server = Server::start(HELLO, 1).await;
    let app = TestApp::new()
        .component("outbound", "\"/...\"", &server.grant())
        .start()
        .await;
    for _ in 0..3 {
        let reply = app.get(&format!("/?http://{}/", server.address)).await;
        assert_eq!(reply.text, "200 hello");
    }
    // A connection that is not idle yet is not used again.
    let (connections, requests) = server.counts();
    assert!(requests > 3 && connections > 1, "{requests} requests");
    app.stopped().await;

    // On a new connection it is not.
    let server = Server::start(HELLO, 0).await;
    let app = TestApp::new()
        .component("outbound", "\"/...\"", &server.grant())
        .start()
        .await;
    let reply = app.get(&format!("/?http://{}/", server.address)).await;
    assert!(
        reply.text.contains("ConnectionTerminated"),
        "{}",
        reply.text
    );
    assert_eq!(server.counts(), (1, 1));
    assert!(logged(&["component=outbound", "no response from"]));
    app.stopped().await;
}

#[tokio::test]
async fn an_address_without_a_server_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port is free");
    let address = listener.local_addr().expect("the listener is bound");
    drop(listener);
    let grant = format!("allowed_outbound_hosts = [\"http://{address}\"]");
    let app = TestApp::new()
        .component("outbound", "\"/...\"", &grant)
        .start()
        .await;
    let reply = app.get(&format!("/?http://{address}/")).await;
    assert!(reply.text.contains("ConnectionRefused"), "{}", reply.text);
    app.stopped().await;
}

/// A server that closes each connection after its answer.
async fn closing(answer: impl Into<Vec<u8>>) -> SocketAddr {
    let answer = answer.into();
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port is free");
    let address = listener.local_addr().expect("the listener is bound");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            read_head(&mut stream).await;
            stream.write_all(&answer).await.expect("it is taken");
            stream.shutdown().await.expect("it is taken");
        }
    });
    address
}

/// A server that answers with what it was sent.
async fn mirror() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port is free");
    let address = listener.local_addr().expect("the listener is bound");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                while let Some(head) = read_head(&mut stream).await {
                    let Some(body) = read_body(&mut stream, &head).await else {
                        return;
                    };
                    let text = format!("{head}{body} bytes");
                    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", text.len());
                    let answer = head + &text;
                    stream
                        .write_all(answer.as_bytes())
                        .await
                        .expect("it is taken");
                }
            });
        }
    });
    address
}

async fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    Some(String::from_utf8_lossy(&head).to_ascii_lowercase())
}

/// The number of bytes of a body, with its chunks; `None` if it broke off.
async fn read_body(stream: &mut TcpStream, head: &str) -> Option<usize> {
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let mut body = Vec::new();
    if let Some(length) = length {
        body.resize(length.parse().expect("it is a number"), 0);
        stream.read_exact(&mut body).await.ok()?;
    } else if head.contains("transfer-encoding: chunked") {
        while !body.ends_with(b"0\r\n\r\n") {
            body.push(stream.read_u8().await.ok()?);
        }
    }
    Some(body.len())
}

async fn gateway(server: SocketAddr) -> Running {
    gateway_on(HostProfile::Waypost, server).await
}

/// The hosts whose behaviour a gateway is tried with.
const PROFILES: [HostProfile; 2] = [HostProfile::Waypost, HostProfile::Spin];

async fn gateway_on(profile: HostProfile, server: SocketAddr) -> Running {
    let grant = format!("allowed_outbound_hosts = [\"http://{server}\"]");
    TestApp::new()
        .component("gateway", "\"/...\"", &grant)
        .profile(profile)
        .start()
        .await
}

fn request(method: Method, server: SocketAddr) -> http::request::Builder {
    Request::builder()
        .method(method)
        .uri(format!("/?http://{server}/"))
}

#[tokio::test]
async fn the_length_of_an_upstream_passes_through() {
    for (method, answer, status, length) in [
        (Method::GET, HELLO, 200, Some("5")),
        (
            Method::HEAD,
            "HTTP/1.1 200 OK\r\ncontent-length: 5000000000\r\n\r\n",
            200,
            Some("5000000000"),
        ),
        (
            Method::GET,
            "HTTP/1.1 206 Partial Content\r\ncontent-range: bytes 0-4/9\r\ncontent-length: 5\r\n\r\nhello",
            206,
            Some("5"),
        ),
        (Method::GET, "HTTP/1.1 204 No Content\r\n\r\n", 204, None),
        (
            Method::GET,
            "HTTP/1.1 304 Not Modified\r\netag: \"a\"\r\n\r\n",
            304,
            None,
        ),
        (
            Method::GET,
            "HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nhello",
            200,
            Some("5"),
        ),
        (Method::GET, "HTTP/1.0 200 OK\r\n\r\nhello", 200, None),
        (
            Method::GET,
            "HTTP/1.1 200 OK\r\nconnection: close, x-hop\r\nx-hop: 1\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            200,
            None,
        ),
    ] {
        for profile in PROFILES {
            let server = closing(answer).await;
            let app = gateway_on(profile, server).await;
            let sent = request(method.clone(), server)
                .body(Empty::new())
                .expect("it is valid");
            let reply = app.client().await.ask(sent).await;
            assert_eq!(reply.status, status, "{answer}");
            let found = reply.headers.get("content-length");
            assert_eq!(
                found.map(|value| value.to_str().expect("it is text")),
                length,
                "{answer} on {profile:?}"
            );
            let has_body = answer.contains("hello");
            assert_eq!(reply.text, if has_body { "hello" } else { "" }, "{answer}");
            app.stopped().await;
        }
    }
}

#[tokio::test]
async fn compressed_text_is_decoded_and_passed_on_as_it_is() {
    for (coding, compressed) in [
        ("br", b"\x0b\x02\x80hello\x03".as_slice()),
        (
            "zstd",
            b"\x28\xb5\x2f\xfd\x04\x58\x29\0\0hello\xa3\x6d\x9f\x88",
        ),
        (
            "gzip",
            b"\x1f\x8b\x08\0\0\0\0\0\0\xff\xcb\x48\xcd\xc9\xc9\x07\0\x86\xa6\x10\x36\x05\0\0\0",
        ),
    ] {
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-encoding: {coding}\r\ncontent-length: {}\r\n\r\n",
            compressed.len()
        );
        for profile in PROFILES {
            let server = closing([head.as_bytes(), compressed].concat()).await;
            let app = gateway_on(profile, server).await;
            let reply = app.get(&format!("/text?http://{server}/")).await;
            assert_eq!(reply.text, "hello", "{coding} on {profile:?}");
            assert!(!reply.headers.contains_key("content-encoding"));
            let reply = app.get(&format!("/?http://{server}/")).await;
            assert_eq!(reply.headers["content-encoding"], coding);
            let length = compressed.len().to_string();
            assert_eq!(reply.headers["content-length"], length.as_str());
            app.stopped().await;
        }
    }
}

/// Whether a response has a head and breaks off, or is a server error.
async fn fails(client: &mut Client, request: Request<Empty<Bytes>>) -> bool {
    let response = client.send(request).await.expect("the head comes");
    let status = response.status();
    let body = tokio::time::timeout(PATIENCE, response.into_body().collect()).await;
    status.is_server_error() || body.expect("the body ends").is_err()
}

#[tokio::test]
async fn an_upstream_that_breaks_off_is_not_complete() {
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n",
        "HTTP/1.1 200 OK\r\nx: ",
        "",
    ] {
        for profile in PROFILES {
            let server = closing(answer).await;
            let app = gateway_on(profile, server).await;
            let sent = request(Method::GET, server)
                .body(Empty::new())
                .expect("it is valid");
            let fails = fails(&mut app.client().await, sent).await;
            assert!(fails, "{answer} on {profile:?}");
            app.stopped().await;
        }
    }
}

#[tokio::test]
async fn a_stream_has_the_length_that_its_handler_declares() {
    let app = gateway(mirror().await).await;
    let reply = app.get("/stream?9").await;
    assert_eq!(
        (reply.text.as_str(), &reply.headers["content-length"]),
        ("hello you", &"9".parse().expect("valid"))
    );
    for length in ["8", "10", "0"] {
        let sent = Request::get(format!("/stream?{length}"));
        let sent = sent.body(Empty::new()).expect("it is valid");
        assert!(fails(&mut app.client().await, sent).await, "{length}");
    }
    assert!(logged(&[
        "component=gateway",
        "it is longer than the 8 bytes"
    ]));
    assert!(logged(&[
        "component=gateway",
        "it ended after 9 of the 10 bytes"
    ]));
    let head = Request::head("/stream?12")
        .body(Empty::<Bytes>::new())
        .expect("it is valid");
    let reply = app.client().await.ask(head).await;
    assert_eq!(reply.headers["content-length"], "12");
    app.stopped().await;
}

#[tokio::test]
async fn the_headers_of_a_request_can_be_copied() {
    for profile in PROFILES {
        the_headers_of_a_request_can_be_copied_on(profile).await;
    }
}

async fn the_headers_of_a_request_can_be_copied_on(profile: HostProfile) {
    let server = mirror().await;
    let app = gateway_on(profile, server).await;
    let sent = request(Method::GET, server)
        .header("host", "shop.example")
        .header("connection", "keep-alive, x-hop")
        .header("x-hop", "1")
        .header("proxy-authorization", "secret")
        .header("spin-client-addr", "10.0.0.1")
        .header("x-two", "1")
        .header("x-two", "2")
        .body(Empty::<Bytes>::new())
        .expect("it is valid");
    let reply = app.client().await.ask(sent).await;
    assert_eq!(reply.status, StatusCode::OK);
    let head = reply.text;
    assert!(head.contains(&format!("host: {server}\r\n")), "{head}");
    assert!(head.contains("x-two: 1\r\nx-two: 2\r\n"), "{head}");
    // Spin hides `Connection` from components, so they can't know what it names.
    let is_hop_known = profile == HostProfile::Waypost;
    assert_eq!(head.contains("x-hop"), !is_hop_known, "{head}");
    for name in [
        "shop.example\r\ncon",
        "secret",
        "spin-",
        "transfer-encoding",
        "content-length",
    ] {
        assert!(!head.contains(name), "{name}: {head}");
    }
    app.stopped().await;
}

#[tokio::test]
async fn an_upload_that_is_streamed_on_keeps_its_length() {
    for profile in PROFILES {
        an_upload_that_is_streamed_on_keeps_its_length_on(profile).await;
    }
}

async fn an_upload_that_is_streamed_on_keeps_its_length_on(profile: HostProfile) {
    let server = mirror().await;
    let app = gateway_on(profile, server).await;
    let client = app.client().await;
    let mut client = client;
    for method in [Method::DELETE, Method::POST, Method::OPTIONS] {
        let sent = request(method.clone(), server)
            .body(Empty::<Bytes>::new())
            .expect("it is valid");
        let head = client.ask(sent).await.text;
        assert!(!head.contains("transfer-encoding"), "{head}");
        assert!(head.ends_with("\r\n0 bytes"), "{head}");
    }
    let body = Full::new(Bytes::from(vec![b'a'; 100_000]));
    let head = client
        .ask(
            request(Method::PUT, server)
                .body(body.clone())
                .expect("it is valid"),
        )
        .await
        .text;
    assert!(
        head.contains("content-length: 100000\r\n") && head.ends_with("100000 bytes"),
        "{head}"
    );

    let pieces = ["ab", "c"]
        .map(|piece| Ok::<_, Infallible>(Frame::data(Bytes::from_static(piece.as_bytes()))));
    let pieces = StreamBody::new(futures::stream::iter(pieces));
    let head = client
        .ask(
            request(Method::PUT, server)
                .body(pieces)
                .expect("it is valid"),
        )
        .await
        .text;
    assert!(head.contains("transfer-encoding: chunked"), "{head}");

    // A false length does not drop what follows without a word.
    let sent = Request::put(format!("/nothing?http://{server}/"))
        .body(body)
        .expect("it is valid");
    assert_eq!(
        client.ask(sent).await.status,
        StatusCode::INTERNAL_SERVER_ERROR
    );
    assert!(logged(&[
        "component=gateway",
        "longer than its `content-length` of 0"
    ]));
    app.stopped().await;
}
