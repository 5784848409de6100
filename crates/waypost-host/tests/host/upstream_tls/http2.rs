//! Servers that choose HTTP/2.

use super::answers::{Answer, BOTH, begin, end, mirror, say_hello, serve, server};
use super::{Server, hello};
use crate::support::{Client, PATIENCE, TestApp, eventually, logged};
use bytes::Bytes;
use h2::Reason;
use http::{HeaderMap, Method, Request, Response, StatusCode, Version};
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use hyper::body::Frame;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Barrier;
use tokio_rustls::server::TlsStream;

#[tokio::test]
async fn requests_at_once_share_a_connection() {
    for guest in ["outbound", "outbound02"] {
        let together = if guest == "outbound" { 20 } else { 1 };
        let barrier = Arc::new(Barrier::new(together));
        let server = server(move |request, respond| {
            let barrier = Arc::clone(&barrier);
            async move {
                assert_eq!(request.version(), Version::HTTP_2);
                barrier.wait().await;
                say_hello(request, respond).await;
            }
        })
        .await;
        let app = server.app(guest).await;
        let count = if together > 1 { "20*" } else { "" };
        for _ in 0..3 {
            let reply = app.get(&format!("/?{count}{}", server.url())).await;
            assert_eq!(reply.text, ["200 hello"; 20][..together].join("\n"));
        }
        assert_eq!(server.connections(), 1, "{guest}");
        app.stopped().await;
    }
}

#[tokio::test]
async fn a_shared_connection_is_not_lent_to_another_component() {
    let server = server(say_hello).await;
    let app = TestApp::new()
        .component_of("one", "outbound", "\"/one\"", &server.grant())
        .component_of("two", "outbound", "\"/two\"", &server.grant());
    let app = server.trusted(app).start().await;
    for path in ["/one", "/two", "/one"] {
        let reply = app.get(&format!("{path}?{}", server.url())).await;
        assert_eq!(reply.text, "200 hello");
    }
    assert_eq!(server.connections(), 2);
    app.stopped().await;
}

#[tokio::test]
async fn requests_beyond_the_servers_limit_get_another_connection() {
    let requests = Arc::new(AtomicUsize::new(0));
    let barrier = Arc::new(Barrier::new(6));
    let answer = move |request, respond| {
        let is_first = requests.fetch_add(1, Ordering::Relaxed) == 0;
        let barrier = Arc::clone(&barrier);
        async move {
            if !is_first {
                barrier.wait().await;
            }
            say_hello(request, respond).await;
        }
    };
    let serve = move |stream| {
        let answer = answer.clone();
        async move { serve(stream, 2, answer).await }
    };
    let server = Server::start(BOTH, serve).await;
    let app = server.app("outbound").await;
    // The first one learns the limit.
    let reply = app.get(&format!("/?{}", server.url())).await;
    assert_eq!(reply.text, "200 hello");
    let reply = app.get(&format!("/?6*{}", server.url())).await;
    assert_eq!(reply.text, ["200 hello"; 6].join("\n"));
    assert_eq!(server.connections(), 3);
    app.stopped().await;
}

#[tokio::test]
async fn first_requests_at_once_keep_to_the_servers_limit() {
    let barrier = Arc::new(Barrier::new(20));
    let answer = move |request, respond| {
        let barrier = Arc::clone(&barrier);
        async move {
            barrier.wait().await;
            say_hello(request, respond).await;
        }
    };
    let serve = move |stream| {
        let answer = answer.clone();
        async move { serve(stream, 4, answer).await }
    };
    let server = Server::start(BOTH, serve).await;
    let app = server.app("outbound").await;
    let reply = app.get(&format!("/?20*{}", server.url())).await;
    assert_eq!(reply.text, ["200 hello"; 20].join("\n"));
    assert_eq!(server.connections(), 5);
    app.stopped().await;
}

#[tokio::test]
async fn an_unused_connection_is_closed() {
    let closed = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&closed);
    let server = Server::start(BOTH, move |stream| {
        let closed = Arc::clone(&count);
        async move {
            serve(stream, 100, say_hello).await;
            closed.fetch_add(1, Ordering::Relaxed);
        }
    })
    .await;
    let app = server.app("outbound").await;
    app.get(&format!("/?{}", server.url())).await;
    assert_eq!(closed.load(Ordering::Relaxed), 0);
    eventually("the host closes", || closed.load(Ordering::Relaxed) == 1).await;
    app.stopped().await;
}

#[tokio::test]
async fn unused_connections_make_room_for_others() {
    let servers = [server(say_hello).await, server(say_hello).await];
    let certificates = servers.each_ref().map(|server| server.certificate.clone());
    let grants = "allowed_outbound_hosts = [\"https://127.0.0.1:*\"]";
    let app = TestApp::new()
        .component_of("one", "outbound", "\"/one\"", grants)
        .component_of("two", "outbound", "\"/two\"", grants)
        .settings("[limits]\ntotal_outbound_connections = 1\n")
        .settings("[outbound]\nextra_roots = \"ca.pem\"\n");
    std::fs::write(app.path().join("ca.pem"), certificates.concat()).expect("it is writable");
    let app = app.start().await;
    for path in ["/one", "/two", "/one"] {
        for server in &servers {
            let reply = app.get(&format!("{path}?{}", server.url())).await;
            assert_eq!(reply.text, "200 hello", "{path}");
        }
    }
    app.stopped().await;
}

#[tokio::test]
async fn requests_are_bounded() {
    let refused = [
        "component=outbound",
        "makes 3 requests to other hosts over HTTP/2",
    ];
    let server = server(move |request, respond| async move {
        eventually("the others are refused", || logged(&refused)).await;
        say_hello(request, respond).await;
    })
    .await;
    let app = TestApp::new()
        .component("outbound", "\"/...\"", &server.grant())
        .settings("[limits]\ntotal_outbound_connections = 4\n");
    let app = server.trusted(app).start().await;
    let reply = app.get(&format!("/?20*{}", server.url())).await;
    let counts =
        ["200 hello", "ConnectionLimitReached"].map(|text| reply.text.matches(text).count());
    assert!(counts[0] >= 3 && counts[1] > 0, "{}", reply.text);
    assert_eq!(counts[0] + counts[1], 20);
    assert_eq!(server.connections(), 1);
    // With their places back, others go on.
    let reply = app.get(&format!("/?3*{}", server.url())).await;
    assert_eq!(reply.text, ["200 hello"; 3].join("\n"));
    app.stopped().await;
}

fn request(method: Method, server: &Server) -> http::request::Builder {
    let path = format!("/?{}a?b=c", server.url());
    Request::builder().method(method).uri(path)
}

#[tokio::test]
async fn a_request_has_no_headers_of_connections() {
    let server = server(mirror).await;
    let app = server.app("gateway").await;
    let sent = request(Method::GET, &server)
        .header("host", "shop.example")
        .header("connection", "keep-alive, x-hop")
        .header("keep-alive", "timeout=5")
        .header("te", "trailers, deflate")
        .header("upgrade", "h2c")
        .header("x-hop", "1")
        .header("x-two", "1")
        .header("x-two", "2")
        .body(Empty::<Bytes>::new())
        .expect("it is valid");
    let reply = app.client().await.ask(sent).await;
    assert_eq!(reply.status, StatusCode::OK);
    let head = format!("GET {}a?b=c ", server.url());
    assert!(reply.text.starts_with(&head), "{}", reply.text);
    assert_eq!(reply.text.matches("\"x-two\": ").count(), 2);
    for name in [
        "host",
        "connection",
        "keep-alive",
        "te",
        "upgrade",
        "x-hop",
        "transfer-encoding",
        "content-length",
    ] {
        let header = format!("\"{name}\": ");
        assert!(!reply.text.contains(&header), "{name}: {}", reply.text);
    }
    app.stopped().await;
}

#[tokio::test]
async fn an_upload_is_streamed_with_its_length_and_its_trailers() {
    let server = server(mirror).await;
    let app = server.app("gateway").await;
    let mut client = Client::connect_http2(app.address).await;
    let body = Full::new(Bytes::from(vec![b'a'; 300_000]));
    let sent = request(Method::PUT, &server).body(body);
    let reply = client.ask(sent.expect("it is valid")).await;
    assert!(reply.text.ends_with(" 300000 bytes"), "{}", reply.text);
    let length = "\"content-length\": \"300000\"";
    assert!(reply.text.contains(length), "{}", reply.text);

    let trailers = HeaderMap::from_iter([(
        http::HeaderName::from_static("x-sum"),
        http::HeaderValue::from_static("7"),
    )]);
    let pieces = [
        Frame::data(Bytes::from_static(b"ab")),
        Frame::data(Bytes::from_static(b"c")),
        Frame::trailers(trailers.clone()),
    ];
    let pieces = StreamBody::new(futures::stream::iter(pieces.map(Ok::<_, Infallible>)));
    let sent = request(Method::PUT, &server).body(pieces);
    let response = client.send(sent.expect("it is valid")).await;
    let body = response.expect("the host answers").into_body();
    let body = body.collect().await.expect("the body is whole");
    assert_eq!(body.trailers(), Some(&trailers));
    let text = body.to_bytes();
    let text = String::from_utf8_lossy(&text);
    assert!(text.ends_with(" 3 bytes"), "{text}");
    assert!(!text.contains("content-length"), "{text}");
    app.stopped().await;
}

#[tokio::test]
async fn a_body_that_breaks_off_is_not_complete() {
    type Break = fn(&mut Answer);
    let breaks: [(&str, Break); 6] = [
        ("is reset", |respond| {
            begin(respond, None).send_reset(Reason::INTERNAL_ERROR);
        }),
        ("is cancelled", |respond| {
            begin(respond, None).send_reset(Reason::CANCEL);
        }),
        ("is reset without an error", |respond| {
            begin(respond, None).send_reset(Reason::NO_ERROR);
        }),
        ("is too short", |respond| end(begin(respond, Some("9")))),
        ("is too long", |respond| end(begin(respond, Some("4")))),
        ("has no head", |respond| {
            respond.send_reset(Reason::INTERNAL_ERROR);
        }),
    ];
    for (name, break_off) in breaks {
        let requests = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&requests);
        let server = server(move |_, mut respond| {
            count.fetch_add(1, Ordering::Relaxed);
            async move { break_off(&mut respond) }
        })
        .await;
        let app = server.app("gateway").await;
        let sent = request(Method::GET, &server).body(Empty::<Bytes>::new());
        let response = app.client().await.send(sent.expect("it is valid")).await;
        let response = response.expect("the head comes");
        let status = response.status();
        let body = tokio::time::timeout(PATIENCE, response.into_body().collect()).await;
        let is_broken = body.expect("the body ends").is_err();
        assert!(is_broken || status.is_server_error(), "the body {name}");
        assert_eq!(requests.load(Ordering::Relaxed), 1, "the body {name}");
        app.stopped().await;
    }
}

#[tokio::test]
async fn a_body_breaks_off_with_its_connection() {
    let server = Server::start(BOTH, |stream| async {
        let mut connection = h2::server::handshake(stream).await.expect("it is HTTP/2");
        let accepted = connection.accept().await;
        let Some(Ok((_request, mut respond))) = accepted else {
            return;
        };
        let _sending = begin(&mut respond, None);
        // Sends what was said, and no more.
        let flushed = std::future::poll_fn(|cx| connection.poll_closed(cx));
        let _ = tokio::time::timeout(std::time::Duration::from_millis(100), flushed).await;
    })
    .await;
    let app = server.app("gateway").await;
    let sent = request(Method::GET, &server).body(Empty::<Bytes>::new());
    let response = app.client().await.send(sent.expect("it is valid")).await;
    let body = response.expect("the head comes").into_body();
    let body = tokio::time::timeout(PATIENCE, body.collect()).await;
    assert!(body.expect("the body ends").is_err());
    app.stopped().await;
}

#[tokio::test]
async fn a_connection_that_the_server_ends_is_not_used_again() {
    let server = Server::start(BOTH, |stream| async {
        let mut connection = h2::server::handshake(stream).await.expect("it is HTTP/2");
        while let Some(Ok((request, respond))) = connection.accept().await {
            tokio::spawn(say_hello(request, respond));
            connection.graceful_shutdown();
        }
    })
    .await;
    let app = server.app("gateway").await;
    let mut client = app.client().await;
    for method in [Method::GET, Method::POST, Method::GET, Method::POST] {
        let body = Full::new(Bytes::from_static(b"body"));
        let sent = match method {
            Method::GET => request(method, &server).body(Full::default()),
            _ => request(method, &server).body(body),
        };
        let reply = client.ask(sent.expect("it is valid")).await;
        assert_eq!(reply.text, "hello");
    }
    assert!(server.connections() > 1, "{}", server.connections());
    app.stopped().await;
}

#[tokio::test]
async fn a_request_that_the_server_refuses_is_sent_again() {
    for body in ["", "a body"] {
        for method in [Method::GET, Method::POST] {
            if method == Method::GET && !body.is_empty() {
                continue;
            }
            let requests = Arc::new(AtomicUsize::new(0));
            let server = server(move |request, mut respond: Answer| {
                let is_first = requests.fetch_add(1, Ordering::Relaxed) == 0;
                async move {
                    match is_first {
                        true => respond.send_reset(Reason::REFUSED_STREAM),
                        false => mirror(request, respond).await,
                    }
                }
            })
            .await;
            let app = server.app("gateway").await;
            let sent = request(method.clone(), &server).body(Full::new(Bytes::from(body)));
            let reply = app.client().await.ask(sent.expect("it is valid")).await;
            let end = format!(" {} bytes", body.len());
            assert!(reply.text.ends_with(&end), "{method}: {}", reply.text);
            assert_eq!(server.connections(), 2);
            app.stopped().await;
        }
    }
}

#[tokio::test]
async fn a_server_may_require_http1() {
    let server = Server::start(BOTH, |stream| async {
        let protocol = stream.get_ref().1.alpn_protocol();
        if protocol != Some(b"h2") {
            return hello(stream).await;
        }
        let refuse = |_, mut respond: Answer| async move {
            respond.send_reset(Reason::HTTP_1_1_REQUIRED);
        };
        serve(stream, 100, refuse).await;
    })
    .await;
    let app = server.app("outbound").await;
    for _ in 0..3 {
        let reply = app.get(&format!("/?{}", server.url())).await;
        assert_eq!(reply.text, "200 hello");
    }
    app.stopped().await;
}

#[tokio::test]
async fn a_server_may_change_to_http2() {
    let serve = |mut stream: TlsStream<TcpStream>| async move {
        if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
            return serve(stream, 100, say_hello).await;
        }
        // One request, after which it closes.
        let read = stream.read(&mut [0; 4096]).await;
        assert!(read.is_ok_and(|size| size > 0));
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello";
        stream.write_all(answer).await.expect("it is taken");
    };
    let server = Server::start_changing(&["http/1.1"], &["h2"], serve).await;
    let app = server.app("outbound").await;
    for _ in 0..3 {
        let reply = app.get(&format!("/?{}", server.url())).await;
        assert_eq!(reply.text, "200 hello");
    }
    // The second did not speak HTTP/1.1.
    assert_eq!(server.connections(), 3);
    app.stopped().await;
}

#[tokio::test]
async fn an_interim_response_is_not_the_response() {
    let server = server(|request, mut respond: Answer| async move {
        let hints = Response::builder().status(103).body(());
        let hints = hints.expect("it is valid");
        let sent = respond.send_informational(hints);
        sent.expect("the request is there");
        say_hello(request, respond).await;
    })
    .await;
    let app = server.app("outbound").await;
    let reply = app.get(&format!("/?{}", server.url())).await;
    assert_eq!(reply.text, "200 hello");
    app.stopped().await;
}
