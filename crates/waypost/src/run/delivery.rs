//! Sending a body chunk by chunk, in the same way on every target.
//!
//! A body is dropped as soon as it was sent, has failed, or its receiver disconnected. Dropping it ends the handler's
//! stream.

use std::future::poll_fn;

use bytes::Bytes;
use http::HeaderMap;

use crate::body::{BoxError, Frame};
use crate::{Body, Signal};

/// A receiver of chunks: a stream of the host, or the client of a test.
pub(crate) trait ChunkSink {
    /// Sends a chunk, once the one before was accepted.
    fn accept(&mut self, chunk: Bytes) -> impl Future<Output = Result<(), Disconnected>>;
}

/// The receiver disconnected.
pub(crate) struct Disconnected;

/// The result of sending a body.
pub(crate) enum Delivery {
    /// The body was sent to its end, with these trailers.
    #[cfg_attr(
        not(any(target_arch = "wasm32", test)),
        expect(dead_code, reason = "only hosts receive trailers")
    )]
    Complete(Option<HeaderMap>),
    /// The body failed.
    Failed(BoxError),
    /// The receiver disconnected.
    Disconnected,
}

/// Sends the body of a response, and fires the signal if the client disconnects.
pub(crate) async fn deliver(body: Body, client: &mut impl ChunkSink, signal: &Signal) -> Delivery {
    let sent = send(body, client).await;
    if matches!(sent, Delivery::Disconnected) {
        signal.abort();
    }
    sent
}

/// Sends a body.
pub(crate) async fn send(mut body: Body, sink: &mut impl ChunkSink) -> Delivery {
    let mut trailers = None;
    while let Some(frame) = poll_fn(|cx| body.poll_next_frame(cx)).await {
        match frame {
            Ok(Frame::Data(chunk)) => {
                if let Err(Disconnected) = sink.accept(chunk).await {
                    return Delivery::Disconnected;
                }
            }
            Ok(Frame::Trailers(headers)) => trailers = Some(headers),
            Err(error) => return Delivery::Failed(error),
        }
    }
    Delivery::Complete(trailers)
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
        let (mut client, signal) = (Client::accepting(9), Signal::default());
        let sent = block_on(deliver(body, &mut client, &signal));
        assert!(matches!(sent, Delivery::Complete(Some(trailers)) if trailers == etag));
        assert_eq!(client.accepted, ["a"]);
        assert!(!signal.is_aborted());
    }

    #[test]
    fn a_body_that_fails_does_not_fire_the_signal() {
        let body = Body::from_iter([Ok("a"), Err("broken")]);
        let (mut client, signal) = (Client::accepting(9), Signal::default());
        let sent = block_on(deliver(body, &mut client, &signal));
        assert!(matches!(sent, Delivery::Failed(error) if error.to_string() == "broken"));
        assert!(!signal.is_aborted());
    }

    #[test]
    fn a_body_is_not_polled_after_the_client_disconnected() {
        let body = Body::from_stream(stream::iter(0..).map(|number| {
            assert!(number < 3, "the third chunk was not accepted");
            number.to_string()
        }));
        let (mut client, signal) = (Client::accepting(2), Signal::default());
        assert!(matches!(
            block_on(deliver(body, &mut client, &signal)),
            Delivery::Disconnected
        ));
        assert_eq!(client.accepted, ["0", "1"]);
        assert!(signal.is_aborted());
    }
}
