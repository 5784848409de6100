//! [`Receiving`]: the body of a response on its way into the cache.

use super::shared_body::{BodyMemory, FRAME_OVERHEAD, SharedBody};
use bytes::Bytes;
use http_body::{Body as _, Frame};
use http_body_util::BodyExt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};
use wasmtime_wasi_http::{Error, WasiBody};
use waypost_cache::Unstorable;
use waypost_cache::storable::check_length;

/// How long the slowest reader of a body that is too large to be stored may hold up others.
const STALL: Duration = Duration::from_secs(5);

/// A body while it is received.
pub(super) struct Receiving {
    pub(super) shared: Arc<SharedBody>,
    body: WasiBody,
    /// The size of what came, with what each frame costs besides its bytes.
    size: u64,
    largest: u64,
    /// Why the response can't be stored, once that is known.
    unstorable: Option<Unstorable>,
}

impl Receiving {
    /// Begins to receive a body of which at most `largest` bytes are stored.
    pub(super) fn new(body: WasiBody, largest: u64, bodies: &Arc<BodyMemory>) -> Self {
        Self {
            shared: SharedBody::new(Arc::clone(bodies), largest),
            body,
            size: 0,
            largest,
            unstorable: None,
        }
    }

    /// Receives what is there already. Returns whether that is all of it, and can be stored.
    pub(super) async fn is_whole_now(&mut self) -> bool {
        while self.unstorable.is_none() {
            if self.body.is_end_stream() {
                return true;
            }
            match futures::poll!(self.body.frame()) {
                Poll::Ready(None) => return true,
                Poll::Ready(Some(Ok(frame))) => self.take(frame),
                // A body that fails says so again to whoever reads the rest.
                Poll::Ready(Some(Err(error))) => {
                    self.body = failed(error);
                    return false;
                }
                Poll::Pending => return false,
            }
        }
        false
    }

    /// Receives all that is still to come. It is given up if nobody has read it for `patience`.
    ///
    /// # Errors
    ///
    /// Why the whole body can't be stored, or `None` if it broke off or was given up.
    pub(super) async fn read_all(&mut self, patience: Duration) -> Result<(), Option<Unstorable>> {
        let mut last_read = Instant::now();
        loop {
            if self.unstorable.is_some() && !has_room(&self.shared).await {
                return Err(None);
            }
            if self.body.is_end_stream() {
                break;
            }
            let frame = tokio::time::timeout(patience.max(STALL), self.body.frame()).await;
            if self.shared.has_readers() {
                last_read = Instant::now();
            } else if last_read.elapsed() > patience {
                return Err(None);
            }
            match frame {
                Err(_) => {}
                Ok(None) => break,
                Ok(Some(Ok(frame))) => self.take(frame),
                Ok(Some(Err(_))) => return Err(None),
            }
        }
        self.unstorable
            .take()
            .map_or(Ok(()), |reason| Err(Some(reason)))
    }

    /// Returns the whole body.
    pub(super) fn bytes(&self) -> Bytes {
        self.shared.bytes()
    }

    /// Ends the body for its readers.
    pub(super) fn end(&self, is_whole: bool) {
        self.shared.end(is_whole);
    }

    fn take(&mut self, frame: Frame<Bytes>) {
        let size = frame.data_ref().map_or(0, Bytes::len) + FRAME_OVERHEAD;
        self.size = self
            .size
            .saturating_add(u64::try_from(size).unwrap_or(u64::MAX));
        let has_trailers = frame.is_trailers();
        let has_memory = self.shared.write(frame);
        if self.unstorable.is_some() {
            return;
        }
        self.unstorable = match check_length(self.size, self.largest) {
            Err(reason) => Some(reason),
            Ok(()) if has_trailers => Some(Unstorable::Trailers),
            Ok(()) if !has_memory => Some(Unstorable::Memory),
            Ok(()) => None,
        };
        if self.unstorable.is_some() {
            self.shared.not_stored();
        }
    }
}

/// Waits until the readers have read enough of a body that is not stored. Returns `false` if there are none.
async fn has_room(shared: &SharedBody) -> bool {
    loop {
        let room = poll_fn(|cx| shared.poll_room(cx));
        match tokio::time::timeout(STALL, room).await {
            Ok(has_room) => return has_room,
            Err(_) => {
                shared.drop_slowest();
            }
        }
    }
}

/// Makes a body that fails.
fn failed(error: Error) -> WasiBody {
    let frames = futures::stream::once(std::future::ready(Err(error)));
    http_body_util::StreamBody::new(frames).boxed_unsync()
}
