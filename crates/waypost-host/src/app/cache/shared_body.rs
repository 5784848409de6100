//! [`SharedBody`]: a body that several clients read while it arrives.

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use wasmtime_wasi_http::Error;

/// What each frame costs besides its bytes: a guest may write them one by one.
pub(super) const FRAME_OVERHEAD: usize = 128;

/// How far a body that is too large to be stored may be ahead of its slowest reader, in bytes, if no other reader waits for more.
const AHEAD: usize = 256 << 10;

/// A body while it arrives. One task writes it, and any number of clients read it from its beginning.
///
/// Until it proves too large to be stored, all of it is kept. From then on, what all readers have is dropped. A reader may be as
/// far behind the others as a stored body may be large: then it sets the pace. One that holds up the others for too long gets an
/// error.
pub(super) struct SharedBody {
    state: Mutex<State>,
    /// How far the slowest reader may be behind one that waits for more, in bytes.
    most_behind: usize,
    memory: Arc<BodyMemory>,
}

/// The memory of bodies.
pub(super) struct BodyMemory {
    size: AtomicUsize,
    limit: usize,
}

impl BodyMemory {
    /// Allows `limit` bytes.
    pub(super) fn limited(limit: u64) -> Arc<Self> {
        Arc::new(Self {
            size: AtomicUsize::new(0),
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
        })
    }

    /// Makes a body that counts until nobody has it any more: neither the cache, nor a client that still reads it.
    pub(super) fn hold(self: &Arc<Self>, body: Vec<u8>) -> Bytes {
        self.add(body.len());
        Bytes::from_owner(Held {
            body,
            memory: Arc::clone(self),
        })
    }

    /// Counts bytes. Returns whether all of them are within the limit.
    fn add(&self, size: usize) -> bool {
        let before = self.size.fetch_add(size, Ordering::Relaxed);
        before.saturating_add(size) <= self.limit
    }

    fn has_room(&self) -> bool {
        self.size.load(Ordering::Relaxed) <= self.limit
    }

    fn subtract(&self, size: usize) {
        self.size.fetch_sub(size, Ordering::Relaxed);
    }

    /// Counts the bytes of a body that arrives, until the result is dropped. Returns `None` if they are not within the limit.
    pub(super) fn reserve(self: &Arc<Self>, size: usize) -> Option<Reserved> {
        let (is_within, memory) = (self.add(size), Arc::clone(self));
        let reserved = Reserved { memory, size };
        is_within.then_some(reserved)
    }
}

/// Bytes of a body that arrives.
pub(super) struct Reserved {
    memory: Arc<BodyMemory>,
    size: usize,
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.memory.subtract(self.size);
    }
}

/// A whole body, and the memory that it counts for.
struct Held {
    body: Vec<u8>,
    memory: Arc<BodyMemory>,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.memory.subtract(self.body.len());
    }
}

#[derive(Default)]
struct State {
    /// The frames that are kept, of which the first has the number `dropped`.
    frames: VecDeque<SharedFrame>,
    dropped: usize,
    /// The size of all frames that are kept, in bytes.
    kept: usize,
    end: Option<End>,
    is_not_stored: bool,
    readers: HashMap<u64, Place>,
    next_reader: u64,
    writer: Option<Waker>,
}

/// Where a reader is.
#[derive(Default)]
struct Place {
    /// The number of the next frame that it reads.
    next: usize,
    /// Wakes it when there is one.
    waker: Option<Waker>,
}

#[derive(Clone)]
enum SharedFrame {
    Data(Bytes),
    Trailers(http::HeaderMap),
}

impl SharedFrame {
    fn size(&self) -> usize {
        match self {
            Self::Data(data) => data.len() + FRAME_OVERHEAD,
            Self::Trailers(_) => FRAME_OVERHEAD,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Whole,
    BrokenOff,
}

impl SharedBody {
    /// Makes an empty body, of which at most `largest` bytes are stored.
    pub(super) fn new(memory: Arc<BodyMemory>, largest: u64) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::default(),
            most_behind: usize::try_from(largest).unwrap_or(usize::MAX),
            memory,
        })
    }

    /// Adds a frame. Returns whether all bodies that arrive are within their limit of memory.
    pub(super) fn write(&self, frame: Frame<Bytes>) -> bool {
        let frame = match frame.into_data() {
            Ok(data) if data.is_empty() => return true,
            Ok(data) => SharedFrame::Data(data),
            Err(frame) => match frame.into_trailers() {
                Ok(trailers) => SharedFrame::Trailers(trailers),
                Err(_) => return true,
            },
        };
        let mut state = self.lock();
        let size = frame.size();
        state.kept += size;
        state.frames.push_back(frame);
        state.wake_readers();
        let has_memory = self.memory.add(size);
        self.memory.subtract(state.drop_what_is_read());
        has_memory
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
    pub(super) fn not_stored(&self) {
        let mut state = self.lock();
        state.is_not_stored = true;
        self.memory.subtract(state.drop_what_is_read());
    }

    /// Waits until there is room for the next frame. Returns `false` if the body is not stored, and nobody reads it any more.
    pub(super) fn poll_room(&self, cx: &mut Context<'_>) -> Poll<bool> {
        let mut state = self.lock();
        if state.is_not_stored && state.readers.is_empty() {
            return Poll::Ready(false);
        }
        let limit = match state.has_waiting_reader() && self.memory.has_room() {
            true => self.most_behind.max(AHEAD),
            false => AHEAD,
        };
        if !state.is_not_stored || state.kept <= limit {
            return Poll::Ready(true);
        }
        state.writer = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Gives up the readers that hold up others. Returns whether there were any.
    pub(super) fn drop_slowest(&self) -> bool {
        let mut state = self.lock();
        let places = || state.readers.values().map(|place| place.next);
        let (slowest, fastest) = (places().min(), places().max());
        if slowest == fastest {
            return false;
        }
        state.readers.retain(|_, place| {
            let is_kept = Some(place.next) != slowest;
            if let (false, Some(waker)) = (is_kept, place.waker.take()) {
                waker.wake();
            }
            is_kept
        });
        self.memory.subtract(state.drop_what_is_read());
        true
    }

    pub(super) fn has_readers(&self) -> bool {
        !self.lock().readers.is_empty()
    }

    /// Returns a copy of the whole body. The frames may be parts of larger buffers, which must not stay for them.
    pub(super) fn bytes(&self) -> Bytes {
        let state = self.lock();
        let data = state.frames.iter().filter_map(|frame| match frame {
            SharedFrame::Data(data) => Some(data.as_ref()),
            SharedFrame::Trailers(_) => None,
        });
        self.memory.hold(data.collect::<Vec<_>>().concat())
    }

    /// Returns a reader of the whole body, or `None` if its beginning is not kept. `length` is the length of the body, if
    /// it is known.
    pub(super) fn reader(self: &Arc<Self>, length: Option<u64>) -> Option<Reader> {
        let mut state = self.lock();
        if state.dropped > 0 {
            return None;
        }
        let id = state.next_reader;
        state.next_reader += 1;
        state.readers.insert(id, Place::default());
        Some(Reader {
            body: Arc::clone(self),
            id,
            left: length,
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn wake_readers(&mut self) {
        let places = self.readers.values_mut();
        places
            .filter_map(|place| place.waker.take())
            .for_each(Waker::wake);
    }

    /// Returns whether a reader has all that is there.
    fn has_waiting_reader(&self) -> bool {
        let all = self.dropped + self.frames.len();
        self.readers.values().any(|place| place.next == all)
    }

    /// Drops the frames that all readers have, unless the body is stored. Returns the size of these, in bytes.
    fn drop_what_is_read(&mut self) -> usize {
        if !self.is_not_stored {
            return 0;
        }
        let before = self.kept;
        let all = self.dropped + self.frames.len();
        let slowest = self.readers.values().map(|place| place.next).min();
        let slowest = slowest.unwrap_or(all);
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
        before - self.kept
    }

    /// Reads the next frame for a reader, or leaves its waker.
    fn read(&mut self, reader: u64, cx: &Context<'_>) -> Poll<Option<Result<SharedFrame, Error>>> {
        // The writer has logged why a body broke off. A reader that was given up is another reason.
        let broken_off = Poll::Ready(Some(Err(Error::HttpResponseIncomplete)));
        let Some(place) = self.readers.get_mut(&reader) else {
            return broken_off;
        };
        let index = place.next.checked_sub(self.dropped);
        if let Some(frame) = index.and_then(|index| self.frames.get(index)).cloned() {
            place.next += 1;
            return Poll::Ready(Some(Ok(frame)));
        }
        match self.end {
            Some(End::Whole) => Poll::Ready(None),
            Some(End::BrokenOff) => broken_off,
            None => {
                place.waker = Some(cx.waker().clone());
                // There may be room now that this one waits.
                self.writer.take().into_iter().for_each(Waker::wake);
                Poll::Pending
            }
        }
    }
}

impl Drop for SharedBody {
    fn drop(&mut self) {
        let kept = self.lock().kept;
        self.memory.subtract(kept);
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
        let frame = ready!(state.read(self.id, cx));
        body.memory.subtract(state.drop_what_is_read());
        let frame = frame.map(|frame| match frame? {
            SharedFrame::Data(data) => {
                let size = u64::try_from(data.len()).unwrap_or(u64::MAX);
                self.left = self.left.map(|left| left.saturating_sub(size));
                Ok(Frame::data(data))
            }
            SharedFrame::Trailers(trailers) => Ok(Frame::trailers(trailers)),
        });
        Poll::Ready(frame)
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut state = self.body.lock();
        state.readers.remove(&self.id);
        self.body.memory.subtract(state.drop_what_is_read());
        if state.readers.is_empty()
            && let Some(writer) = state.writer.take()
        {
            writer.wake();
        }
    }
}

#[cfg(test)]
mod tests;
