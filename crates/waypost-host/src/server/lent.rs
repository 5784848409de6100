//! A socket that comes back from the HTTP library.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::oneshot;

/// A stream that goes back to its owner when who borrowed it drops it.
///
/// The HTTP library drops the socket of a connection that ended in a fault, and the kernel would then take back
/// what the client has not read yet. Its owner can still say why, and give the client time to read it.
pub(super) struct Lent<S> {
    stream: Option<S>,
    owner: Option<oneshot::Sender<S>>,
}

impl<S> Lent<S> {
    /// Lends `stream`; it comes back through the receiver.
    pub(super) fn new(stream: S) -> (Self, oneshot::Receiver<S>) {
        let (owner, back) = oneshot::channel();
        let lent = Self {
            stream: Some(stream),
            owner: Some(owner),
        };
        (lent, back)
    }

    fn get(&self) -> &S {
        self.stream.as_ref().expect("it is there until the drop")
    }
}

impl<S: Unpin> Lent<S> {
    fn pinned(&mut self) -> Pin<&mut S> {
        Pin::new(self.stream.as_mut().expect("it is there until the drop"))
    }
}

impl<S> Drop for Lent<S> {
    fn drop(&mut self) {
        if let (Some(stream), Some(owner)) = (self.stream.take(), self.owner.take()) {
            // An owner that is gone does not want it back.
            let _ = owner.send(stream);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lent<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.pinned().poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Lent<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.pinned().poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.pinned().poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.get().is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.pinned().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.pinned().poll_shutdown(cx)
    }
}
