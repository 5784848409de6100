//! What is stored, and within which bounds.

use super::super::support::{eventually, logged};
use super::{ask, get, outcome, request, serve};
use http::Method;
use http_body_util::BodyExt;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

#[tokio::test]
async fn what_is_for_one_client_is_not_stored() {
    let app = serve("private", "", "").await;
    for path in ["/cached/cookie", "/cached/private", "/cached/error"] {
        let texts = [ask(&app, path).await, ask(&app, path).await];
        assert_ne!(texts[0].1, texts[1].1, "{path}");
        assert!(texts.iter().all(|(outcome, _)| outcome == "MISS"), "{path}");
    }
    let reply = get(&app, "/cached/cookie", &[]).await;
    assert_eq!(reply.headers["cache-control"], "private, no-store");
    assert_eq!(
        reply.headers["cache-status"],
        "waypost; fwd=uri-miss; detail=\"the response has set-cookie\""
    );
    assert!(logged(&["component=private", "set-cookie"]));
    // They do not wait for each other once that is known.
    let began = Instant::now();
    let clients = (0..20).map(|_| async { ask(&app, "/cached/cookie").await.1 });
    let texts: BTreeSet<_> = futures::future::join_all(clients)
        .await
        .into_iter()
        .collect();
    assert_eq!(texts.len(), 20);
    assert!(began.elapsed() < Duration::from_secs(2));
    app.stopped().await;
}

#[tokio::test]
async fn a_body_that_is_too_large_or_breaks_off_is_sent_but_not_stored() {
    let app = serve("large", "", "[cache]\nentry = \"50kB\"\n").await;
    for _ in 0..2 {
        let reply = get(&app, "/cached/large", &[]).await;
        assert_eq!(
            (outcome(&reply).as_str(), reply.text.len()),
            ("MISS", 100_000)
        );
    }
    for _ in 0..2 {
        let mut client = app.client().await;
        let request = request(Method::GET, "/cached/cut", &[]);
        let response = client.send(request).await.expect("the head comes");
        assert!(response.into_body().collect().await.is_err());
    }
    eventually("the warning", || logged(&["component=large", "too large"])).await;
    app.stopped().await;
}

#[tokio::test]
async fn the_memory_stays_within_its_bound() {
    let app = serve("bounded", "", "[cache]\nmemory = \"1MiB\"\n").await;
    let mut client = app.client().await;
    for number in 0..2000 {
        let reply = client.get(&format!("/cached/{number}")).await;
        assert_eq!(reply.status, 200);
    }
    let bytes = app.metric("waypost_cache_bytes").await;
    assert!((1 << 19..=1 << 20).contains(&bytes), "{bytes} bytes");
    app.stopped().await;
}

#[tokio::test]
async fn small_pieces_count_for_what_they_take() {
    let app = serve("crumbs", "", "[cache]\nentry = \"50kB\"\n").await;
    for _ in 0..2 {
        let (outcome, text) = ask(&app, "/cached/crumbs").await;
        assert_eq!((outcome.as_str(), text.len()), ("MISS", 1000));
    }
    app.stopped().await;
}
