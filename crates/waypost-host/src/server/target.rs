//! Request targets that the HTTP library would refuse, made fit for it.
//!
//! Clients send `<`, `>`, `"` and backticks in targets as they are. RFC 3986 has no place for them; the URL
//! standard of the WHATWG percent-encodes them where it parses a URL, and so does Next. hyper answers 400
//! before anyone sees the request. So these bytes are encoded on their way to hyper, in the path and the query
//! of a request line of HTTP/1 and nowhere else: every other byte, and with it where a request ends, is what
//! the client sent. What hyper refuses for another reason it still refuses.
//!
//! Who follows the requests this closely also knows where a client stopped, and how long a line is of which the
//! end has not come yet: that is told to [`Progress`].

mod fields;
mod line;
mod messages;

use super::progress::Progress;
use bytes::{Buf, Bytes};
use messages::Messages;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A client's connection on which request targets hold no byte that the HTTP library refuses, of those that
/// the URL standard encodes. What is written passes through.
pub(super) struct TargetStream<S> {
    stream: S,
    messages: Messages,
    /// What became too long for the buffer that it was read into: less than three times its size.
    spilled: Bytes,
    progress: Arc<Progress>,
    /// How many bytes a request line may have.
    longest_line: usize,
}

/// The end of a line, which does not count (RFC 9112, section 2.2).
const LINE_END: usize = 2;

impl<S> TargetStream<S> {
    /// Reads from a connection that has just begun.
    pub(super) fn new(stream: S, progress: Arc<Progress>, longest_line: usize) -> Self {
        Self {
            stream,
            messages: Messages::Start,
            spilled: Bytes::new(),
            progress,
            longest_line,
        }
    }

    /// Tells how far the client is now.
    fn tell(&self) -> io::Result<()> {
        self.progress.reads_head(self.messages.is_in_head());
        let is_long = self.messages.line_length() > self.longest_line + LINE_END;
        if is_long && self.progress.refuses_line() {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(())
    }

    /// Encodes what must be in the bytes that `buffer` got after its first `start`.
    fn encode(&mut self, buffer: &mut ReadBuf<'_>, start: usize) {
        let read = &buffer.filled()[start..];
        // Hardly any request has such a byte: then nothing is copied.
        let Some(first) = self.messages.find(read) else {
            return;
        };
        self.spilled = encoded(&mut self.messages, &read[first..]);
        buffer.set_filled(start + first);
        self.give(buffer);
    }

    /// Gives what was spilled, as far as it fits.
    fn give(&mut self, buffer: &mut ReadBuf<'_>) {
        let fitting = self.spilled.len().min(buffer.remaining());
        buffer.put_slice(&self.spilled[..fitting]);
        self.spilled.advance(fitting);
    }
}

/// Encodes bytes of which the first is known to need it.
fn encoded(messages: &mut Messages, bytes: &[u8]) -> Bytes {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = Vec::with_capacity(bytes.len() + 32);
    let mut rest = bytes;
    while let Some((&byte, after)) = rest.split_first() {
        let (high, low) = (usize::from(byte >> 4), usize::from(byte & 0xF));
        out.extend_from_slice(&[b'%', DIGITS[high], DIGITS[low]]);
        let (plain, next) = after.split_at(messages.find(after).unwrap_or(after.len()));
        out.extend_from_slice(plain);
        rest = next;
    }
    out.into()
}

impl<S: AsyncRead + Unpin> AsyncRead for TargetStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.spilled.has_remaining() {
            self.give(buffer);
            return Poll::Ready(Ok(()));
        }
        let start = buffer.filled().len();
        let read = ready!(Pin::new(&mut self.stream).poll_read(cx, buffer));
        if read.is_err() || buffer.filled().len() == start {
            self.progress.ended();
            return Poll::Ready(read);
        }
        self.encode(buffer, start);
        Poll::Ready(self.tell())
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for TargetStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
