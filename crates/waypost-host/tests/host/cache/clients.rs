//! What clients get of a stored response: all or a part of it, or a 304, compressed forms, and headers for CDNs.

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
async fn conditional_and_partial_requests_use_the_stored_response() {
    let app = serve("conditional", "", "").await;
    // The response that fills the cache has no tag if its body comes late.
    ask(&app, "/cached/a").await;
    let first = get(&app, "/cached/a", &[]).await;
    let etag = first.headers["etag"]
        .to_str()
        .expect("it is text")
        .to_owned();
    let reply = get(&app, "/cached/a", &[("if-none-match", &etag)]).await;
    assert_eq!((reply.status.as_u16(), reply.text.as_str()), (304, ""));
    assert_eq!(reply.headers["etag"], etag.as_str());
    assert!(reply.headers.get("content-type").is_none());
    let reply = get(&app, "/cached/a", &[("range", "bytes=2-5")]).await;
    assert_eq!(
        (reply.status.as_u16(), reply.text.as_str()),
        (206, &first.text[2..6])
    );
    let total = first.text.len();
    assert_eq!(
        reply.headers["content-range"],
        format!("bytes 2-5/{total}").as_str()
    );
    let reply = get(&app, "/cached/a", &[("range", "bytes=99999-")]).await;
    assert_eq!(reply.status, 416);
    assert_eq!(
        reply.headers["content-range"],
        format!("bytes */{total}").as_str()
    );
    let other = [("range", "bytes=2-5"), ("if-range", "\"other\"")];
    assert_eq!(get(&app, "/cached/a", &other).await.status, 200);
    app.stopped().await;
}

#[tokio::test]
async fn another_version_that_the_client_has_a_part_of_is_refused() {
    let app = serve("if-match", "", "").await;
    let first = get(&app, "/cached/a", &[]).await;
    let etag = first.headers["etag"]
        .to_str()
        .expect("it is text")
        .to_owned();
    let part = |tag: &str| {
        [
            ("range", "bytes=0-1".to_owned()),
            ("if-match", tag.to_owned()),
        ]
    };
    for (tag, status) in [
        (etag.as_str(), 206),
        ("*", 206),
        ("\"other\"", 412),
        (&format!("W/{etag}"), 412),
    ] {
        let headers = part(tag);
        let headers = [0, 1].map(|index| (headers[index].0, headers[index].1.as_str()));
        assert_eq!(
            get(&app, "/cached/a", &headers).await.status,
            status,
            "{tag}"
        );
    }
    app.stopped().await;
}
