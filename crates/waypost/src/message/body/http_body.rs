//! Conversions between [`Body`] and the bodies of the `http-body` crate, which hosts and the crates around `tower`
//! use. Trailers are kept in both directions.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use futures::stream;
use http_body::SizeHint;
use send_wrapper::SendWrapper;

use crate::Body;
use crate::body::{BoxError, Frame};

/// A [`Body`] as an [`http_body::Body`] that is [`Send`], which axum and other services require.
///
/// It may be moved to another thread but not used there. A component has a single thread.
///
/// # Panics
///
/// If it is read or dropped on a thread other than the one that created it.
pub struct SendBody(SendWrapper<Body>);

impl From<Body> for SendBody {
    fn from(body: Body) -> Self {
        Self(SendWrapper::new(body))
    }
}

impl http_body::Body for SendBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, BoxError>>> {
        let frame = self.0.poll_next_frame(cx);
        frame.map(|frame| frame.map(|frame| frame.map(http_body::Frame::from)))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        let length = self.0.len().and_then(|length| u64::try_from(length).ok());
        length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

impl fmt::Debug for SendBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.valid() {
            true => write!(f, "Send{:?}", &*self.0),
            false => f.write_str("SendBody(of another thread)"),
        }
    }
}

impl From<SendBody> for Body {
    fn from(body: SendBody) -> Self {
        body.0.take()
    }
}

impl Body {
    /// Creates a streamed body from any [`http_body::Body`], trailers included. It is read only while it is sent.
    pub fn from_http_body<B>(body: B) -> Self
    where
        B: http_body::Body<Error: Into<BoxError>> + 'static,
    {
        let mut body = Box::pin(body);
        Self::from_frames(stream::poll_fn(move |cx| {
            let frame = body.as_mut().poll_frame(cx);
            frame.map(|frame| frame.map(|frame| frame.map(Frame::from).map_err(Into::into)))
        }))
    }
}

impl From<Frame> for http_body::Frame<Bytes> {
    fn from(frame: Frame) -> Self {
        match frame {
            Frame::Data(data) => Self::data(data),
            Frame::Trailers(trailers) => Self::trailers(trailers),
        }
    }
}

impl<D: Buf> From<http_body::Frame<D>> for Frame {
    fn from(frame: http_body::Frame<D>) -> Self {
        match frame.into_data() {
            Ok(mut data) => Self::Data(data.copy_to_bytes(data.remaining())),
            Err(frame) => Self::Trailers(frame.into_trailers().unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test::block_on;
    use http::HeaderMap;
    use http_body::Body as _;
    use std::future::poll_fn;

    #[test]
    fn a_known_length_is_kept() {
        let exact = |body: Body| SendBody::from(body).size_hint().exact();
        assert_eq!(exact(Body::from("abc")), Some(3));
        assert_eq!(exact(Body::from_iter(["abc"])), None);
        assert!(SendBody::from(Body::empty()).is_end_stream());
        assert!(!SendBody::from(Body::from("a")).is_end_stream());
    }

    #[test]
    fn data_and_trailers_pass_both_ways() {
        let trailers = HeaderMap::from_iter([(http::header::ETAG, "a".parse().unwrap())]);
        let frames = [
            Ok(Frame::Data("ab".into())),
            Ok(Frame::Trailers(trailers.clone())),
        ];
        let body = Body::from_frames(stream::iter(frames));
        let mut body = Body::from_http_body(SendBody::from(body));
        let mut next = || block_on(poll_fn(|cx| body.poll_next_frame(cx)));
        assert!(matches!(next(), Some(Ok(Frame::Data(data))) if data == "ab"));
        assert!(matches!(next(), Some(Ok(Frame::Trailers(found))) if found == trailers));
        assert!(next().is_none());
    }

    #[test]
    fn debug_output_on_another_thread_does_not_panic() {
        let body = SendBody::from(Body::from("a"));
        assert_eq!(format!("{body:?}"), "SendBody(1 bytes)");
        let body = std::thread::spawn(move || {
            assert_eq!(format!("{body:?}"), "SendBody(of another thread)");
            body
        });
        drop(body.join().unwrap());
    }
}
