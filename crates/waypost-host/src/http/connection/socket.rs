//! A client's socket, as the HTTP library sees it.

use super::linger::{PATIENT, READ_SIZE};
use super::progress::Progress;
use std::future::Future;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::Sleep;

/// A socket that fails when its client takes nothing for too long, and that outlives the HTTP library.
///
/// A response that nobody reads would otherwise keep its instance, and its place among the requests.
///
/// The HTTP library drops the socket of a connection that ended in an error, and the kernel then discards what the
/// client has not read yet. So the drop hands the socket back to the connection, which closes it in its own time.
pub(super) struct ClientSocket {
    stream: Option<TcpStream>,
    owner: Option<oneshot::Sender<TcpStream>>,
    write_timeout: Duration,
    blocked_write: Option<Pin<Box<Sleep>>>,
    /// How many more bytes are discarded while a write waits.
    discardable: u64,
    progress: Arc<Progress>,
    tail: Tail,
}

impl ClientSocket {
    /// Wraps `stream`, which comes back through the receiver when the HTTP library drops this.
    pub(super) fn new(
        stream: TcpStream,
        write_timeout: Duration,
        progress: Arc<Progress>,
    ) -> (Self, oneshot::Receiver<TcpStream>) {
        let (owner, returned) = oneshot::channel();
        let socket = Self {
            stream: Some(stream),
            owner: Some(owner),
            write_timeout,
            blocked_write: None,
            discardable: PATIENT.bytes,
            progress,
            tail: Tail::default(),
        };
        (socket, returned)
    }

    fn stream(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        let stream = self.stream.as_mut().map(Pin::new);
        stream.ok_or_else(|| ErrorKind::NotConnected.into())
    }

    /// Returns the outcome of a write, or an error when it has been pending for longer than the timeout.
    fn limit_write<T>(
        &mut self,
        polled: Poll<io::Result<T>>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.blocked_write = None;
            self.progress.wrote();
            return polled;
        }
        self.discard(cx);
        let write_timeout = self.write_timeout;
        let sleep = || Box::pin(tokio::time::sleep(write_timeout));
        let blocked = self.blocked_write.get_or_insert_with(sleep);
        blocked
            .as_mut()
            .poll(cx)
            .map(|()| Err(ErrorKind::TimedOut.into()))
    }

    /// Discards what the client sends, if it is of no more use: a client that reads only after it has sent everything would
    /// wait for the host, and the host for the client.
    fn discard(&mut self, cx: &mut Context<'_>) {
        if !self.progress.discards() || self.discardable == 0 {
            return;
        }
        // On the heap, as it would make the future of every connection larger.
        let mut bytes = vec![0; READ_SIZE];
        let mut buffer = ReadBuf::new(&mut bytes);
        let polled = self
            .stream()
            .map(|stream| stream.poll_read(cx, &mut buffer));
        match polled {
            Ok(Poll::Ready(Ok(()))) if !buffer.filled().is_empty() => {
                let size = u64::try_from(buffer.filled().len()).unwrap_or(u64::MAX);
                self.discardable = self.discardable.saturating_sub(size);
                cx.waker().wake_by_ref();
            }
            Ok(Poll::Pending) => {}
            // The end, or an error, which the write meets as well.
            Ok(Poll::Ready(_)) | Err(_) => self.discardable = 0,
        }
    }
}

impl Drop for ClientSocket {
    fn drop(&mut self) {
        if let (Some(stream), Some(owner)) = (self.stream.take(), self.owner.take()) {
            // A connection whose task has ended does not want it back.
            let _ = owner.send(stream);
        }
    }
}

impl AsyncRead for ClientSocket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let start = buffer.filled().len();
        let result = ready!(self.stream()?.poll_read(cx, buffer));
        match (&result, &buffer.filled()[start..]) {
            (Err(_), _) | (Ok(()), []) => self.progress.closed(),
            (Ok(()), bytes) => {
                let is_empty_line = self.tail.is_empty_line_after(bytes);
                self.progress.read(!is_empty_line);
            }
        }
        Poll::Ready(result)
    }
}

impl AsyncWrite for ClientSocket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = self.stream()?.poll_write(cx, bytes);
        self.limit_write(polled, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = self.stream()?.poll_write_vectored(cx, pieces);
        self.limit_write(polled, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream
            .as_ref()
            .is_some_and(AsyncWrite::is_write_vectored)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_shutdown(cx)
    }
}

/// The last three bytes that a client sent: enough to see the empty line that ends a head.
#[derive(Default)]
struct Tail(u32);

impl Tail {
    /// Returns whether the client's bytes end with an empty line now that `bytes` came.
    fn is_empty_line_after(&mut self, bytes: &[u8]) -> bool {
        for byte in &bytes[bytes.len().saturating_sub(3)..] {
            self.0 = self.0 << 8 | u32::from(*byte);
        }
        let [_, last @ ..] = self.0.to_be_bytes();
        last == *b"\n\r\n" || last[1..] == *b"\n\n"
    }
}

#[cfg(test)]
mod tests {
    use super::Tail;

    #[test]
    fn an_empty_line_is_seen_however_it_arrives() {
        let sent = b"GET / HTTP/1.1\r\nhost: h\r\n\r\n";
        for size in 1..sent.len() {
            let mut tail = Tail::default();
            let pieces = sent.chunks(size);
            let ends: Vec<_> = pieces
                .map(|piece| tail.is_empty_line_after(piece))
                .collect();
            let (last, before) = ends.split_last().expect("there is a piece");
            assert!(*last && before.iter().all(|end| !end), "{size}");
        }
        assert!(Tail::default().is_empty_line_after(b"GET / HTTP/1.1\nhost: h\n\n"));
        assert!(!Tail::default().is_empty_line_after(b"GET / HTTP/1.1\r\n"));
    }
}
