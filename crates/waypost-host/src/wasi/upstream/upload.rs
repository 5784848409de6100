//! The body that a component sends to another server.
//!
//! The connection outlives the component's request, and must not take the end of an instance for the end of a body: the
//! component's body is read here, next to the response, and passed on with an explicit end.

use super::passing::{self, Again, Piece};
use crate::request::body;
use crate::request::head::announced_length;
use bytes::Bytes;
use http::Method;
use http::request::Parts;
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use tokio::sync::mpsc;
use wasmtime_wasi_http::{Error, WasiBody};

/// Passes the rest of a body on. An error means that the request is not sent as the component meant it.
pub(super) type Rest = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// A body for the connection, with what has to be polled next to it, if anything.
pub(super) struct Upload {
    pub(super) body: WasiBody,
    pub(super) rest: Option<Rest>,
    /// The body for a second try, for as long as this is kept; `None` if there is no body.
    pub(super) again: Option<Again>,
}

impl Upload {
    /// Prepares the body of a request with this head.
    ///
    /// # Errors
    ///
    /// When the body has failed already, or is empty although the head says otherwise.
    pub(super) fn of(mut sent: WasiBody, head: &Parts) -> Result<Self, Error> {
        let length = announced_length(&head.headers);
        if length.map_or(is_without_body(&head.method), |length| length == 0) {
            return Ok(Self::empty(Some(Box::pin(drain(sent)))));
        }
        let mut cx = Context::from_waker(Waker::noop());
        let first = match Pin::new(&mut sent).poll_frame(&mut cx) {
            Poll::Ready(None) => {
                return match length {
                    Some(_) => Err(Error::HttpRequestBodySize(Some(0))),
                    None => Ok(Self::empty(None)),
                };
            }
            Poll::Ready(Some(frame)) => Some(frame?),
            Poll::Pending => None,
        };
        let (pieces, body, again) = passing::channel();
        Ok(Self {
            body: body.boxed_unsync(),
            rest: Some(Box::pin(pass_on(first, sent, pieces))),
            again: Some(again),
        })
    }

    fn empty(rest: Option<Rest>) -> Self {
        Self {
            body: body::empty(),
            rest,
            again: None,
        }
    }
}

/// Returns whether a request has no body unless it has a length. Whether a component's body is empty is known only after
/// a while.
fn is_without_body(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::CONNECT)
}

/// Waits for the end of a body that is empty by its head. A component may fail if nobody does.
///
/// # Errors
///
/// When it is not empty.
async fn drain(mut sent: WasiBody) -> Result<(), Error> {
    while let Some(frame) = sent.frame().await {
        let size = frame?.data_ref().map_or(0, Bytes::len);
        if size > 0 {
            return Err(Error::HttpRequestBodySize(u64::try_from(size).ok()));
        }
    }
    Ok(())
}

/// Passes a body on to its end, or until the server needs no more of it.
///
/// # Errors
///
/// When the body fails. What was passed on is then not complete.
async fn pass_on(
    first: Option<Frame<Bytes>>,
    mut sent: WasiBody,
    pieces: mpsc::Sender<Piece>,
) -> Result<(), Error> {
    if let Some(piece) = first.and_then(Piece::of)
        && pieces.send(piece).await.is_err()
    {
        return Ok(());
    }
    loop {
        let frame = tokio::select! {
            biased;
            // The server needs no more of it.
            () = pieces.closed() => return Ok(()),
            frame = sent.frame() => frame,
        };
        let piece = match frame {
            Some(frame) => Piece::of(frame.map_err(failure)?),
            None => Some(Piece::End),
        };
        let Some(piece) = piece else { continue };
        let is_last = matches!(piece, Piece::End);
        if pieces.send(piece).await.is_err() || is_last {
            return Ok(());
        }
    }
}

/// Returns the error for the component whose body failed.
fn failure(error: Error) -> Error {
    match error {
        Error::HttpRequestBodySize(size) => Error::HttpRequestBodySize(size),
        other => Error::InternalError(Some(other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn post() -> Parts {
        let request = Request::post("/").body(());
        request.expect("it is valid").into_parts().0
    }

    #[tokio::test]
    async fn a_body_that_is_given_up_is_not_complete() {
        let Ok(Upload { body, rest, .. }) = Upload::of(body::full("piece"), &post()) else {
            panic!("the body did not fail");
        };
        drop(rest);
        assert!(body.collect().await.is_err());
    }

    #[tokio::test]
    async fn a_body_is_passed_on_to_its_end() {
        let upload = Upload::of(body::full("piece"), &post());
        let Ok(Upload {
            body,
            rest: Some(rest),
            ..
        }) = upload
        else {
            panic!("the body has bytes");
        };
        let (body, passed) = tokio::join!(body.collect(), rest);
        assert!(passed.is_ok());
        assert_eq!(body.expect("it is whole").to_bytes(), "piece");
    }

    #[tokio::test]
    async fn a_body_that_the_head_leaves_out_is_an_error() {
        let mut head = post();
        head.headers.insert(http::header::CONTENT_LENGTH, 0.into());
        for (sent, is_sent) in [(body::empty(), true), (body::full("piece"), false)] {
            let Ok(Upload {
                rest: Some(rest), ..
            }) = Upload::of(sent, &head)
            else {
                panic!("the body is waited for");
            };
            assert_eq!(rest.await.is_ok(), is_sent);
        }
    }

    #[test]
    fn an_empty_body_needs_nothing() {
        let mut head = post();
        let upload = Upload::of(body::empty(), &head);
        assert!(upload.is_ok_and(|upload| upload.again.is_none() && upload.body.is_end_stream()));
        head.headers.insert(http::header::CONTENT_LENGTH, 5.into());
        assert!(Upload::of(body::empty(), &head).is_err());
    }
}
