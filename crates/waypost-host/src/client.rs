//! How a component learns that its client went away before it has the whole answer.
//!
//! WASI HTTP has no word for it. The host says it on the program's input (`wasi:cli/stdin` of WASI 0.3), which is
//! else without content: one control character when the client leaves, and nothing before. The input of WASI
//! 0.2 is closed: programs that read theirs to its end must not wait there.

use crate::context::CurrentRequest;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, ReadBuf};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use wasmtime_wasi::cli::{IsTerminal, StdinStream};
use wasmtime_wasi::p2::InputStream;
use wasmtime_wasi::p2::pipe::ClosedInputStream;

/// The control character CANCEL.
const CANCEL: u8 = 0x18;

/// The input of an instance.
pub(crate) struct ClientInput(Arc<CurrentRequest>);

impl ClientInput {
    /// Makes the input of an instance that works on `current`.
    pub(crate) fn new(current: Arc<CurrentRequest>) -> Self {
        Self(current)
    }
}

impl IsTerminal for ClientInput {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdinStream for ClientInput {
    fn async_stream(&self) -> Box<dyn AsyncRead + Send + Sync> {
        Box::new(Line::new(&self.0.get().left))
    }

    fn p2_stream(&self) -> Box<dyn InputStream> {
        Box::new(ClosedInputStream)
    }
}

/// What can be read about one request.
struct Line {
    left: Pin<Box<WaitForCancellationFutureOwned>>,
    is_read: bool,
}

impl Line {
    fn new(left: &CancellationToken) -> Self {
        Self {
            left: Box::pin(left.clone().cancelled_owned()),
            is_read: false,
        }
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.is_read || buffer.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        ready!(self.left.as_mut().poll(cx));
        buffer.put_slice(&[CANCEL]);
        self.is_read = true;
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::RequestContext;
    use futures::poll;
    use tokio::io::AsyncReadExt;

    #[tokio::test]
    async fn one_character_says_that_the_client_left() {
        let context = RequestContext::from_client();
        let current = Arc::new(CurrentRequest::new());
        current.set(context.clone());
        let mut input = Box::into_pin(ClientInput::new(current).async_stream());
        let mut said = Vec::new();
        {
            let mut reading = std::pin::pin!(input.read_to_end(&mut said));
            assert!(poll!(reading.as_mut()).is_pending());
            context.left.cancel();
            assert_eq!(reading.await.ok(), Some(1));
        }
        assert_eq!(said, [CANCEL]);
    }
}
