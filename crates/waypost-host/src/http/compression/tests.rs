use super::*;
use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http::header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, VARY};
use http_body_util::{Collected, StreamBody};
use hyper::body::Frame;
use std::io::Read;

/// A response with these headers and the body `hello`, as a client gets it who accepts `codings`.
fn answer(
    method: Method,
    codings: &str,
    status: u16,
    headers: &[(&str, &str)],
) -> (HeaderMap, Vec<u8>) {
    let request = Request::builder()
        .method(method)
        .header(ACCEPT_ENCODING, codings);
    let request = request.body(()).expect("the request is well formed");
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    let response = response
        .body(body::full("hello"))
        .expect("the response is well formed");
    futures::executor::block_on(async {
        let (parts, body) = AcceptedEncodings::of(&request)
            .compress(response)
            .await
            .into_parts();
        assert_eq!(parts.status, status);
        let body = body.collect().await.expect("the body is whole");
        (parts.headers, body.to_bytes().to_vec())
    })
}

fn coding(codings: &str, status: u16, headers: &[(&str, &str)]) -> Option<String> {
    let (headers, _) = answer(Method::GET, codings, status, headers);
    let coding = headers.get(CONTENT_ENCODING)?;
    Some(coding.to_str().expect("it is text").to_owned())
}

#[test]
fn a_client_chooses_the_coding() {
    for (codings, expected) in [
        ("gzip", Some("gzip")),
        ("GZIP", Some("gzip")),
        ("br, deflate, gzip", Some("gzip")),
        ("deflate;q=1, gzip;q=0.5", Some("deflate")),
        ("gzip;q=0.001", Some("gzip")),
        ("*", Some("gzip")),
        ("identity;q=0, *;q=0.5", Some("gzip")),
        ("gzip;q=0, *", Some("deflate")),
        ("*;q=0", None),
        ("identity;q=0", None),
        ("identity, gzip;q=0.5", None),
        ("identity", None),
        ("br", None),
        ("gzip;q=0", None),
        ("gzip;q=2", None),
        ("", None),
    ] {
        let got = coding(codings, 200, &[("content-type", "text/plain")]);
        assert_eq!(got.as_deref(), expected, "{codings}");
    }
}

#[test]
fn what_gains_nothing_is_left_alone() {
    for (kind, expected) in [
        ("text/plain;charset=UTF-8", true),
        ("Text/HTML", true),
        ("application/json", true),
        ("application/problem+json; charset=utf-8", true),
        ("image/svg+xml", true),
        ("text/event-stream", false),
        ("text/event-stream; charset=utf-8", false),
        ("image/png", false),
        ("application/octet-stream", false),
        ("application/zip", false),
        ("", false),
    ] {
        let got = coding("gzip", 200, &[("content-type", kind)]);
        assert_eq!(got.is_some(), expected, "{kind}");
    }
    assert_eq!(coding("gzip", 200, &[]), None);
}

#[test]
fn what_must_stay_as_it_is_does() {
    let kind = ("content-type", "text/plain");
    for status in [204, 205, 206, 304] {
        assert_eq!(coding("gzip", status, &[kind]), None, "{status}");
    }
    for status in [200, 404, 500] {
        assert!(coding("gzip", status, &[kind]).is_some(), "{status}");
    }
    for header in [
        ("cache-control", "no-cache, No-Transform"),
        (CONTENT_RANGE.as_str(), "bytes 0-4/10"),
    ] {
        assert_eq!(coding("gzip", 200, &[kind, header]), None, "{header:?}");
    }
    let (headers, body) = answer(
        Method::GET,
        "gzip",
        200,
        &[kind, ("content-encoding", "br"), ("etag", "\"a\"")],
    );
    assert_eq!(
        (&headers[CONTENT_ENCODING], body.as_slice()),
        (&HeaderValue::from_static("br"), b"hello".as_slice())
    );
    assert_eq!(headers[ETAG], "\"a\"");
    assert!(!headers.contains_key(VARY));
}

#[test]
fn the_headers_say_what_was_done() {
    let sent = [
        ("content-type", "text/plain"),
        ("content-length", "5"),
        ("accept-ranges", "bytes"),
        ("etag", "\"a\""),
        ("vary", "Cookie"),
    ];
    let (headers, body) = answer(Method::GET, "gzip", 200, &sent);
    for name in [CONTENT_LENGTH, ACCEPT_RANGES] {
        assert!(!headers.contains_key(&name), "{name}");
    }
    assert_eq!(headers[ETAG], "W/\"a\"");
    let varies: Vec<_> = headers.get_all(VARY).iter().collect();
    assert_eq!(varies, ["Cookie", "accept-encoding"]);
    let mut text = String::new();
    let mut decoder = MultiGzDecoder::new(body.as_slice());
    decoder.read_to_string(&mut text).expect("it is gzip");
    assert_eq!(text, "hello");

    let (of_head, body) = answer(Method::HEAD, "gzip", 200, &sent);
    assert_eq!((of_head, body.as_slice()), (headers, b"".as_slice()));
}

#[test]
fn a_response_that_could_be_compressed_says_so_to_caches() {
    let sent = [
        ("content-type", "text/plain"),
        ("content-length", "5"),
        ("etag", "\"a\""),
    ];
    let (headers, body) = answer(Method::GET, "identity", 200, &sent);
    assert_eq!(
        (&headers[VARY], &headers[ETAG]),
        (
            &HeaderValue::from_static("accept-encoding"),
            &HeaderValue::from_static("\"a\"")
        )
    );
    assert_eq!(
        (&headers[CONTENT_LENGTH], body.as_slice()),
        (&HeaderValue::from_static("5"), b"hello".as_slice())
    );
    let weak = [
        ("content-type", "text/plain"),
        ("etag", "W/\"a\""),
        ("vary", "Accept-Encoding"),
    ];
    let (headers, _) = answer(Method::GET, "gzip", 200, &weak);
    assert_eq!(
        (headers.get_all(VARY).iter().count(), &headers[ETAG]),
        (1, &HeaderValue::from_static("W/\"a\""))
    );
}

/// What a client gets of a text with these frames.
fn compressed(
    frames: impl IntoIterator<Item = Result<Frame<Bytes>, Error>>,
) -> Result<Collected<Bytes>, Error> {
    let frames: Vec<_> = frames.into_iter().collect();
    let body = StreamBody::new(futures::stream::iter(frames)).boxed_unsync();
    let mut response = Response::new(body);
    let kind = HeaderValue::from_static("text/plain");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    let mut request = Request::new(());
    let gzip = HeaderValue::from_static("gzip");
    request.headers_mut().insert(ACCEPT_ENCODING, gzip);
    futures::executor::block_on(async {
        let response = AcceptedEncodings::of(&request).compress(response).await;
        response.into_body().collect().await
    })
}

#[test]
fn the_failure_of_a_body_is_its_own() {
    let frames = [
        Ok(Frame::data("hello".into())),
        Err(Error::HttpResponseIncomplete),
    ];
    let failure = compressed(frames).err();
    assert!(matches!(failure, Some(Error::HttpResponseIncomplete)));
}

#[test]
fn trailers_follow_what_was_compressed() {
    let mut trailers = HeaderMap::new();
    trailers.insert("x-checksum", HeaderValue::from_static("1"));
    let frames = [
        Frame::data("hello".into()),
        Frame::trailers(trailers.clone()),
    ];
    let collected = compressed(frames.map(Ok)).expect("the body is whole");
    assert_eq!(collected.trailers(), Some(&trailers));
}

#[test]
fn a_304_has_the_tag_of_what_it_stands_for() {
    let (headers, _) = answer(Method::GET, "gzip", 304, &[("etag", "\"a\"")]);
    assert_eq!(headers[ETAG], "W/\"a\"");
    assert_eq!(headers[VARY], "accept-encoding");
}
