//! A target that led to a hit is answered at the door: nothing may tell such a response from one of the usual way.

use super::{ask, get, outcome, request, revalidate, serve, until_new};
use crate::support::program;
use http::{HeaderMap, Method};
use std::time::Duration;

/// Returns the headers without those of the time and of the connection.
fn lasting(mut headers: HeaderMap) -> HeaderMap {
    for name in ["date", "age", "connection"] {
        headers.remove(name);
    }
    headers
}

#[tokio::test]
async fn a_response_at_the_door_is_that_of_the_usual_way() {
    let app = serve("door-same", "revalidate = \"1h\"", "").await;
    let first = get(&app, "/cached/a", &[]).await;
    let etag = first.headers["etag"].to_str().expect("it is text");
    // A header of the connection keeps a request from the door.
    let usual = ("connection", "x-none");
    let cases: &[&[(&str, &str)]] = &[
        &[],
        &[("if-none-match", etag)],
        &[("if-none-match", "\"other\"")],
        &[("if-match", "\"other\"")],
        &[("range", "bytes=1-3")],
        &[("range", "bytes=900000-")],
        &[("range", "bytes=1-3"), ("if-range", "\"other\"")],
        &[("cookie", "a=1"), ("authorization", "Bearer x")],
        &[("x-forwarded-host", "evil.example")],
        &[("connection", "close")],
    ];
    for headers in cases {
        for method in [Method::GET, Method::HEAD] {
            let mut usual_headers = headers.to_vec();
            usual_headers.push(usual);
            let ask = async |headers: &[(&str, &str)]| {
                let request = request(method.clone(), "/cached/a", headers);
                app.client().await.ask(request).await
            };
            let (expected, noted) = (ask(&usual_headers).await, ask(headers).await);
            assert_eq!(outcome(&expected), "HIT", "{headers:?}");
            let closes = headers.contains(&("connection", "close"));
            for reply in [noted, ask(headers).await] {
                assert_eq!(reply.headers.contains_key("connection"), closes);
                let (ours, theirs) = (lasting(reply.headers), lasting(expected.headers.clone()));
                assert_eq!(
                    (reply.status, &reply.text),
                    (expected.status, &expected.text)
                );
                assert_eq!(ours, theirs, "{method} {headers:?}");
            }
        }
    }
    app.stopped().await;
}

#[tokio::test]
async fn what_another_header_hides_does_not_count_at_the_door() {
    let app = serve("door-hidden", "", "").await;
    for _ in 0..3 {
        ask(&app, "/cached/a").await;
    }
    let hidden = [("range", "bytes=0-1"), ("connection", "range, keep-alive")];
    let reply = get(&app, "/cached/a", &hidden).await;
    assert_eq!(reply.status, 200);
    // A second host is refused, as everywhere.
    let two = [("host", "a.example"), ("host", "b.example")];
    assert_eq!(get(&app, "/cached/a", &two).await.status, 400);
    // Another host, and another spelling of the path, are other targets.
    let other = get(&app, "/cached/a", &[("host", "other.example")]).await;
    assert_eq!(outcome(&other), "MISS");
    assert_eq!(ask(&app, "/cached/%61").await.0, "HIT");
    // A request with a body, or another method, reaches the handler.
    let reply = app.client().await.post("/cached/a", "tag!:none").await;
    assert_eq!(
        (reply.status.as_u16(), outcome(&reply).as_str()),
        (200, "none")
    );
    // What is too large is refused, though the target is known.
    let large = "x".repeat(100_000);
    let reply = get(&app, "/cached/a", &[("x-large", &large)]).await;
    assert_eq!(reply.status, 431);
    app.stopped().await;
}

#[tokio::test]
async fn the_door_knows_what_was_revalidated() {
    let policy = "tags = [\"all\"]\nrevalidate = \"1h\"";
    let app = serve("door-changed", policy, "").await;
    for _ in 0..3 {
        ask(&app, "/cached/a").await;
    }
    let (_, old) = ask(&app, "/cached/a").await;
    revalidate(&app, "tag!:all").await;
    let (outcome, new) = ask(&app, "/cached/a").await;
    assert_eq!((outcome.as_str(), new == old), ("MISS", false));
    for _ in 0..3 {
        assert_eq!(ask(&app, "/cached/a").await, ("HIT".into(), new.clone()));
    }
    // A soft change has a new response made, though the target is known.
    revalidate(&app, "tag:all").await;
    assert_eq!(ask(&app, "/cached/a").await.0, "STALE");
    until_new(&app, "/cached/a", &new).await;
    app.stopped().await;
}

#[tokio::test]
async fn a_stale_response_at_the_door_tells_its_age() {
    let app = serve("door-stale", "revalidate = 1", "").await;
    for _ in 0..3 {
        ask(&app, "/cached/once").await;
    }
    tokio::time::sleep(Duration::from_millis(1100)).await;
    for _ in 0..5 {
        let reply = get(&app, "/cached/once", &[]).await;
        assert_eq!(outcome(&reply), "STALE");
        let age = reply.headers["age"].to_str().map(str::parse::<i64>);
        let age = age.expect("it is text").expect("it is a number");
        assert!(age >= 1);
        let status = format!("waypost; hit; ttl={}", 1 - age);
        assert_eq!(reply.headers["cache-status"], status.as_str());
    }
    app.stopped().await;
}

#[tokio::test]
async fn a_new_version_is_served_though_its_target_is_known() {
    let app = serve("door-version", "", "").await;
    for _ in 0..3 {
        ask(&app, "/cached/a").await;
    }
    let (_, old) = ask(&app, "/cached/a").await;
    let file = app.app.path().join("door-version.wasm");
    std::fs::copy(program("hello"), file).expect("the folder is writable");
    // The host looks at the file every half second.
    tokio::time::sleep(Duration::from_millis(600)).await;
    let (_, new) = ask(&app, "/cached/a").await;
    assert_ne!(new, old);
    app.stopped().await;
}
