//! Sending a body piece by piece, the same way on every target.
//!
//! A body is dropped as soon as it is sent, has failed, or whoever took it is gone: that ends the stream
//! behind it.

use std::future::poll_fn;

use bytes::Bytes;
use http::HeaderMap;

use crate::body::{BoxError, Frame};
use crate::{Body, Signal};

/// Takes the pieces of a body: a stream of the host, or the client of a test.
pub(crate) trait Taker {
    /// Takes a piece, when the one before is taken.
    fn take(&mut self, piece: Bytes) -> impl Future<Output = Result<(), Gone>>;
}

/// Whoever took the pieces went away.
pub(crate) struct Gone;

/// How the sending of a body ended.
pub(crate) enum Sent {
    /// With its last byte, and the trailers after it.
    #[cfg_attr(
        not(any(target_arch = "wasm32", test)),
        expect(dead_code, reason = "trailers go to hosts")
    )]
    Whole(Option<HeaderMap>),
    /// With a failure of its own.
    Broken(BoxError),
    /// With a piece that nobody took.
    Cut,
}

/// Sends the body of a response, and tells the handler if its client goes away.
pub(crate) async fn deliver(body: Body, client: &mut impl Taker, signal: &Signal) -> Sent {
    let sent = send(body, client).await;
    if matches!(sent, Sent::Cut) {
        signal.abort();
    }
    sent
}

/// Sends a body.
pub(crate) async fn send(mut body: Body, taker: &mut impl Taker) -> Sent {
    let mut trailers = None;
    while let Some(frame) = poll_fn(|cx| body.poll_next_frame(cx)).await {
        match frame {
            Ok(Frame::Data(piece)) => {
                if let Err(Gone) = taker.take(piece).await {
                    return Sent::Cut;
                }
            }
            Ok(Frame::Trailers(headers)) => trailers = Some(headers),
            Err(error) => return Sent::Broken(error),
        }
    }
    Sent::Whole(trailers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test::{Client, block_on};
    use futures::{StreamExt, stream};

    #[test]
    fn trailers_come_last() {
        let etag = HeaderMap::from_iter([(http::header::ETAG, "a".parse().unwrap())]);
        let frames = [Frame::Data("a".into()), Frame::Trailers(etag.clone())];
        let body = Body::from_frames(stream::iter(frames).map(Ok));
        let (mut client, signal) = (Client::taking(9), Signal::default());
        let sent = block_on(deliver(body, &mut client, &signal));
        assert!(matches!(sent, Sent::Whole(Some(trailers)) if trailers == etag));
        assert_eq!(client.taken, ["a"]);
        assert!(!signal.is_aborted());
    }

    #[test]
    fn a_body_that_fails_is_no_client_that_left() {
        let body = Body::from_iter([Ok("a"), Err("broken")]);
        let (mut client, signal) = (Client::taking(9), Signal::default());
        let sent = block_on(deliver(body, &mut client, &signal));
        assert!(matches!(sent, Sent::Broken(error) if error.to_string() == "broken"));
        assert!(!signal.is_aborted());
    }

    #[test]
    fn nothing_is_asked_of_a_body_that_nobody_takes() {
        let body = Body::from_stream(stream::iter(0..).map(|number| {
            assert!(number < 3, "the third piece was not taken");
            number.to_string()
        }));
        let (mut client, signal) = (Client::taking(2), Signal::default());
        assert!(matches!(
            block_on(deliver(body, &mut client, &signal)),
            Sent::Cut
        ));
        assert_eq!(client.taken, ["0", "1"]);
        assert!(signal.is_aborted());
    }
}
