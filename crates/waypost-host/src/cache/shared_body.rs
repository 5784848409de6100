//! [`SharedBody`]: a body that several clients read while it arrives.

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use wasmtime_wasi_http::Error;

/// How far a body that is too large to be stored may be ahead of its slowest reader, in bytes.
const AHEAD: usize = 256 << 10;

/// A body while it arrives. One task writes it, and any number of clients read it from its beginning.
///
/// Until it is too large to be stored, all of it is kept. From then on nobody can begin to read it, and what all readers have
/// is dropped: the slowest reader sets the pace, and it loses its place if its client stops reading.
pub(super) struct SharedBody(Mutex<State>);

#[derive(Default)]
struct State {
    /// The frames that are kept, of which the first has the number `dropped`.
    frames: VecDeque<SharedFrame>,
    dropped: usize,
    /// The size of all frames that are kept, in bytes.
    kept: usize,
    end: Option<End>,
    is_too_large: bool,
    /// The number of the next frame of each reader.
    readers: HashMap<u64, usize>,
    next_reader: u64,
    waiting: Vec<Waker>,
    writer: Option<Waker>,
}

#[derive(Clone)]
enum SharedFrame {
    Data(Bytes),
    Trailers(http::HeaderMap),
}

impl SharedFrame {
    fn size(&self) -> usize {
        match self {
            Self::Data(data) => data.len(),
            Self::Trailers(_) => 0,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Whole,
    BrokenOff,
}

impl SharedBody {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::default()))
    }

    /// Adds a frame.
    pub(super) fn write(&self, frame: Frame<Bytes>) {
        let frame = match frame.into_data() {
            Ok(data) => SharedFrame::Data(data),
            Err(frame) => match frame.into_trailers() {
                Ok(trailers) => SharedFrame::Trailers(trailers),
                Err(_) => return,
            },
        };
        let mut state = self.lock();
        state.kept += frame.size();
        state.frames.push_back(frame);
        state.drop_what_is_read();
        state.wake_readers();
    }

    /// Ends the body. Readers of one that is not whole get an error.
    pub(super) fn end(&self, is_whole: bool) {
        let mut state = self.lock();
        state.end = Some(match is_whole {
            true => End::Whole,
            false => End::BrokenOff,
        });
        state.wake_readers();
    }

    /// From now on, keeps only what not all readers have.
    pub(super) fn too_large(&self) {
        let mut state = self.lock();
        state.is_too_large = true;
        state.drop_what_is_read();
    }

    /// Waits until there is room for the next frame. Returns `false` if the body is too large to be stored, and nobody reads
    /// it any more.
    pub(super) fn poll_room(&self, cx: &mut Context<'_>) -> Poll<bool> {
        let mut state = self.lock();
        if state.is_too_large && state.readers.is_empty() {
            return Poll::Ready(false);
        }
        if !state.is_too_large || state.kept <= AHEAD {
            return Poll::Ready(true);
        }
        state.writer = Some(cx.waker().clone());
        Poll::Pending
    }

    pub(super) fn has_readers(&self) -> bool {
        !self.lock().readers.is_empty()
    }

    /// Returns the bytes of the whole body.
    pub(super) fn bytes(&self) -> Bytes {
        let state = self.lock();
        let mut data = state.frames.iter().filter_map(|frame| match frame {
            SharedFrame::Data(data) => Some(data),
            SharedFrame::Trailers(_) => None,
        });
        match (data.next(), data.next()) {
            (None, _) => Bytes::new(),
            (Some(only), None) => only.clone(),
            (Some(_), Some(_)) => state
                .frames
                .iter()
                .fold(
                    bytes::BytesMut::with_capacity(state.kept),
                    |mut all, frame| {
                        if let SharedFrame::Data(data) = frame {
                            all.extend_from_slice(data);
                        }
                        all
                    },
                )
                .freeze(),
        }
    }

    /// Returns a reader of the whole body, or `None` if its beginning is not kept. `length` is the length of the body, if
    /// it is known.
    pub(super) fn reader(self: &Arc<Self>, length: Option<u64>) -> Option<Reader> {
        let mut state = self.lock();
        if state.is_too_large {
            return None;
        }
        let id = state.next_reader;
        state.next_reader += 1;
        state.readers.insert(id, 0);
        Some(Reader {
            body: Arc::clone(self),
            id,
            left: length,
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn wake_readers(&mut self) {
        for waker in self.waiting.drain(..) {
            waker.wake();
        }
    }

    fn drop_what_is_read(&mut self) {
        if !self.is_too_large {
            return;
        }
        let all = self.dropped + self.frames.len();
        let slowest = self.readers.values().min().copied().unwrap_or(all);
        while self.dropped < slowest
            && let Some(frame) = self.frames.pop_front()
        {
            self.dropped += 1;
            self.kept -= frame.size();
        }
        if (self.kept <= AHEAD || self.readers.is_empty())
            && let Some(writer) = self.writer.take()
        {
            writer.wake();
        }
    }

    /// Returns the next frame for a reader.
    fn read(&mut self, reader: u64) -> Option<SharedFrame> {
        let next = self.readers.get_mut(&reader)?;
        let frame = self.frames.get(next.checked_sub(self.dropped)?)?.clone();
        *next += 1;
        self.drop_what_is_read();
        Some(frame)
    }
}

/// The body of the response to one client.
pub(super) struct Reader {
    body: Arc<SharedBody>,
    id: u64,
    /// How many bytes are still to come, if that is known.
    left: Option<u64>,
}

impl Body for Reader {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let body = Arc::clone(&self.body);
        let mut state = body.lock();
        match state.read(self.id) {
            Some(SharedFrame::Data(data)) => {
                let size = u64::try_from(data.len()).unwrap_or(u64::MAX);
                self.left = self.left.map(|left| left.saturating_sub(size));
                Poll::Ready(Some(Ok(Frame::data(data))))
            }
            Some(SharedFrame::Trailers(trailers)) => {
                Poll::Ready(Some(Ok(Frame::trailers(trailers))))
            }
            None => match state.end {
                Some(End::Whole) => Poll::Ready(None),
                // The writer has logged why.
                Some(End::BrokenOff) => Poll::Ready(Some(Err(Error::HttpResponseIncomplete))),
                None => {
                    state.waiting.push(cx.waker().clone());
                    Poll::Pending
                }
            },
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut state = self.body.lock();
        state.readers.remove(&self.id);
        state.drop_what_is_read();
        if state.readers.is_empty()
            && let Some(writer) = state.writer.take()
        {
            writer.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;
    use std::future::poll_fn;

    fn data(size: usize) -> Frame<Bytes> {
        Frame::data(Bytes::from(vec![b'a'; size]))
    }

    async fn next(reader: &mut Reader) -> Option<usize> {
        let frame = reader.frame().await?.ok()?;
        frame.data_ref().map(Bytes::len)
    }

    #[tokio::test]
    async fn readers_get_all_of_it_whenever_they_come() {
        let body = SharedBody::new();
        let mut early = body.reader(None).expect("it is kept");
        body.write(data(3));
        assert_eq!(next(&mut early).await, Some(3));
        let late = body.reader(Some(7)).expect("it is kept");
        assert_eq!(late.size_hint().exact(), Some(7));
        let waits = tokio::spawn(late.collect());
        tokio::task::yield_now().await;
        body.write(data(4));
        body.end(true);
        let collected = waits.await.expect("it does not panic");
        assert_eq!(collected.expect("it is whole").to_bytes().len(), 7);
        assert_eq!(next(&mut early).await, Some(4));
        assert!(early.frame().await.is_none());
        assert_eq!(body.bytes().len(), 7);
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_an_error_for_all() {
        let body = SharedBody::new();
        let mut reader = body.reader(None).expect("it is kept");
        body.write(data(1));
        body.end(false);
        assert_eq!(next(&mut reader).await, Some(1));
        assert!(reader.frame().await.expect("it does not end").is_err());
    }

    #[tokio::test]
    async fn a_large_body_waits_for_its_slowest_reader() {
        let body = SharedBody::new();
        let mut fast = body.reader(None).expect("it is kept");
        let mut slow = body.reader(None).expect("it is kept");
        body.write(data(AHEAD + 1));
        body.too_large();
        assert!(body.reader(None).is_none());
        let room = || futures::poll!(poll_fn(|cx| body.poll_room(cx)));
        assert_eq!(next(&mut fast).await, Some(AHEAD + 1));
        assert!(room().is_pending());
        assert_eq!(next(&mut slow).await, Some(AHEAD + 1));
        assert_eq!(room(), Poll::Ready(true));
        body.write(data(AHEAD + 1));
        assert_eq!(next(&mut fast).await, Some(AHEAD + 1));
        assert!(room().is_pending());
        // A reader that leaves holds nobody up.
        drop(slow);
        assert_eq!(room(), Poll::Ready(true));
        assert_eq!(body.lock().kept, 0);
        drop(fast);
        assert_eq!(room(), Poll::Ready(false));
        assert!(!body.has_readers());
    }
}
