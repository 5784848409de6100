//! Streams whose length is declared before they are sent (RFC 9110 section 8.6).

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures::Stream;

use super::{Body, BoxError, Frame};

/// Makes a stream fail unless it has exactly `length` bytes.
pub(super) fn measured(body: Body, length: u64) -> Body {
    let media_type = body.media_type.clone();
    let frames = Measured {
        body,
        length,
        sent: 0,
        last: None,
        trailers: None,
    };
    Body {
        media_type,
        announced: Some(length),
        ..Body::from_frames(frames)
    }
}

/// A stream with its declared length.
struct Measured {
    body: Body,
    length: u64,
    sent: u64,
    /// The chunk that completes the length. It is held back until the stream ends: a receiver that has all bytes takes
    /// the message as complete, although the stream may go on.
    last: Option<Bytes>,
    trailers: Option<Frame>,
}

impl Measured {
    fn take(&mut self, data: Bytes) -> Option<Result<Frame, BoxError>> {
        self.sent = self.sent.saturating_add(data.len() as u64);
        if self.sent > self.length {
            self.last = None;
            let length = self.length;
            let why = format!("it is longer than the {length} bytes of its `content-length`");
            return Some(Err(why.into()));
        }
        if self.sent == self.length {
            self.last = Some(data);
            return None;
        }
        Some(Ok(Frame::Data(data)))
    }

    fn end(&mut self) -> Option<Result<Frame, BoxError>> {
        let (sent, length) = (self.sent, self.length);
        if sent < length {
            self.sent = length; // The error is the last frame.
            let why =
                format!("it ended after {sent} of the {length} bytes of its `content-length`");
            return Some(Err(why.into()));
        }
        let last = self.last.take().map(Frame::Data);
        last.or_else(|| self.trailers.take()).map(Ok)
    }
}

impl Stream for Measured {
    type Item = Result<Frame, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if self.trailers.is_some() {
                return Poll::Ready(self.end());
            }
            let frame = match ready!(self.body.poll_next_frame(cx)) {
                Some(Ok(Frame::Data(data))) if data.is_empty() => None,
                Some(Ok(Frame::Data(data))) => self.take(data),
                Some(Ok(trailers)) => {
                    self.trailers = Some(trailers);
                    None
                }
                Some(Err(error)) => Some(Err(error)),
                None => return Poll::Ready(self.end()),
            };
            if frame.is_some() {
                return Poll::Ready(frame);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::{StreamExt, stream};
    use http::HeaderMap;

    use super::*;
    use crate::test::block_on;

    /// What arrives of a body of these chunks, whose declared length is `length`.
    fn arrives(chunks: &'static [&'static str], length: u64) -> Result<String, String> {
        let mut body = Body::from_iter(chunks.iter().copied()).measured(length);
        let mut text = String::new();
        while let Some(chunk) = block_on(body.next()) {
            match chunk {
                Ok(chunk) => text += std::str::from_utf8(&chunk).unwrap(),
                Err(error) => return Err(format!("{text}|{error}")),
            }
        }
        Ok(text)
    }

    #[test]
    fn a_stream_has_to_have_its_declared_length() {
        assert_eq!(arrives(&["ab", "", "c"], 3).unwrap(), "abc");
        assert_eq!(arrives(&[], 0).unwrap(), "");
        let short = arrives(&["ab"], 3).unwrap_err();
        assert!(
            short.starts_with("ab|") && short.contains("2 of the 3 bytes"),
            "{short}"
        );
        // The receiver must not get all bytes that it expects.
        for chunks in [&["ab", "c", "d"][..], &["ab", "cd"]] {
            let long = arrives(chunks, 3).unwrap_err();
            assert!(long.starts_with("ab|") && long.contains("longer"), "{long}");
        }
        assert!(arrives(&["a"], 0).unwrap_err().starts_with('|'));
    }

    #[test]
    fn trailers_follow_the_last_chunk() {
        let frames = [
            Ok(Frame::Data("ab".into())),
            Ok(Frame::Trailers(HeaderMap::new())),
        ];
        let mut body = Body::from_frames(stream::iter(frames)).measured(2);
        let mut next = || block_on(std::future::poll_fn(|cx| body.poll_next_frame(cx)));
        assert!(matches!(next(), Some(Ok(Frame::Data(data))) if data == "ab"));
        assert!(matches!(next(), Some(Ok(Frame::Trailers(_)))));
        assert!(next().is_none());
    }

    #[test]
    fn the_length_that_is_left() {
        let mut body = Body::from_iter(["ab", "c"]);
        assert_eq!(body.content_length(), None);
        body.announce(Some(3));
        assert_eq!(body.content_length(), Some(3));
        assert!(block_on(body.next()).is_some());
        assert_eq!(body.content_length(), Some(1));
        assert_eq!(Body::from("abc").content_length(), Some(3));
    }
}
