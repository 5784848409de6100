//! Exceeds each bound, which must not disturb other requests.

use super::admin::{METRICS, value, watch};
use super::support::{Client, PATIENCE, Running, TestApp, eventually, logged};
use bytes::Bytes;
use http::Request;
use http_body_util::{Full, StreamBody};
use hyper::body::Frame;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Requests a page again and again until told to stop; returns the number of answers, all of them good.
fn keep_asking(
    app: &Arc<Running>,
    path: &'static str,
) -> (
    tokio::task::JoinHandle<usize>,
    tokio::sync::watch::Sender<bool>,
) {
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let app = Arc::clone(app);
    let asking = tokio::spawn(async move {
        let mut client = app.client().await;
        let mut answers = 0;
        while !*stopped.borrow() {
            assert_eq!(client.get(path).await.status, 200);
            answers += 1;
        }
        answers
    });
    (asking, stop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endless_loop_is_cut_and_others_go_on() {
    let app = TestApp::new()
        .component("busy", "\"/busy\"", "")
        .component("hello", "\"/hello\"", "")
        .settings("[limits]\ncpu_time = \"500ms\"\n")
        .start()
        .await;
    let app = Arc::new(app);
    app.get("/hello").await;
    let (asking, stop) = keep_asking(&app, "/hello");
    let start = Instant::now();
    let loops = (0..4).map(|_| app.get("/busy"));
    for reply in futures::future::join_all(loops).await {
        assert_eq!(reply.status, 500);
    }
    assert!(
        start.elapsed() < Duration::from_secs(20),
        "{:?}",
        start.elapsed()
    );
    stop.send_replace(true);
    assert!(asking.await.expect("every answer was good") > 10);
    assert!(logged(&[
        "component=busy",
        "CPU time without a pause",
        "bound=\"cpu_time\""
    ]));
}

#[tokio::test]
async fn long_work_within_the_bound_goes_on() {
    let app = TestApp::new()
        .component("busy", "\"/...\"", "")
        .start()
        .await;
    let reply = app.get("/?300").await;
    assert_eq!(
        (reply.status.as_u16(), reply.text.as_str()),
        (200, "computed true")
    );
    app.stopped().await;
}

#[tokio::test]
async fn memory_is_bounded() {
    let app = TestApp::new()
        .component("hog", "\"/...\"", "")
        .settings("[limits]\nmemory = \"32MiB\"\n")
        .start()
        .await;
    let mut client = app.client().await;
    assert_eq!(client.get("/?8").await.text, "took 8");
    assert_eq!(client.get("/?64").await.status, 500);
    eventually("the cause", || {
        logged(&[
            "component=hog",
            "bound=\"memory\"",
            "memory limit of 32 MiB",
        ])
    })
    .await;
    assert_eq!(client.get("/?8").await.text, "took 8");
    app.stopped().await;
}

#[tokio::test]
async fn the_memory_of_all_instances_is_bounded() {
    let app = TestApp::new()
        .component("hog", "\"/...\"", "")
        .settings("[limits]\nmemory = \"64MiB\"\ntotal_memory = \"96MiB\"\n")
        .start()
        .await;
    assert_eq!(app.get("/?40").await.text, "took 40");
    let all = futures::future::join_all((0..8).map(|_| app.get("/?40"))).await;
    assert!(
        all.iter()
            .all(|reply| [200, 503].contains(&reply.status.as_u16()))
    );
    let busy = all.iter().find(|reply| reply.status == 503);
    let busy = busy.expect("eight times 40 MiB are over the total");
    assert!(busy.headers.contains_key("retry-after"));
    assert!(logged(&["component=hog", "total_memory"]));
    assert_eq!(app.get("/?40").await.text, "took 40");
    app.stopped().await;
}

#[tokio::test]
async fn what_the_host_holds_for_a_guest_is_bounded() {
    let app = TestApp::new()
        .component("hoard", "\"/...\"", "")
        .start()
        .await;
    let (address, serving) = watch(&app).await;
    let mut client = app.client().await;
    assert_eq!(client.get("/?fields=500").await.text, "kept 500");
    let before = resident();
    assert_eq!(client.get("/?fields=30000").await.status, 500);
    let grown = resident().saturating_sub(before);
    assert!(grown < 192 << 20, "the process grew by {grown} bytes");
    eventually("the cause", || {
        logged(&["component=hoard", "bound=\"handles\"", "1024 handles"])
    })
    .await;
    assert_eq!(client.get("/?fields=500").await.text, "kept 500");
    assert_eq!(client.get("/?methods=20").await.text, "kept 0");
    let text = Client::connect(address).await.get(METRICS).await.text;
    let handles = value(&text, "waypost_over_bound_total{bound=\"handles\"}");
    assert!(handles >= 1.0, "it is counted");
    serving.abort();
    app.stopped().await;
}

/// Returns how much memory this process has.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/statm").expect("Linux tells");
    let pages = status
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse().ok());
    pages.map_or(0, |pages: usize| pages * 4_096)
}

#[tokio::test]
async fn each_bound_of_an_instance_is_counted() {
    let app = TestApp::new()
        .component("hog", "\"/hog\"", "")
        .component("busy", "\"/busy\"", "")
        .settings("[limits]\nmemory = \"32MiB\"\ncpu_time = \"1s\"\n")
        .start()
        .await;
    let (address, serving) = watch(&app).await;
    for (bound, path) in [("memory", "/hog?64"), ("cpu_time", "/busy")] {
        assert_eq!(app.get(path).await.status, 500, "{path}");
        let text = Client::connect(address).await.get(METRICS).await.text;
        let name = format!("waypost_over_bound_total{{bound=\"{bound}\"}}");
        assert!(value(&text, &name) >= 1.0, "{bound}");
    }
    serving.abort();
    app.stopped().await;
}

#[tokio::test]
async fn open_files_are_bounded() {
    let mount = "files = [{ source = \"files\", destination = \"/files\" }]";
    let app = TestApp::new().component("hoard", "\"/...\"", mount);
    std::fs::create_dir(app.path().join("files")).expect("it is a new folder");
    std::fs::write(app.path().join("files/file"), "x").expect("the folder is writable");
    let app = app.start().await;
    let mut client = app.client().await;
    // What one request leaves open does not count for the next.
    for _ in 0..3 {
        assert_eq!(client.get("/?files=60").await.text, "opened 60");
        assert_eq!(client.get("/?files=100").await.text, "opened 64");
    }
    assert!(logged(&[
        "component=hoard",
        "bound=\"open_files\"",
        "64 files"
    ]));
    app.stopped().await;
}

#[tokio::test]
async fn random_bytes_come_in_pieces() {
    let app = TestApp::new()
        .component("hoard", "\"/...\"", "")
        .start()
        .await;
    let reply = app.get("/?random=3").await;
    assert_eq!(reply.text, "at most 131072 at a time");
    app.stopped().await;
}

#[tokio::test]
async fn a_slow_handler_is_a_504() {
    let app = TestApp::new()
        .router()
        .private("slow", "")
        .component_of("near", "slow", "\"/near\"", "")
        .settings("[limits]\nmax_duration = \"200ms\"\n")
        .start()
        .await;
    for path in ["/near?60000", "/slow/?60000"] {
        let reply = app.get(path).await;
        assert_eq!(reply.status, 504, "{path}: {}", reply.text);
        assert!(reply.headers.contains_key("x-request-id"));
    }
    assert_eq!(app.get("/near?10").await.text, "awake");
    app.stopped().await;
}

#[tokio::test]
async fn a_stream_may_take_longer_than_its_first_byte() {
    let app = TestApp::new()
        .component("stream02", "\"/old\"", "")
        .component("stream", "\"/two\"", "")
        .settings("[limits]\nmax_duration = \"300ms\"\n")
        .start()
        .await;
    assert!(app.get("/old").await.text.ends_with("tick 9\n"));
    assert_eq!(app.get("/two").await.text, "one\ntwo\n");
    app.stopped().await;
}

#[tokio::test]
async fn too_many_requests_are_rejected() {
    let app = TestApp::new()
        .component("slow", "\"/slow\"", "")
        .component("hello", "\"/hello\"", "")
        .settings("[limits]\nroute_concurrency = 2\n")
        .start()
        .await;
    let app = Arc::new(app);
    let replies = futures::future::join_all((0..5).map(|_| app.get("/slow?400"))).await;
    let served = replies.iter().filter(|reply| reply.status == 200).count();
    assert_eq!(served, 2);
    for reply in replies.iter().filter(|reply| reply.status != 200) {
        assert_eq!(reply.status, 503);
        assert_eq!(reply.headers["retry-after"], "1");
    }
    assert_eq!(app.get("/slow?0").await.status, 200);
}

#[tokio::test]
async fn the_app_has_a_bound_of_its_own() {
    let app = TestApp::new()
        .component("slow", "\"/slow\"", "")
        .component("hello", "\"/hello\"", "")
        .settings("[limits]\nconcurrency = 1\n")
        .start()
        .await;
    let app = Arc::new(app);
    let slow = tokio::spawn({
        let app = Arc::clone(&app);
        async move { app.get("/slow?401").await }
    });
    eventually("the slow request", || logged(&["slow began 401"])).await;
    let turned_away = app.get("/hello").await;
    assert_eq!(turned_away.status, 503);
    assert_eq!(turned_away.headers["retry-after"], "1");
    assert_eq!(slow.await.expect("the request ends").status, 200);
    assert_eq!(app.get("/hello").await.status, 200);
}

#[tokio::test]
async fn connections_are_bounded() {
    let app = TestApp::new()
        .component("hello", "\"/...\"", "")
        .settings("[limits]\nconnections = 1\n")
        .start()
        .await;
    let mut first = app.client().await;
    assert_eq!(first.get("/").await.status, 200);
    let whole = "GET / HTTP/1.1\r\nhost: h\r\n\r\n";
    for sent in ["", "GET", whole] {
        let answer = answer_to(&app, sent.as_bytes()).await;
        assert!(
            answer.starts_with("HTTP/1.1 503") && answer.contains("retry-after: 1"),
            "{answer}"
        );
        assert!(answer.ends_with("too many connections\n"), "{answer}");
    }
    drop(first);
    app.stopped().await;
}

#[tokio::test]
async fn bodies_are_bounded() {
    let app = TestApp::new()
        .router()
        .private("stream", "")
        .component_of("near", "stream", "\"/echo\"", "")
        .settings("[limits]\nrequest_body = \"1KiB\"\n")
        .start()
        .await;
    for path in ["/echo", "/stream/echo"] {
        let mut client = app.client().await;
        assert_eq!(client.post(path, vec![b'a'; 1024]).await.status, 200);
        let announced = client.post(path, vec![b'a'; 1025]).await;
        let text = announced.text.as_str();
        assert_eq!(
            (announced.status.as_u16(), text),
            (413, "Payload Too Large\n"),
            "{path}"
        );
    }
    app.stopped().await;
}

#[tokio::test]
async fn a_body_without_a_length_is_bounded_too() {
    let app = TestApp::new()
        .component("reads", "\"/...\"", "")
        .settings("[limits]\nrequest_body = \"1KiB\"\n")
        .start()
        .await;
    let pieces = (0..2).map(|_| Ok::<_, Infallible>(Frame::data(Bytes::from_static(&[b'a'; 600]))));
    let body = StreamBody::new(futures::stream::iter(pieces));
    let request = Request::post("/")
        .body(body)
        .expect("the request is well formed");
    assert_eq!(app.client().await.ask(request).await.status, 413);
    app.stopped().await;
}

#[tokio::test]
async fn a_body_that_does_not_come_is_a_408() {
    let app = TestApp::new()
        .component("reads", "\"/...\"", "")
        .settings("[limits]\nidle_timeout = \"200ms\"\n")
        .start()
        .await;
    let mut client = TcpStream::connect(app.address)
        .await
        .expect("the host listens");
    let sent = b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 100\r\n\r\nhalf";
    client.write_all(sent).await.expect("the host reads");
    let mut answer = String::new();
    client
        .read_to_string(&mut answer)
        .await
        .expect("the answer is text");
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    app.stopped().await;
}

#[tokio::test]
async fn silent_clients_are_closed_and_slow_ones_get_a_reason() {
    let app = TestApp::new()
        .component("stream", "\"/...\"", "")
        .settings("[limits]\nidle_timeout = \"200ms\"\nkeep_alive = \"200ms\"\n")
        .start()
        .await;
    let whole = "GET /echo HTTP/1.1\r\nhost: h\r\n\r\n";
    let second = format!("{whole}GET /echo HTTP/1.1\r\nhos");
    for (sent, end) in [
        ("", None),
        ("PRI", Some("408")),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", None),
        ("GET / HTTP/1.1\r\nhost: h\r\nx", Some("408")),
        (whole, Some("200")),
        (&second, Some("408")),
    ] {
        let answer = answer_to(&app, sent.as_bytes()).await;
        let last = answer.rsplit_once("HTTP/1.1 ").map(|(_, last)| &last[..3]);
        assert_eq!(last, end, "{sent:?}: {answer}");
        let says_why = answer.ends_with("the headers did not arrive in time\n");
        assert_eq!(says_why, end == Some("408"), "{answer}");
    }
    app.stopped().await;
}

/// Sends bytes and reads until the host closes the connection; a reset is a failure.
async fn answer_to(app: &Running, sent: &[u8]) -> String {
    let mut client = TcpStream::connect(app.address)
        .await
        .expect("the host listens");
    // The host may end its side before it has read everything.
    let _ = client.write_all(sent).await;
    let mut answer = Vec::new();
    let read = tokio::time::timeout(PATIENCE, client.read_to_end(&mut answer)).await;
    read.expect("the host closes").expect("it does not reset");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_route_takes_heads_of_its_own_size() {
    let settings = r#"
        [limits]
        request_line = "8KiB"
        [routes."/wide".limits]
        request_line = "32KiB"
        header_count = 200
        [routes."/narrow".limits]
        header_count = 16
        [routes."/hello".limits]
        request_line = "32KiB"
        header_count = 16
    "#;
    let app = TestApp::new()
        .router()
        .private("hello", "")
        .component_of("usual", "hello", "\"/usual\"", "")
        .component_of("wide", "hello", "\"/wide\"", "")
        .component_of("narrow", "hello", "\"/narrow\"", "")
        .pattern("hello", "/hello")
        .pattern("wide", "/wide")
        .pattern("narrow", "/narrow")
        .settings(settings)
        .start()
        .await;
    // A request that the router component forwards counts as the client sent it.
    for (path, long_line, fields_20, fields_150) in [
        ("/usual", 414, 200, 431),
        ("/wide", 200, 200, 200),
        ("/narrow", 414, 431, 431),
        ("/hello/", 200, 431, 431),
    ] {
        let line = format!("{path}?{}", "a".repeat(20_000));
        assert_eq!(app.get(&line).await.status, long_line, "{path}");
        for (count, status) in [(20, fields_20), (150, fields_150)] {
            let fields = (0..count).map(|field| (format!("x-{field}"), "v"));
            let request = fields.fold(Request::get(path), |request, (name, value)| {
                request.header(name, value)
            });
            let request = request.body(Full::<Bytes>::default());
            let request = request.expect("it is well formed");
            let reply = app.client().await.ask(request).await;
            assert_eq!(reply.status, status, "{path} {count}: {}", reply.text);
        }
    }
    app.stopped().await;
}

#[tokio::test]
async fn a_client_reads_the_reason_before_the_connection_closes() {
    let app = TestApp::new()
        .component("reads", "\"/...\"", "")
        .settings("[limits]\nrequest_body = \"1KiB\"\n")
        .start()
        .await;
    let endless_line = vec![b'a'; 300 << 10];
    let line = [b"GET /", endless_line.as_slice()].concat();
    let field = [b"GET / HTTP/1.1\r\nhost: h\r\nx: ", endless_line.as_slice()].concat();
    let head = "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 4194304\r\n\r\n";
    let body = [head.as_bytes(), &vec![b'a'; 4 << 20]].concat();
    for (sent, status) in [(line, "431"), (field, "431"), (body, "413")] {
        let answer = answer_to(&app, &sent).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{answer}"
        );
    }
    app.stopped().await;
}

#[tokio::test]
async fn a_client_of_http2_that_does_not_read_is_given_up() {
    let app = TestApp::new()
        .component_of("unread", "endless", "\"/endless\"", "")
        .component("hello", "\"/hello\"", "")
        .settings("[limits]\nidle_timeout = \"300ms\"\n")
        .start()
        .await;
    let mut client = Client::connect_http2(app.address).await;
    let request = Request::get("/endless").body(Full::default());
    let unread = client.send(request.expect("it is well formed")).await;
    eventually("the start", || app.host.instances() == 1).await;
    // Other requests of the connection go on.
    while !logged(&["component=unread", "endless ended"]) {
        assert_eq!(client.get("/hello").await.status, 200);
    }
    drop(unread);
    drop(client);
    app.stopped().await;
}

#[tokio::test]
async fn idle_connections_have_a_time_of_their_own() {
    let app = TestApp::new()
        .component("hello", "\"/...\"", "")
        .settings("[limits]\nidle_timeout = \"150ms\"\nkeep_alive = \"1500ms\"\n")
        .start()
        .await;
    let (mut one, mut two) = (app.client().await, Client::connect_http2(app.address).await);
    for _ in 0..2 {
        assert_eq!(one.get("/").await.status, 200);
        assert_eq!(two.get("/").await.status, 200);
        tokio::time::sleep(Duration::from_millis(700)).await;
    }
    let slow_head = "GET / HTTP/1.1\r\nhost: h\r\n\r\nGET / HTTP/1.1\r\nhos";
    let start = Instant::now();
    let answer = answer_to(&app, slow_head.as_bytes()).await;
    assert!(answer.contains("HTTP/1.1 408 "), "{answer}");
    assert!(start.elapsed() < Duration::from_millis(1_400));
    one.closed().await;
    two.closed().await;
    app.stopped().await;
}

#[tokio::test]
async fn a_connection_of_http2_without_requests_ends() {
    let app = TestApp::new()
        .component("hello", "\"/...\"", "")
        .settings("[limits]\nidle_timeout = \"200ms\"\nkeep_alive = \"200ms\"\n")
        .start()
        .await;
    let mut client = Client::connect_http2(app.address).await;
    assert_eq!(client.get("/").await.status, 200);
    client.closed().await;
    app.stopped().await;
}

#[tokio::test]
async fn a_client_that_does_not_read_is_given_up() {
    let app = TestApp::new()
        .component("endless", "\"/...\"", "")
        .settings("[limits]\nidle_timeout = \"300ms\"\n")
        .start()
        .await;
    let mut client = TcpStream::connect(app.address)
        .await
        .expect("the host listens");
    let sent = b"GET / HTTP/1.1\r\nhost: h\r\n\r\n";
    client.write_all(sent).await.expect("the host reads");
    eventually("the start", || app.host.instances() == 1).await;
    eventually("the end of the response", || {
        logged(&["component=endless", "endless ended"])
    })
    .await;
    drop(client);
    app.stopped().await;
}
