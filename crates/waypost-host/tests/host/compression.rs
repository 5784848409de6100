//! Compressed responses.

use super::support::{Client, PATIENCE, TestApp, eventually, logged};
use bytes::Bytes;
use flate2::write::GzDecoder;
use http::Request;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use std::convert::Infallible;
use std::io::Write;

const COMPRESS: &str = "[server]\ncompress = true\n";

#[tokio::test]
async fn a_piece_of_a_stream_does_not_wait_for_the_next() {
    let app = TestApp::new()
        .component("stream", "\"/...\"", "")
        .settings(COMPRESS)
        .start()
        .await;
    for mut client in [app.client().await, Client::connect_http2(app.address).await] {
        let (mut send, receive) =
            futures::channel::mpsc::channel::<Result<Frame<Bytes>, Infallible>>(1);
        let request = Request::post("/echo")
            .header("accept-encoding", "gzip")
            .body(StreamBody::new(receive))
            .expect("the request is well formed");
        let response = client.send(request).await.expect("the head comes");
        assert_eq!(response.headers()["content-encoding"], "gzip");
        let (mut body, mut decoder) = (response.into_body(), GzDecoder::new(Vec::new()));
        let mut expected = String::new();
        for piece in ["one", "two", "three"] {
            let frame = Frame::data(Bytes::from_static(piece.as_bytes()));
            send.try_send(Ok(frame))
                .expect("the piece before was taken");
            expected += piece;
            let read = read_until(&mut body, &mut decoder, &expected);
            tokio::time::timeout(PATIENCE, read)
                .await
                .expect("the echo comes");
        }
        drop(send);
        let rest = body.collect().await.expect("the stream is whole");
        decoder
            .write_all(&rest.to_bytes())
            .expect("the rest is gzip");
        let whole = decoder.finish().expect("the gzip stream is whole");
        assert_eq!(String::from_utf8_lossy(&whole), expected);
    }
    app.stopped().await;
}

/// Reads frames until they decode to what is expected.
async fn read_until(body: &mut Incoming, decoder: &mut GzDecoder<Vec<u8>>, expected: &str) {
    while decoder.get_ref() != expected.as_bytes() {
        let frame = body.frame().await.expect("the stream goes on");
        let data = frame.expect("the stream is whole").into_data();
        let data = data.expect("it is data");
        decoder.write_all(&data).expect("it is gzip");
        decoder.flush().expect("memory takes it");
    }
}

#[tokio::test]
async fn nothing_is_compressed_unasked() {
    for (settings, codings) in [("", "gzip"), (COMPRESS, "identity")] {
        let app = TestApp::new()
            .component("stream", "\"/...\"", "")
            .settings(settings)
            .start()
            .await;
        let request = Request::post("/echo")
            .header("accept-encoding", codings)
            .body(Full::from("text"))
            .expect("the request is well formed");
        let reply = app.client().await.ask(request).await;
        assert_eq!(reply.text, "text");
        assert!(!reply.headers.contains_key("content-encoding"));
        assert_eq!(reply.headers.contains_key("vary"), !settings.is_empty());
        app.stopped().await;
    }
}

#[tokio::test]
async fn a_compressed_stream_that_fails_is_cut() {
    let app = TestApp::new()
        .component("stream", "\"/...\"", "")
        .settings(COMPRESS)
        .start()
        .await;
    let mut client = app.client().await;
    let response = client.send(gzipped("/cut")).await.expect("the head comes");
    assert_eq!(response.headers()["content-encoding"], "gzip");
    assert!(response.into_body().collect().await.is_err());
    let reply = app.client().await.ask(gzipped("/fail")).await;
    assert_eq!(reply.status, 500);
    app.stopped().await;
}

#[tokio::test]
async fn a_client_that_leaves_ends_a_compressed_stream() {
    let app = TestApp::new()
        .component_of("pressed", "stream", "\"/...\"", "")
        .settings(COMPRESS)
        .start()
        .await;
    let mut client = app.client().await;
    let mut response = client
        .send(gzipped("/ticks"))
        .await
        .expect("the head comes");
    assert_eq!(response.headers()["content-encoding"], "gzip");
    response.frame().await.expect("it ticks").expect("it ticks");
    drop((client, response));
    eventually("the end of the stream", || {
        logged(&["component=pressed", "ticks ended"])
    })
    .await;
    app.stopped().await;
}

fn gzipped(path: &str) -> Request<Full<Bytes>> {
    Request::get(path)
        .header("accept-encoding", "gzip")
        .body(Full::default())
        .expect("the request is well formed")
}
