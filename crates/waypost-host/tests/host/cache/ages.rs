//! How long a response is served, and what is served while a new one is made.

use super::{ask, get, outcome, serve, until_new};
use std::time::Duration;

#[tokio::test]
async fn a_stored_response_is_served_again() {
    let app = serve("again", "revalidate = 60", "").await;
    let first = get(&app, "/cached/a", &[]).await;
    assert_eq!(outcome(&first), "MISS");
    assert_eq!(
        first.headers["cache-status"],
        "waypost; fwd=uri-miss; stored"
    );
    let second = get(&app, "/cached/a", &[]).await;
    assert_eq!(
        (outcome(&second), &second.text),
        ("HIT".into(), &first.text)
    );
    assert_eq!(second.headers["age"], "0");
    assert_eq!(second.headers["content-type"], "text/plain");
    assert_eq!(
        second.headers["cache-control"],
        "s-maxage=60, stale-while-revalidate=31535940"
    );
    assert_eq!(
        second.headers["content-length"],
        first.text.len().to_string().as_str()
    );
    assert_eq!(first.headers["etag"], second.headers["etag"]);
    for reply in [&first, &second] {
        let names = reply.headers.keys().map(|name| name.as_str());
        let internal: Vec<_> = names
            .filter(|name| name.starts_with("x-waypost-"))
            .collect();
        assert_eq!(internal, ["x-waypost-cache"]);
    }
    // Other spellings of the path have the same key, and other paths do not.
    assert_eq!(ask(&app, "/cached/%61").await.0, "HIT");
    assert_eq!(ask(&app, "/cached/b").await.0, "MISS");
    app.stopped().await;
}

#[tokio::test]
async fn a_stale_response_is_served_while_a_new_one_is_made() {
    let app = serve("stale", "revalidate = 1", "").await;
    let (_, old) = ask(&app, "/cached/a").await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(ask(&app, "/cached/a").await, ("STALE".into(), old.clone()));
    until_new(&app, "/cached/a", &old).await;
    assert_eq!(ask(&app, "/cached/a").await.0, "HIT");
    app.stopped().await;
}

#[tokio::test]
async fn a_response_that_expired_is_not_served() {
    let app = serve("expired", "revalidate = 1\nexpire = 1", "").await;
    let (_, old) = ask(&app, "/cached/a").await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let reply = get(&app, "/cached/a", &[]).await;
    assert_eq!(outcome(&reply), "MISS");
    assert_ne!(reply.text, old);
    assert_eq!(reply.headers["cache-status"], "waypost; fwd=stale; stored");
    app.stopped().await;
}

#[tokio::test]
async fn the_old_response_stays_when_the_new_one_fails() {
    let app = serve("failing", "revalidate = 1", "").await;
    let (_, old) = ask(&app, "/cached/once").await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    for _ in 0..20 {
        assert_eq!(
            ask(&app, "/cached/once").await,
            ("STALE".into(), old.clone())
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // It is not tried again for three seconds.
    let runs = app.metric("waypost_cache_events_total{event=\"refresh\"}");
    assert_eq!(runs.await, 1);
    app.stopped().await;
}

#[tokio::test]
async fn a_missing_page_is_kept_for_a_minute_at_most() {
    let app = serve("missing", "", "").await;
    let reply = get(&app, "/cached/missing", &[]).await;
    assert_eq!(reply.status, 404);
    assert_eq!(reply.headers["cache-control"], "s-maxage=60");
    assert_eq!(ask(&app, "/cached/missing").await.0, "HIT");
    app.stopped().await;
}

#[tokio::test]
async fn what_is_never_stale_is_refreshed_before_it_expires() {
    let app = serve("early", "revalidate = 3\nexpire = 3", "").await;
    let refreshes = "waypost_cache_events_total{event=\"refresh\"}";
    // The run takes more than a third of the time, so most requests near the end begin a refresh.
    let (first, old) = ask(&app, "/cached/slower").await;
    assert_eq!(first, "MISS");
    while app.metric(refreshes).await == 0 {
        let (hit, text) = ask(&app, "/cached/slower").await;
        assert_eq!((hit.as_str(), &text), ("HIT", &old));
    }
    until_new(&app, "/cached/slower", &old).await;
    assert_eq!(
        app.metric("waypost_cache_events_total{event=\"miss\"}")
            .await,
        1
    );
    app.stopped().await;
}
