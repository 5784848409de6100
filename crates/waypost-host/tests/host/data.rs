//! The data cache: values that handlers keep.

use super::support::{Client, PATIENCE, Reply, Running, TestApp, eventually, logged};
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const PATTERN: &str = "/data/[...rest]";

/// Serves the guest, under an id of its own for the log.
async fn serve(id: &str, lines: &str, settings: &str) -> Running {
    TestApp::new()
        .component_of(id, "data", "\"/...\"", lines)
        .pattern(id, PATTERN)
        .settings(settings)
        .start()
        .await
}

async fn text(app: &Running, path: &str) -> String {
    app.get(path).await.text
}

async fn post(app: &Running, path: &str) {
    let reply = app.client().await.post(path, String::new()).await;
    assert_eq!(reply.status, 200, "{path}");
}

/// Waits until a value differs from an old one, and returns it.
async fn until_new(app: &Running, path: &str, old: &str) -> String {
    let began = Instant::now();
    loop {
        let new = text(app, path).await;
        if new != old {
            return new;
        }
        assert!(began.elapsed() < PATIENCE, "{path} stays old");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_value_is_made_once_for_its_arguments() {
    let app = serve("once", "", "").await;
    let first = text(&app, "/data/value?id=a").await;
    assert_eq!(text(&app, "/data/value?id=a").await, first);
    assert_ne!(text(&app, "/data/value?id=b").await, first);
    let named = text(&app, "/data/named?id=a").await;
    assert_eq!(text(&app, "/data/named?id=a").await, named);
    assert_ne!(named, first);
    for (event, count) in [("data_hit", 2), ("data_miss", 3), ("data_stored", 3)] {
        let metric = format!("waypost_cache_events_total{{event=\"{event}\"}}");
        assert_eq!(app.metric(&metric).await, count, "{event}");
    }
    assert_eq!(app.metric("waypost_cache_entries").await, 3);
    app.stopped().await;
}

#[tokio::test]
async fn requests_wait_for_the_one_that_makes_the_value() {
    let app = Arc::new(serve("waiting", "", "").await);
    let requests = (0..20).map(|_| {
        let app = Arc::clone(&app);
        tokio::spawn(async move { text(&app, "/data/value?id=a&pause=100").await })
    });
    let mut values = BTreeSet::new();
    for request in requests.collect::<Vec<_>>() {
        values.insert(request.await.expect("it does not panic"));
    }
    assert_eq!(values.len(), 1, "{values:?}");
    let app = Arc::into_inner(app).expect("nobody else has it");
    app.stopped().await;
}

#[tokio::test]
async fn revalidated_values_are_made_anew() {
    let app = serve("revalidated", "", "").await;
    const PATH: &str = "/data/value?id=a";
    let (first, other) = (text(&app, PATH).await, text(&app, "/data/value?id=b").await);
    post(&app, "/data/expire?tag=value-a").await;
    let second = text(&app, PATH).await;
    assert_ne!(second, first);
    assert_eq!(text(&app, "/data/value?id=b").await, other);
    // The first request gets the stale value, and then makes a new one.
    post(&app, "/data/stale?tag=values").await;
    assert_eq!(text(&app, PATH).await, second);
    let third = until_new(&app, PATH, &second).await;
    // As in Next, a handler's path stands for its data.
    post(&app, "/data/path?url=/data/value").await;
    let fourth = text(&app, PATH).await;
    assert_ne!(fourth, third);
    post(&app, "/data/path?url=/data/other").await;
    assert_eq!(text(&app, PATH).await, fourth);
    app.stopped().await;
}

#[tokio::test]
async fn revalidations_after_the_head_count() {
    let app = serve("late", "", "").await;
    const PATH: &str = "/data/value?id=a";
    let first = text(&app, PATH).await;
    post(&app, "/data/after?tag=values").await;
    let second = until_new(&app, PATH, &first).await;
    assert_eq!(
        text(&app, "/data/late?tag=values").await,
        "streaming Ok(())"
    );
    until_new(&app, PATH, &second).await;
    app.stopped().await;
}

#[tokio::test]
async fn a_stale_value_is_refreshed_behind_a_response() {
    let app = serve("short", "", "").await;
    let first = text(&app, "/data/short").await;
    assert_eq!(text(&app, "/data/short").await, first);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(text(&app, "/data/short").await, first);
    until_new(&app, "/data/short", &first).await;
    app.stopped().await;
}

#[tokio::test]
async fn a_value_depends_on_the_values_that_it_is_made_of() {
    let app = serve("nested", "", "").await;
    const PATH: &str = "/data/outer?id=a";
    let parts = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let first = parts(&text(&app, PATH).await);
    assert_eq!(parts(&text(&app, PATH).await), first);
    post(&app, "/data/expire?tag=value-a").await;
    let second = parts(&text(&app, PATH).await);
    assert!(first[1] != second[1] && first[2] != second[2]);
    // It has the shortest time of them, and is not made of a stale one.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let stale = text(&app, PATH).await;
    assert_eq!(parts(&stale), second);
    let third = parts(&until_new(&app, PATH, &stale).await);
    assert!(second[0] != third[0] && second[1] == third[1] && second[2] != third[2]);
    app.stopped().await;
}

fn cached(policy: &str) -> String {
    format!("[routes.\"{PATTERN}\".cache]\nquery = [\"id\", \"pause\"]\n{policy}\n")
}

fn outcome(reply: &Reply) -> &str {
    let outcome = reply.headers.get("x-waypost-cache");
    outcome.map_or("none", |value| value.to_str().expect("it is text"))
}

#[tokio::test]
async fn a_response_depends_on_its_values() {
    let app = serve("response", "", &cached("revalidate = \"1h\"")).await;
    const PATH: &str = "/data/value?id=a";
    let first = app.get(PATH).await;
    assert_eq!(outcome(&first), "MISS");
    assert_eq!(outcome(&app.get(PATH).await), "HIT");
    post(&app, "/data/stale?tag=value-a").await;
    let stale = app.get(PATH).await;
    assert_eq!((outcome(&stale), &stale.text), ("STALE", &first.text));
    // The response that replaces it is not made of the stale value.
    let new = until_new(&app, PATH, &first.text).await;
    let hit = app.get(PATH).await;
    assert_eq!((outcome(&hit), &hit.text), ("HIT", &new));
    post(&app, "/data/expire?tag=values").await;
    let expired = app.get(PATH).await;
    assert_eq!(outcome(&expired), "MISS");
    assert_ne!(expired.text, new);
    // The shorter time counts, as in Next.
    let short = app.get("/data/short").await;
    assert_eq!(
        short.headers["cache-control"],
        "s-maxage=1, stale-while-revalidate=31535999"
    );
    app.stopped().await;
}

#[tokio::test]
async fn a_value_that_can_not_be_made_holds_nobody_up() {
    let app = Arc::new(serve("failing", "", "").await);
    for id in ["failing", "panicking"] {
        let began = Instant::now();
        let requests = (0..10).map(|_| {
            let app = Arc::clone(&app);
            let path = format!("/data/value?id={id}&pause=50");
            tokio::spawn(async move { app.get(&path).await.status })
        });
        for request in requests.collect::<Vec<_>>() {
            let status = request.await.expect("it does not panic");
            assert!(status.is_server_error(), "{id}");
        }
        // Not one after the other, and nobody waits for one that has ended.
        assert!(began.elapsed() < Duration::from_secs(5), "{id}");
    }
    let app = Arc::into_inner(app).expect("nobody else has it");
    assert_eq!(app.metric("waypost_cache_entries").await, 0);
    app.stopped().await;
}

#[tokio::test]
async fn a_maker_whose_client_leaves_is_replaced() {
    let app = serve("leaving", "", "[limits]\nmax_duration = \"2s\"").await;
    let leaving = app.client().await;
    let asked = tokio::time::timeout(
        Duration::from_millis(100),
        leaving_get(leaving, "/data/value?id=a&pause=60000"),
    );
    assert!(asked.await.is_err());
    // The maker may go on until its time is over. Then another one makes the value.
    let reply = app.get("/data/value?id=a&pause=0").await;
    assert_eq!(reply.status, 200);
    let began = Instant::now();
    let overdue = app.get("/data/value?id=a&pause=60000").await;
    assert!(overdue.status.is_server_error());
    assert!(began.elapsed() < PATIENCE);
    app.stopped().await;
}

async fn leaving_get(mut client: Client, path: &str) -> Reply {
    client.get(path).await
}

#[tokio::test]
async fn a_value_that_is_too_large_is_not_stored() {
    let app = serve(
        "large-value",
        "",
        "[cache]\nmemory = \"1MiB\"\nentry = \"64KiB\"",
    )
    .await;
    let text = async |size: usize| text(&app, &format!("/data/large?size={size}")).await;
    assert_eq!(text(10_000).await, text(10_000).await);
    assert_ne!(text(100_000).await, text(100_000).await);
    assert!(logged(&["component=large-value", "`entry`"]));
    app.stopped().await;
}

#[tokio::test]
async fn no_component_sees_what_another_one_stored() {
    let app = TestApp::new()
        .component_of("one", "data", "\"/data/value/one\"", "")
        .component_of("two", "data", "\"/data/...\"", "")
        .pattern("one", "/data/value/one")
        .pattern("two", PATTERN)
        .start()
        .await;
    let ask = async |path: &str| text(&app, &format!("/data/value/{path}?id=a")).await;
    let (one, two) = (ask("one").await, ask("two").await);
    assert_ne!(one, two);
    assert_eq!(
        (ask("one").await, ask("two").await),
        (one.clone(), two.clone())
    );
    // They have the same tags.
    post(&app, "/data/expire?tag=value-a").await;
    assert!(ask("one").await != one && ask("two").await != two);
    app.stopped().await;
}

#[tokio::test]
async fn a_forged_request_gets_nothing() {
    // It may ask any server, and yet no other host of the domain.
    let app = serve("forging", "allowed_outbound_hosts = [\"*://*:*\"]", "").await;
    let first = text(&app, "/data/value?id=a").await;
    for (url, method, expected) in [
        // The lease of another instance, or of none.
        (
            "http://cache.waypost.internal/leases/1",
            "PUT",
            "404 Not Found",
        ),
        (
            "http://cache.waypost.internal/leases/1",
            "DELETE",
            "204 No Content",
        ),
        (
            "http://cache.waypost.internal/values/x",
            "GET",
            "404 Not Found",
        ),
        (
            "http://cache.waypost.internal/values/%25",
            "GET",
            "404 Not Found",
        ),
        (
            "http://cache.waypost.internal/values/x",
            "PUT",
            "405 Method Not Allowed",
        ),
        ("http://cache.waypost.internal/", "GET", "404 Not Found"),
        (
            "http://cache.waypost.internal/revalidations",
            "POST",
            "204 No Content",
        ),
        (
            "http://CACHE.waypost.internal/values/x",
            "GET",
            "404 Not Found",
        ),
        (
            "http://other.waypost.internal/",
            "GET",
            "there was no response",
        ),
        (
            "http://cache.waypost.internal:81/",
            "GET",
            "there was no response",
        ),
        (
            "http://cache.waypost.internal./",
            "GET",
            "there was no response",
        ),
    ] {
        let path = format!(
            "/data/forge?method={method}&url={}",
            url.replace('%', "%25")
        );
        let reply = text(&app, &path).await;
        assert!(reply.starts_with(expected), "{method} {url}: {reply}");
    }
    assert_eq!(text(&app, "/data/value?id=a").await, first);
    app.stopped().await;
}

#[tokio::test]
async fn a_client_does_not_reach_the_data_cache() {
    let app = serve("outside", "", "").await;
    let first = text(&app, "/data/value?id=a").await;
    for (method, path) in [("GET", "/values/x"), ("POST", "/revalidations")] {
        for host in ["cache.waypost.internal", "localhost"] {
            let request = Request::builder()
                .method(method)
                .uri(path)
                .header("host", host)
                .header("x-waypost-revalidate", "tag!:values")
                .body(Full::<Bytes>::default())
                .expect("the request is well formed");
            let reply = app.client().await.ask(request).await;
            assert!(reply.status.is_client_error(), "{method} {path}");
        }
    }
    assert_eq!(text(&app, "/data/value?id=a").await, first);
    app.stopped().await;
}

#[tokio::test]
async fn draft_mode_passes_the_data_cache() {
    let secret = "environment = { WAYPOST_DRAFT_SECRET = \"s3cret\" }";
    let app = serve("draft-data", secret, "").await;
    let first = text(&app, "/data/value?id=a").await;
    let ask = async |secret: &str| {
        let request = Request::builder()
            .uri("/data/value?id=a")
            .header("cookie", format!("__prerender_bypass={secret}"))
            .body(Full::<Bytes>::default())
            .expect("the request is well formed");
        app.client().await.ask(request).await.text
    };
    assert_ne!(ask("s3cret").await, first);
    assert_eq!(ask("other").await, first);
    assert_eq!(text(&app, "/data/value?id=a").await, first);
    app.stopped().await;
}

#[tokio::test]
async fn without_a_cache_each_value_is_made_anew() {
    let app = TestApp::new()
        .component_of("no-data", "data", "\"/...\"", "")
        .pattern("no-data", PATTERN)
        .profile(waypost_host::HostProfile::Spin)
        .start()
        .await;
    assert_eq!(text(&app, "/data/environment").await, "");
    let first = text(&app, "/data/value?id=a").await;
    assert_ne!(text(&app, "/data/value?id=a").await, first);
    let forged = "/data/forge?method=GET&url=http://cache.waypost.internal/values/x";
    assert!(
        text(&app, forged)
            .await
            .starts_with("there was no response")
    );
    app.stopped().await;
    let app = serve("with-data", "", "").await;
    assert_eq!(text(&app, "/data/environment").await, "data");
    app.stopped().await;
}

/// Serves a counter: each response is the number of requests for its path so far.
async fn counter() -> (SocketAddr, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port is free");
    let address = listener.local_addr().expect("the listener is bound");
    let count = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let count = Arc::clone(&counted);
            tokio::spawn(async move {
                let mut buffer = [0; 4096];
                let _ = stream.read(&mut buffer).await;
                let number = (count.fetch_add(1, Ordering::SeqCst) + 1).to_string();
                let head = format!(
                    "HTTP/1.1 200 OK\r\nset-cookie: a=1\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                    number.len()
                );
                let _ = stream.write_all((head + &number).as_bytes()).await;
            });
        }
    });
    (address, count)
}

#[tokio::test]
async fn a_fetch_is_cached() {
    let (server, count) = counter().await;
    let grant = format!("allowed_outbound_hosts = [\"http://{server}\"]");
    let app = serve("fetching", &grant, "").await;
    let path = format!("/data/fetch?url=http://{server}/a");
    assert_eq!(text(&app, &path).await, "1");
    assert_eq!(text(&app, &path).await, "1");
    post(&app, "/data/expire?tag=fetched").await;
    assert_eq!(text(&app, &path).await, "2");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(text(&app, &path).await, "2");
    assert_eq!(until_new(&app, &path, "2").await, "3");
    eventually("no further request", || count.load(Ordering::SeqCst) == 3).await;
    app.stopped().await;
}
