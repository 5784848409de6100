//! The body of a request or response: bytes in memory, or a stream of chunks.

mod bytes_in_memory;
mod chunk;
pub(crate) mod coding;
#[cfg(any(target_arch = "wasm32", feature = "tower"))]
pub(crate) mod http_body;
mod measured;
mod media_type;
mod trailers;
mod written;

use std::borrow::Cow;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

pub use bytes::Bytes;
use bytes::BytesMut;
use futures::{Stream, StreamExt, stream};
use http::HeaderMap;

use crate::Response;
use crate::error::RequestError;
use crate::extract::Exchange;
use crate::response::Check;
use crate::run::origin::Origin;
use bytes_in_memory::InMemory;
pub use chunk::Chunk;
use media_type::MediaType;
pub use written::BodyWriter;

/// The error that ends a stream of chunks early.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

type Frames = Pin<Box<dyn Stream<Item = Result<Frame, BoxError>>>>;

/// The default limit of the methods that read a whole body into memory, such as
/// [`Request::bytes`](crate::Request::bytes): 10 MiB.
///
/// A larger body is a [`RequestError::TooLarge`]. Reading a body as a stream has no limit.
pub const DEFAULT_BODY_LIMIT: usize = 10 * 1024 * 1024;

/// The body of a [`Request`](crate::Request) or [`Response`](crate::Response).
///
/// As a [`Stream`] it yields chunks of bytes as they arrive.
///
/// # Examples
///
/// ```
/// use waypost::{Body, Response};
///
/// let fixed = Response::new("hello");
/// let streamed = Response::new(Body::from_iter(["<p>One</p>", "<p>Two</p>"]));
/// # let _ = (fixed, streamed);
/// ```
pub struct Body {
    content: Content,
    media_type: Option<MediaType>,
    /// The number of bytes that are left of a stream, or `None` if it is not known.
    announced: Option<u64>,
    /// Checks that a stream has the length that its message declares. A function pointer, like `respond`.
    measured: Option<fn(Self, u64) -> Self>,
    /// Returns the request that a stream answers, for the log. A function pointer, like `respond`.
    origin: Option<fn(&Exchange) -> Origin>,
    /// The trailers, once the body was read to its end.
    trailers: Option<Box<HeaderMap>>,
    /// Whether a stream ends before its first frame.
    is_probed: bool,
    /// Sends the body as a stream. A function pointer, so that a component without streams does not contain the code:
    /// 19.5 kB of `/hello`.
    #[cfg(all(target_arch = "wasm32", target_env = "p2"))]
    pub(crate) respond: Option<crate::sys::Respond>,
}

enum Content {
    InMemory(InMemory),
    Frames(Frames),
    /// Already read or taken out. A response with such a body can't be sent.
    Used(Check),
}

/// A frame of a body: data, or the trailers that follow the last data (RFC 9110 section 6.5).
pub(crate) enum Frame {
    Data(Bytes),
    Trailers(HeaderMap),
}

impl Body {
    /// Creates an empty body.
    pub fn empty() -> Self {
        Self::of(Content::InMemory(InMemory::default()))
    }

    /// Creates a body from a stream. Each chunk is sent as soon as the stream yields it.
    pub fn from_stream<S>(chunks: S) -> Self
    where
        S: Stream<Item: Chunk> + 'static,
    {
        Self::from_frames(chunks.map(|chunk| chunk.into_bytes().map(Frame::Data)))
    }

    /// Creates a streamed body from an iterator of chunks.
    #[expect(
        clippy::should_implement_trait,
        reason = "the items need to be `'static`"
    )]
    pub fn from_iter<I>(chunks: I) -> Self
    where
        I: IntoIterator<Item: Chunk, IntoIter: 'static>,
    {
        Self::from_stream(stream::iter(chunks))
    }

    pub(crate) fn from_frames(
        frames: impl Stream<Item = Result<Frame, BoxError>> + 'static,
    ) -> Self {
        Self {
            measured: Some(measured::measured),
            origin: Some(Exchange::origin),
            #[cfg(all(target_arch = "wasm32", target_env = "p2"))]
            respond: Some(crate::sys::respond_with_stream),
            ..Self::of(Content::Frames(Box::pin(frames)))
        }
    }

    fn of(content: Content) -> Self {
        Self {
            content,
            media_type: None,
            announced: None,
            measured: None,
            origin: None,
            trailers: None,
            is_probed: false,
            #[cfg(all(target_arch = "wasm32", target_env = "p2"))]
            respond: None,
        }
    }

    /// Sets the media type, like the `type` of a `Blob` on the Web. A message with this body takes it as its
    /// `Content-Type` unless it sets one itself.
    #[must_use]
    pub fn of_type(mut self, media_type: impl Into<Cow<'static, str>>) -> Self {
        self.media_type = Some(MediaType::new(media_type.into()));
        self
    }

    /// Returns the media type, or `None` if the body has none. Text has one by default (Fetch standard, "extract a
    /// body").
    pub(crate) fn media_type(&self) -> Option<&str> {
        self.media_type.as_ref().map(MediaType::as_str)
    }

    /// Returns the function that sets the content type of a response, or `None` if the body has no media type.
    pub(crate) fn typed(&self) -> Option<fn(Response) -> Response> {
        self.media_type.as_ref().map(|media_type| media_type.apply)
    }

    /// Returns the length in bytes, or `None` if the body is a stream.
    pub fn len(&self) -> Option<usize> {
        match &self.content {
            Content::InMemory(content) => Some(content.as_slice().len()),
            Content::Frames(_) => None,
            Content::Used(_) => Some(0),
        }
    }

    /// Returns the number of bytes that are left to read, or `None` if it is not known. It is known for a body in memory,
    /// and for a stream that came with a `Content-Length`.
    pub fn content_length(&self) -> Option<u64> {
        match self.len() {
            Some(length) => u64::try_from(length).ok(),
            None => self.announced,
        }
    }

    /// Sets the length of a stream that its message announced.
    pub(crate) fn announce(&mut self, length: Option<u64>) {
        if let Content::Frames(_) = self.content {
            self.announced = length;
        }
    }

    /// Puts a frame that was already read back before the others.
    pub(crate) fn behind(mut self, first: Frame) -> Self {
        let rest = stream::poll_fn(move |cx| self.poll_next_frame(cx));
        Self::from_frames(stream::once(async { Ok(first) }).chain(rest))
    }

    /// Makes a stream fail unless it has exactly this length.
    pub(crate) fn measured(self, length: u64) -> Self {
        match self.measured {
            Some(measured) => measured(self, length),
            None => self,
        }
    }

    /// Returns what the log says if the body fails, or `None` if it can't fail.
    pub(crate) fn origin(&self, exchange: &Exchange) -> Option<Origin> {
        self.origin.map(|origin| origin(exchange))
    }

    /// Returns whether the body is known to be empty. A stream never is.
    pub fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }

    /// Creates the body that is left behind when a body is read or taken out.
    pub(crate) fn used() -> Self {
        Self::of(Content::Used(Response::valid_or_500))
    }

    /// Returns the check that a response with this body needs, or `None` if it needs none.
    pub(crate) fn check(&self) -> Option<Check> {
        match self.content {
            Content::Used(check) => Some(check),
            Content::InMemory(_) | Content::Frames(_) => None,
        }
    }

    /// Returns whether the body was already read or taken out.
    pub(crate) fn is_used(&self) -> bool {
        self.check().is_some()
    }

    /// Returns the bytes, or `None` if the body is a stream or was taken out.
    pub(crate) fn content(&self) -> Option<&[u8]> {
        match &self.content {
            Content::InMemory(content) => Some(content.as_slice()),
            Content::Frames(_) | Content::Used(_) => None,
        }
    }

    /// Converts into the bytes of a body in memory. Any other body has none.
    #[cfg(all(target_arch = "wasm32", target_env = "p2"))]
    pub(crate) fn into_content(self) -> Vec<u8> {
        match self.content {
            Content::InMemory(content) => content.into_vec(),
            Content::Frames(_) | Content::Used(_) => Vec::new(),
        }
    }

    /// Copies the body, or returns `None` if it is a stream or was taken out.
    pub(crate) fn copy(&mut self) -> Option<Self> {
        match &mut self.content {
            Content::InMemory(content) => Some(Self::of(Content::InMemory(content.copy()))),
            Content::Frames(_) | Content::Used(_) => None,
        }
    }

    /// Reads the whole body into memory, up to `limit` bytes.
    ///
    /// # Errors
    ///
    /// [`RequestError::TooLarge`] beyond the limit, [`RequestError::Incomplete`] if the client disconnected,
    /// [`RequestError::BodyUsed`] if the body was already read.
    pub async fn bytes(mut self, limit: usize) -> Result<Bytes, RequestError> {
        match self.content {
            Content::Used(_) => return Err(RequestError::BodyUsed),
            Content::InMemory(content) if content.as_slice().len() > limit => {
                return Err(RequestError::TooLarge(limit as u64));
            }
            Content::InMemory(content) => return Ok(content.into_bytes()),
            Content::Frames(_) => {}
        }
        let Some(first) = self.next().await.transpose()? else {
            return Ok(Bytes::new());
        };
        let mut whole = BytesMut::from(first);
        while whole.len() <= limit {
            match self.next().await.transpose()? {
                Some(chunk) => whole.extend_from_slice(&chunk),
                None => return Ok(whole.freeze()),
            }
        }
        Err(RequestError::TooLarge(limit as u64))
    }

    /// Polls for the next frame. A body that was taken out has none.
    pub(crate) fn poll_next_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame, BoxError>>> {
        match &mut self.content {
            Content::Used(_) => Poll::Ready(None),
            Content::InMemory(content) => {
                let bytes = std::mem::take(content).into_bytes();
                self.content = Content::Used(Response::valid_or_500);
                Poll::Ready((!bytes.is_empty()).then_some(Ok(Frame::Data(bytes))))
            }
            Content::Frames(frames) => {
                let frame = frames.as_mut().poll_next(cx);
                if self.is_probed {
                    self.content = Content::Used(Response::valid_or_500);
                    return match frame {
                        Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(error))),
                        Poll::Ready(_) | Poll::Pending => Poll::Ready(None),
                    };
                }
                if let (Some(left), Poll::Ready(Some(Ok(Frame::Data(data))))) =
                    (&mut self.announced, &frame)
                {
                    *left = left.saturating_sub(data.len() as u64);
                }
                frame
            }
        }
    }

    /// Ends the body before its first frame, as the response to HEAD needs it. A stream that fails at once still does, so
    /// that the response is that to GET.
    pub(crate) fn probe(&mut self) {
        self.is_probed = true;
    }
}

impl Stream for Body {
    type Item = Result<Bytes, RequestError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match futures::ready!(self.poll_next_frame(cx)) {
                Some(Ok(Frame::Data(bytes))) if bytes.is_empty() => {}
                Some(Ok(Frame::Data(bytes))) => return Poll::Ready(Some(Ok(bytes))),
                Some(Ok(Frame::Trailers(trailers))) => self.trailers = Some(Box::new(trailers)),
                Some(Err(error)) => {
                    return Poll::Ready(Some(Err(RequestError::Incomplete(error.to_string()))));
                }
                None => return Poll::Ready(None),
            }
        }
    }
}

impl Default for Body {
    fn default() -> Self {
        Self::empty()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.content {
            Content::InMemory(content) => write!(f, "Body({} bytes)", content.as_slice().len()),
            Content::Frames(_) => f.write_str("Body(stream)"),
            Content::Used(_) => f.write_str("Body(used)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test::block_on;

    #[test]
    fn a_stream_is_collected_up_to_the_limit() {
        let body = || Body::from_iter(["abc", "", "def"]);
        assert_eq!(block_on(body().bytes(6)).unwrap(), "abcdef");
        assert!(matches!(
            block_on(body().bytes(5)),
            Err(RequestError::TooLarge(5))
        ));
        assert!(matches!(
            block_on(Body::from("abc").bytes(2)),
            Err(RequestError::TooLarge(2))
        ));
        assert_eq!(block_on(Body::from_iter([""; 0]).bytes(0)).unwrap(), "");
    }

    #[test]
    fn a_body_is_read_once() {
        let mut body = Body::from("abc");
        assert_eq!(
            block_on(std::mem::replace(&mut body, Body::used()).bytes(10)).unwrap(),
            "abc"
        );
        assert!(matches!(
            block_on(body.bytes(10)),
            Err(RequestError::BodyUsed)
        ));
    }

    #[test]
    fn a_failing_stream_is_an_incomplete_body() {
        let body = Body::from_iter([Ok("a"), Err("gone")]);
        assert!(matches!(
            block_on(body.bytes(10)),
            Err(RequestError::Incomplete(_))
        ));
    }
}
