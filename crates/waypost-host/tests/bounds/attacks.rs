//! The attacks: each exceeds a bound, and its client must get the right answer.

use super::frames::{
    self, CANCEL, CONTINUATION, DATA, HEADERS, PING, RST_STREAM, Raw, SETTINGS, ask, frame,
};
use super::support::{PATIENCE, Running, eventually, logged};
use futures::future::{BoxFuture, join_all};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// An attack on a bound. It fails if the client gets a wrong answer.
pub struct Attack {
    pub name: &'static str,
    /// Name of the bound in the metrics; `None` if the HTTP library enforces it.
    pub bound: Option<&'static str>,
    pub run: Box<dyn Fn(Arc<Running>) -> BoxFuture<'static, ()> + Send + Sync>,
}

fn attack<F>(name: &'static str, bound: Option<&'static str>, run: fn(Arc<Running>) -> F) -> Attack
where
    F: Future<Output = ()> + Send + 'static,
{
    let run = Box::new(move |app| -> BoxFuture<'static, ()> { Box::pin(run(app)) });
    Attack { name, bound, run }
}

/// Returns all attacks.
pub fn attacks() -> Vec<Attack> {
    vec![
        attack(
            "a handler without a first byte",
            Some("max_duration"),
            overdue,
        ),
        attack("endless loops", Some("cpu_time"), loops),
        attack("too much memory", Some("memory"), hogs),
        attack("a body over the limit", Some("request_body"), large_body),
        attack(
            "a body over the limit, without a length",
            Some("request_body"),
            large_chunks,
        ),
        attack("too many header fields", Some("headers"), many_fields),
        attack(
            "header fields that are too large",
            Some("headers"),
            large_fields,
        ),
        attack(
            "a request line that is too long",
            Some("request_line"),
            long_line,
        ),
        attack(
            "a request line without an end",
            Some("headers"),
            endless_line,
        ),
        attack("a head that stops", Some("idle_timeout"), slow_head),
        attack("a body that stops", Some("idle_timeout"), slow_body),
        attack("a response that nobody reads", Some("idle_timeout"), unread),
        attack(
            "a response that nobody reads, on HTTP/2",
            Some("idle_timeout"),
            unread_http2,
        ),
        attack("too many connections", Some("connections"), connections),
        attack(
            "too many requests for a route",
            Some("route_concurrency"),
            crowd,
        ),
        attack("a handler that floods the log", Some("log_rate"), flood),
        attack("HTTP/2: too many streams", None, streams),
        attack("HTTP/2: rapid resets", None, resets),
        attack("HTTP/2: fields without an end", None, continuations),
        attack("HTTP/2: fields that stop", None, stopped_fields),
        attack("HTTP/2: a frame that is too large", None, large_frame),
        attack("HTTP/2: pings whose answers nobody reads", None, pings),
        attack(
            "HTTP/2: settings whose answers nobody reads",
            None,
            settings,
        ),
        attack("HTTP/2: content without bytes", None, empty_content),
    ]
}

/// Sends bytes, as far as the host accepts them, and reads until it closes the connection.
async fn raw(app: &Running, sent: impl AsRef<[u8]>) -> String {
    let (mut read, mut write) = TcpStream::connect(app.address)
        .await
        .expect("the host listens")
        .into_split();
    let mut answer = Vec::new();
    let exchange = async {
        let (_, read) = tokio::join!(
            write.write_all(sent.as_ref()),
            read.read_to_end(&mut answer)
        );
        read.expect("the host closes, and does not reset")
    };
    let exchange = tokio::time::timeout(PATIENCE, exchange).await;
    exchange.expect("the host answers");
    String::from_utf8_lossy(&answer).into_owned()
}

/// Checks the status and the reason of an answer.
fn expect(answer: &str, status: &str, reason: &str) {
    let is_expected =
        answer.starts_with(&format!("HTTP/1.1 {status} ")) && answer.ends_with(reason);
    assert!(is_expected, "not {status} {reason:?}: {answer}");
}

async fn overdue(app: Arc<Running>) {
    let reply = app.get("/slow/?60000").await;
    assert_eq!(
        (reply.status.as_u16(), reply.text.as_str()),
        (504, "Gateway Timeout\n")
    );
    assert!(reply.headers.contains_key("x-request-id"));
    assert!(logged(&[
        "component=slow",
        "no response within 600ms (`max_duration` in `waypost.toml`)"
    ]));
}

/// As many as there are cores.
async fn loops(app: Arc<Running>) {
    for reply in join_all((0..2).map(|_| app.get("/busy/"))).await {
        assert_eq!((reply.status.as_u16(), reply.text.as_str()), (500, ""));
        assert!(reply.headers.contains_key("x-request-id"));
    }
    eventually("the cause", || {
        logged(&[
            "component=busy",
            "ran for 100ms of CPU time",
            "raise `cpu_time`",
        ])
    })
    .await;
}

async fn hogs(app: Arc<Running>) {
    for reply in join_all((0..4).map(|_| app.get("/hog/?100"))).await {
        // On a busy machine its time may be over before it has all of the memory.
        let is_ended = [500, 504].contains(&reply.status.as_u16());
        assert!(is_ended, "{} {}", reply.status, reply.text);
    }
    eventually("the cause", || {
        logged(&[
            "component=hog",
            "memory limit of 16 MiB",
            "`memory` in `waypost.toml`",
        ])
    })
    .await;
}

async fn large_body(app: Arc<Running>) {
    let head = "POST /reads/ HTTP/1.1\r\nhost: h\r\ncontent-length: 10485760\r\n\r\n";
    let sent = [head.as_bytes(), &vec![b'a'; 1 << 20]].concat();
    expect(&raw(&app, sent).await, "413", "Payload Too Large\n");
}

async fn large_chunks(app: Arc<Running>) {
    let head = "POST /reads/ HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunk = [b"8000\r\n".as_slice(), &[b'a'; 0x8000], b"\r\n"].concat();
    let sent = [head.as_bytes(), &chunk.repeat(20)].concat();
    expect(&raw(&app, sent).await, "413", "Payload Too Large\n");
}

async fn many_fields(app: Arc<Running>) {
    let fields = "x: y\r\n".repeat(200);
    let sent = format!("GET /hello/ HTTP/1.1\r\nhost: h\r\n{fields}\r\n");
    expect(&raw(&app, sent).await, "431", "\r\n\r\n");
}

async fn large_fields(app: Arc<Running>) {
    let field = "y".repeat(300 << 10);
    let sent = format!("GET /hello/ HTTP/1.1\r\nhost: h\r\nx: {field}\r\n\r\n");
    expect(&raw(&app, sent).await, "431", "\r\n\r\n");
}

async fn long_line(app: Arc<Running>) {
    let path = "a".repeat(20 << 10);
    let sent = format!("GET /{path} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n");
    expect(
        &raw(&app, sent).await,
        "414",
        "the request line is too long\n",
    );
}

async fn endless_line(app: Arc<Running>) {
    let sent = format!("GET /{}", "a".repeat(1 << 20));
    expect(&raw(&app, sent).await, "431", "\r\n\r\n");
}

async fn slow_head(app: Arc<Running>) {
    let clients = (0..10).map(|_| raw(&app, "GET /hello/ HTTP/1.1\r\nhost: h\r\nx"));
    for answer in join_all(clients).await {
        expect(&answer, "408", "the headers did not arrive in time\n");
    }
}

async fn slow_body(app: Arc<Running>) {
    let sent = "POST /reads/ HTTP/1.1\r\nhost: h\r\ncontent-length: 9\r\n\r\nhalf";
    for answer in join_all((0..5).map(|_| raw(&app, sent))).await {
        expect(&answer, "408", "the body did not arrive in time\n");
        assert!(answer.contains("connection: close\r\n"), "{answer}");
    }
}

async fn unread(app: Arc<Running>) {
    let ended = || super::support::log().matches("endless ended").count();
    let before = ended();
    let mut client = TcpStream::connect(app.address)
        .await
        .expect("the host listens");
    let sent = client
        .write_all(b"GET /endless/ HTTP/1.1\r\nhost: h\r\n\r\n")
        .await;
    sent.expect("the host reads");
    // The guest sees the error, and may end in its own way.
    eventually("the end of the response", || ended() > before).await;
}

async fn unread_http2(app: Arc<Running>) {
    let no_window = [0, 4, 0, 0, 0, 0];
    let mut client = Raw::connect(app.address, &no_window).await;
    assert!(client.send(&ask(1, "/hello/")).await);
    // Only the head fits into the window.
    let frames = client.frames().await;
    assert!(
        frames.iter().any(|frame| frame.kind == HEADERS),
        "{frames:?}"
    );
    assert!(
        !frames
            .iter()
            .any(|frame| frame.kind == DATA && !frame.payload.is_empty())
    );
}

async fn connections(app: Arc<Running>) {
    let connect = || join_all((0..40).map(|_| TcpStream::connect(app.address)));
    let mut open = connect().await;
    // Connections of the attack before may still count for a moment.
    tokio::time::sleep(Duration::from_millis(50)).await;
    open.extend(connect().await);
    let whole = "GET /hello/ HTTP/1.1\r\nhost: h\r\n\r\n";
    for answer in join_all((0..4).map(|_| raw(&app, whole))).await {
        expect(&answer, "503", "too many connections\n");
        assert!(answer.contains("retry-after: 1\r\n"), "{answer}");
    }
    assert!(open.iter().all(Result::is_ok));
}

async fn crowd(app: Arc<Running>) {
    let replies = join_all((0..20).map(|_| app.get("/slow/?200"))).await;
    let (served, turned_away): (Vec<_>, Vec<_>) =
        replies.into_iter().partition(|reply| reply.status == 200);
    assert_eq!(served.len(), 10);
    for reply in turned_away {
        assert_eq!(
            (reply.status.as_u16(), reply.text.as_str()),
            (503, "Service Unavailable\n")
        );
        assert_eq!(reply.headers["retry-after"], "1");
    }
}

async fn flood(app: Arc<Running>) {
    let before = super::support::log().len();
    assert!([200, 500].contains(&app.get("/print/flood?many").await.status.as_u16()));
    assert!(logged(&[
        "component=print",
        "log cut: it exceeds `log_rate` of `waypost.toml`"
    ]));
    let grown = super::support::log().len() - before;
    // The prefix of a line in the log is longer than the line itself.
    assert!(grown < 512 << 10, "the log grew by {grown}");
}

async fn streams(app: Arc<Running>) {
    let mut client = Raw::connect(app.address, &[]).await;
    let many: Vec<u8> = (0..150)
        .flat_map(|number| ask(2 * number + 1, "/slow/?200"))
        .collect();
    assert!(client.send(&many).await);
    let refused = |frame: &&frames::Frame| {
        frame.kind == RST_STREAM && frame.payload[3] == frames::REFUSED_STREAM
    };
    let answered = |frame: &&frames::Frame| frame.kind == HEADERS;
    client
        .until(|frames| {
            let count = |kind: fn(&&frames::Frame) -> bool| frames.iter().filter(kind).count();
            (count(refused), count(answered)) == (50, 100)
        })
        .await;
}

async fn resets(app: Arc<Running>) {
    let mut client = Raw::connect(app.address, &[]).await;
    for number in 0..2_000 {
        let stream = 2 * number + 1;
        let reset = frame(RST_STREAM, 0, stream, &[0, 0, 0, CANCEL]);
        if !client
            .send(&[ask(stream, "/slow/?200"), reset].concat())
            .await
        {
            break;
        }
    }
    let frames = client.frames().await;
    assert_eq!(
        frames::goodbye(&frames),
        Some(frames::ENHANCE_YOUR_CALM),
        "{frames:?}"
    );
}

async fn continuations(app: Arc<Running>) {
    let mut client = Raw::connect(app.address, &[]).await;
    client
        .send(&frame(HEADERS, 0, 1, &frames::get("/hello/")))
        .await;
    let field = [&[0x00, 1, b'x', 0x7f, 0x81, 0x1f][..], &[b'y'; 4096]].concat();
    let mut sent = 0;
    while client.send(&frame(CONTINUATION, 0, 1, &field)).await {
        sent += 1;
        assert!(sent < 100_000, "the host takes all of it");
    }
}

async fn stopped_fields(app: Arc<Running>) {
    let mut client = Raw::connect(app.address, &[]).await;
    assert!(
        client
            .send(&frame(HEADERS, 0, 1, &frames::get("/hello/")))
            .await
    );
    client.frames().await;
}

async fn large_frame(app: Arc<Running>) {
    let mut client = Raw::connect(app.address, &[]).await;
    client.send(&frame(DATA, 0, 1, &[0; 20 << 10])).await;
    let frames = client.frames().await;
    assert_eq!(
        frames::goodbye(&frames),
        Some(frames::FRAME_SIZE_ERROR),
        "{frames:?}"
    );
}

async fn pings(app: Arc<Running>) {
    unread_answers(&app, &frame(PING, 0, 0, &[0; 8])).await;
}

async fn settings(app: Arc<Running>) {
    unread_answers(&app, &frame(SETTINGS, 0, 0, &[])).await;
}

/// Requests answers that nobody reads, until the host closes the connection.
async fn unread_answers(app: &Running, frame: &[u8]) {
    let mut client = Raw::connect(app.address, &[]).await;
    let many = frame.repeat(1_000);
    let mut sent = 0;
    while client.send(&many).await {
        sent += 1;
        assert!(sent < 10_000, "the host takes all of it");
    }
}

async fn empty_content(app: Arc<Running>) {
    let mut client = Raw::connect(app.address, &[]).await;
    let open = frame(HEADERS, frames::END_HEADERS, 1, &frames::get("/reads/"));
    assert!(client.send(&open).await);
    let many = frame(DATA, 0, 1, &[]).repeat(1_000);
    let mut sent = 0;
    while client.send(&many).await {
        sent += 1;
        assert!(sent < 10_000, "the host takes all of it");
    }
}
