//! Tells a component that its client left before it had the whole response.
//!
//! WASI HTTP has no such signal. The host sends it on the standard input of the component (`wasi:cli/stdin` of WASI 0.3),
//! which has no content otherwise: one control character when the client leaves, and nothing before. The standard input of
//! WASI 0.2 is closed: programs that read theirs to its end must not block there.

use crate::request::context::CurrentRequest;
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

/// The standard input of an instance.
pub(crate) struct ClientSignal(Arc<CurrentRequest>);

impl ClientSignal {
    /// Makes the standard input of an instance that works on `current`.
    pub(crate) fn new(current: Arc<CurrentRequest>) -> Self {
        Self(current)
    }
}

impl IsTerminal for ClientSignal {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdinStream for ClientSignal {
    fn async_stream(&self) -> Box<dyn AsyncRead + Send + Sync> {
        Box::new(Reader::new(&self.0.get().client_left))
    }

    fn p2_stream(&self) -> Box<dyn InputStream> {
        Box::new(ClosedInputStream)
    }
}

/// The standard input during one request.
struct Reader {
    left: Pin<Box<WaitForCancellationFutureOwned>>,
    is_read: bool,
}

impl Reader {
    fn new(left: &CancellationToken) -> Self {
        Self {
            left: Box::pin(left.clone().cancelled_owned()),
            is_read: false,
        }
    }
}

impl AsyncRead for Reader {
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
    use crate::request::context::RequestContext;
    use futures::poll;
    use tokio::io::AsyncReadExt;

    #[tokio::test]
    async fn one_character_says_that_the_client_left() {
        let context = RequestContext::from_client();
        let current = Arc::new(CurrentRequest::new());
        current.set(context.clone());
        let mut input = Box::into_pin(ClientSignal::new(current).async_stream());
        let mut said = Vec::new();
        {
            let mut reading = std::pin::pin!(input.read_to_end(&mut said));
            assert!(poll!(reading.as_mut()).is_pending());
            context.client_left.cancel();
            assert_eq!(reading.await.ok(), Some(1));
        }
        assert_eq!(said, [CANCEL]);
    }
}
