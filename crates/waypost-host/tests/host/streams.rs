//! Bodies that come piece by piece, and bodies that fail.

use super::support::{PATIENCE, TestApp, eventually, logged};
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use std::convert::Infallible;
use std::time::{Duration, Instant};

#[tokio::test]
async fn a_stream_flows_both_ways_at_once() {
    for guest in ["stream", "stream02"] {
        let app = TestApp::new()
            .component(guest, "\"/...\"", "")
            .start()
            .await;
        let mut client = app.client().await;
        let (mut send, receive) =
            futures::channel::mpsc::channel::<Result<Frame<Bytes>, Infallible>>(1);
        let request = Request::post("/echo")
            .body(StreamBody::new(receive))
            .expect("the request is well formed");
        let mut response = client
            .send(request)
            .await
            .expect("the head comes before the body");
        assert_eq!(response.status(), 200);
        for piece in ["one", "two", "three"] {
            let frame = Frame::data(Bytes::from_static(piece.as_bytes()));
            send.try_send(Ok(frame))
                .expect("the piece before was taken");
            let echoed = tokio::time::timeout(PATIENCE, response.frame())
                .await
                .expect("the echo comes");
            let echoed = echoed
                .expect("the stream goes on")
                .expect("the stream is whole");
            assert_eq!(echoed.into_data().expect("it is data"), piece);
        }
        drop(send);
        assert!(response.frame().await.is_none());
        app.stopped().await;
    }
}

#[tokio::test]
async fn the_head_of_a_slow_stream_does_not_wait() {
    let app = TestApp::new()
        .component("stream", "\"/...\"", "")
        .start()
        .await;
    app.get("/two").await;
    let start = Instant::now();
    let request = Request::get("/two")
        .body(Full::default())
        .expect("the request is well formed");
    let response = app
        .client()
        .await
        .send(request)
        .await
        .expect("the head comes");
    assert_eq!(response.status(), 200);
    assert!(
        start.elapsed() < Duration::from_millis(400),
        "{:?}",
        start.elapsed()
    );
    app.stopped().await;
}

#[tokio::test]
async fn a_stream_that_fails_before_its_first_byte_is_a_500() {
    let app = TestApp::new()
        .component("stream", "\"/...\"", "")
        .start()
        .await;
    let reply = app.get("/fail").await;
    assert_eq!(reply.status, 500);
    assert!(reply.headers.contains_key("x-request-id"));
    app.stopped().await;
}

#[tokio::test]
async fn a_stream_that_fails_later_is_cut() {
    let app = TestApp::new()
        .router()
        .private("stream", "")
        .component_of("near", "stream", "\"/cut\"", "")
        .start()
        .await;
    for path in ["/cut", "/stream/cut"] {
        let mut client = app.client().await;
        let request = Request::get(path)
            .body(Full::default())
            .expect("the request is well formed");
        let response = client.send(request).await.expect("the head comes");
        let body = tokio::time::timeout(PATIENCE, response.into_body().collect())
            .await
            .expect("the body ends");
        assert!(body.is_err(), "{path}: a cut stream must not look whole");
    }
    app.stopped().await;
}

#[tokio::test]
async fn a_client_that_leaves_ends_the_stream() {
    let app = TestApp::new().router().private("stream", "").start().await;
    let mut client = app.client().await;
    let request = Request::get("/stream/ticks")
        .body(Full::default())
        .expect("the request is well formed");
    let mut response = client.send(request).await.expect("the head comes");
    response.frame().await.expect("it ticks").expect("it ticks");
    drop((client, response));
    eventually("the end of the stream", || {
        logged(&["component=stream", "ticks ended"])
    })
    .await;
    app.stopped().await;
}

#[tokio::test]
async fn a_stream_keeps_others_out_of_its_instance() {
    let app = TestApp::new()
        .component("stream", "\"/...\"", "")
        .start()
        .await;
    let mut client = app.client().await;
    let request = Request::get("/ticks")
        .body(Full::default())
        .expect("the request is well formed");
    let mut ticking = client.send(request).await.expect("the head comes");
    let request = Request::get("/cut")
        .body(Full::default())
        .expect("the request is well formed");
    let cut = app
        .client()
        .await
        .send(request)
        .await
        .expect("the head comes");
    assert!(cut.into_body().collect().await.is_err());
    for _ in 0..10 {
        ticking
            .frame()
            .await
            .expect("it still ticks")
            .expect("it still ticks");
    }
    drop((client, ticking));
    app.stopped().await;
}
