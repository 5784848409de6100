//! What clients get of a stored response: compressed forms, and headers for CDNs.

use super::{ask, get, outcome, request, serve};
use flate2::write::GzDecoder;
use http::Method;
use http_body_util::BodyExt;
use std::io::Write;

const COMPRESS: &str = "[server]\ncompress = true\n";
const BYTES: &str = "waypost_cache_bytes";

#[tokio::test]
async fn a_stored_body_is_compressed_once() {
    let app = serve("compressed", "revalidate = 60", COMPRESS).await;
    let plain = get(&app, "/cached/a", &[]).await;
    let before = app.metric(BYTES).await;
    let mut sizes = Vec::new();
    let gzip = [("accept-encoding", "gzip")];
    for _ in 0..3 {
        let mut client = app.client().await;
        let asked = request(Method::GET, "/cached/a", &gzip);
        let response = client.send(asked).await.expect("the head comes");
        let headers = response.headers().clone();
        assert_eq!(headers["x-waypost-cache"], "HIT");
        assert_eq!(headers["content-encoding"], "gzip");
        assert_eq!(headers["vary"], "accept-encoding");
        let strong = plain.headers["etag"].to_str().expect("it is a text");
        assert_eq!(headers["etag"], format!("W/{strong}"));
        let body = response.into_body().collect().await.expect("it is whole");
        let body = body.to_bytes();
        assert_eq!(headers["content-length"], body.len().to_string());
        let mut decoder = GzDecoder::new(Vec::new());
        decoder.write_all(&body).expect("it is gzip");
        assert_eq!(
            decoder.finish().expect("it is whole"),
            plain.text.as_bytes()
        );
        sizes.push(app.metric(BYTES).await - before);
        assert_eq!(sizes[0], u64::try_from(body.len()).expect("it is small"));
    }
    assert_eq!(sizes, [sizes[0]; 3]);
    // Others get it as it was.
    let deflate = get(&app, "/cached/a", &[("accept-encoding", "deflate")]).await;
    assert_eq!(deflate.headers["content-encoding"], "deflate");
    let same = get(&app, "/cached/a", &[]).await;
    assert_eq!((same.text, outcome(&deflate).as_str()), (plain.text, "HIT"));
    let asked = request(Method::HEAD, "/cached/a", &gzip);
    let head = app.client().await.ask(asked).await;
    assert_eq!(head.headers["content-encoding"], "gzip");
    let part = get(&app, "/cached/a", &[gzip[0], ("range", "bytes=0-3")]).await;
    assert_eq!((part.status.as_u16(), part.text.len()), (206, 4));
    assert!(!part.headers.contains_key("content-encoding"));
    app.stopped().await;
}

#[tokio::test]
async fn a_304_varies_as_the_response_that_it_stands_for() {
    let app = serve("varying", "revalidate = 60", COMPRESS).await;
    ask(&app, "/cached/a").await;
    for (headers, is_weak) in [
        (vec![("if-none-match", "*")], false),
        (
            vec![("if-none-match", "*"), ("accept-encoding", "gzip")],
            true,
        ),
    ] {
        let reply = get(&app, "/cached/a", &headers).await;
        assert_eq!(
            (reply.status.as_u16(), outcome(&reply).as_str()),
            (304, "HIT")
        );
        assert_eq!(reply.headers["vary"], "accept-encoding");
        let etag = reply.headers["etag"].to_str().expect("it is a text");
        assert_eq!(etag.starts_with("W/"), is_weak, "{etag}");
    }
    app.stopped().await;
}

#[tokio::test]
async fn cdns_get_times_and_tags_of_what_is_stored() {
    let policy = "revalidate = 60\nexpire = 600\ntags = [\"all posts\"]";
    let app = serve("for-cdns", policy, "[cache]\ncdn = true\n").await;
    for _ in 0..2 {
        let reply = get(&app, "/cached/tagged", &[]).await;
        let control = &reply.headers["cdn-cache-control"];
        assert_eq!(control, "max-age=60, stale-while-revalidate=540");
        assert_eq!(reply.headers["cache-tag"], "all%20posts,own");
        assert_eq!(
            reply.headers["cache-control"],
            "s-maxage=60, stale-while-revalidate=540"
        );
    }
    let private = get(&app, "/cached/private", &[]).await;
    assert!(!private.headers.contains_key("cdn-cache-control"));
    app.stopped().await;
    let app = serve("without-cdns", policy, "").await;
    let reply = get(&app, "/cached/tagged", &[]).await;
    assert!(!reply.headers.contains_key("cdn-cache-control"));
    assert!(!reply.headers.contains_key("cache-tag"));
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
    super::until_new(&app, "/cached/slower", &old).await;
    assert_eq!(app.metric(refreshes).await, 1);
    assert_eq!(
        app.metric("waypost_cache_events_total{event=\"miss\"}")
            .await,
        1
    );
    app.stopped().await;
}
