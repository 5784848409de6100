//! The passing of a body to a connection. Its first pieces are kept, for another connection if a server refuses it.

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use tokio::sync::mpsc;
use wasmtime_wasi_http::{Error, WasiBody};

/// How many bytes of a body are kept for a second try. Of a longer one, a server that refuses it has taken a part.
const KEPT: usize = 64 << 10;

/// A piece of a body.
#[derive(Clone)]
pub(super) enum Piece {
    Data(Bytes),
    Trailers(HeaderMap),
    End,
}

impl Piece {
    /// Returns the piece of a frame, or `None` if its kind is unknown.
    pub(super) fn of(frame: Frame<Bytes>) -> Option<Self> {
        match frame.into_data() {
            Ok(data) => Some(Self::Data(data)),
            Err(frame) => frame.into_trailers().ok().map(Self::Trailers),
        }
    }

    /// Returns how much memory it takes, at least.
    fn size(&self) -> usize {
        let content = match self {
            Self::Data(data) => data.len(),
            Self::Trailers(_) | Self::End => 0,
        };
        size_of::<Self>().saturating_add(content)
    }
}

/// Makes the way of a body from its sender to a connection.
pub(super) fn channel() -> (mpsc::Sender<Piece>, PassedOn, Again) {
    let (sender, pieces) = mpsc::channel(1);
    let passing = Passing {
        pieces,
        kept: VecDeque::new(),
        next: 0,
        size: 0,
        is_kept: true,
        reader: 0,
    };
    let passing = Arc::new(Mutex::new(passing));
    let again = Again(Arc::clone(&passing));
    (sender, PassedOn::new(passing, 0), again)
}

/// The state of a body that is passed on.
struct Passing {
    pieces: mpsc::Receiver<Piece>,
    /// The first pieces, while they may be needed again.
    kept: VecDeque<Piece>,
    /// Which of the kept pieces comes next.
    next: usize,
    /// The size of the kept pieces.
    size: usize,
    is_kept: bool,
    /// The number of the body that reads: each try has one of its own.
    reader: usize,
}

impl Passing {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Piece>> {
        if !self.is_kept
            && let Some(piece) = self.kept.pop_front()
        {
            return Poll::Ready(Some(piece));
        }
        if let Some(piece) = self.kept.get(self.next) {
            self.next += 1;
            return Poll::Ready(Some(piece.clone()));
        }
        let piece = ready!(self.pieces.poll_recv(cx));
        if let Some(piece) = &piece {
            self.keep(piece);
        }
        Poll::Ready(piece)
    }

    fn keep(&mut self, piece: &Piece) {
        self.size = self.size.saturating_add(piece.size());
        if self.size > KEPT {
            self.settle();
        }
        if self.is_kept {
            self.kept.push_back(piece.clone());
            self.next += 1;
        }
    }

    /// Keeps no more than what the present connection needs.
    fn settle(&mut self) {
        self.is_kept = false;
        self.kept.drain(..self.next);
        self.next = 0;
    }
}

/// The body of another try, which is possible until this is dropped.
pub(super) struct Again(Arc<Mutex<Passing>>);

impl Again {
    /// Returns the body from its beginning, or `None` if that is not kept. The body of the try before fails from now on.
    pub(super) fn body(&self) -> Option<WasiBody> {
        let mut passing = lock(&self.0);
        if !passing.is_kept {
            return None;
        }
        passing.next = 0;
        passing.reader += 1;
        Some(PassedOn::new(Arc::clone(&self.0), passing.reader).boxed_unsync())
    }
}

impl Drop for Again {
    fn drop(&mut self) {
        lock(&self.0).settle();
    }
}

/// A body that is complete only if its sender said so.
pub(super) struct PassedOn {
    passing: Option<Arc<Mutex<Passing>>>,
    reader: usize,
}

impl PassedOn {
    fn new(passing: Arc<Mutex<Passing>>, reader: usize) -> Self {
        let passing = Some(passing);
        Self { passing, reader }
    }
}

impl Body for PassedOn {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let Some(passing) = &self.passing else {
            return Poll::Ready(None);
        };
        let piece = {
            let mut passing = lock(passing);
            match passing.reader == self.reader {
                true => ready!(passing.poll(cx)),
                false => None,
            }
        };
        let frame = match piece {
            Some(Piece::Data(data)) => return Poll::Ready(Some(Ok(Frame::data(data)))),
            Some(Piece::Trailers(trailers)) => {
                return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
            }
            Some(Piece::End) => None,
            None => Some(Err(Error::ConnectionTerminated)),
        };
        self.passing = None;
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.passing.is_none()
    }
}

fn lock(passing: &Mutex<Passing>) -> MutexGuard<'_, Passing> {
    passing.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn next(body: &mut WasiBody) -> Option<Bytes> {
        let frame = body.frame().await?;
        frame.expect("it goes on").into_data().ok()
    }

    #[tokio::test]
    async fn a_body_begins_again_with_what_was_kept() {
        let (sender, body, again) = channel();
        let mut body = body.boxed_unsync();
        for text in ["one", "two"] {
            let sent = sender.send(Piece::Data(text.into())).await;
            sent.expect("it is read");
            assert_eq!(next(&mut body).await.expect("a piece"), text);
        }
        let mut second = again.body().expect("it is kept");
        assert!(body.frame().await.expect("an end").is_err());
        assert_eq!(next(&mut second).await.expect("a piece"), "one");
        drop(again);
        assert_eq!(next(&mut second).await.expect("a piece"), "two");
        sender.send(Piece::End).await.expect("it is read");
        assert!(second.frame().await.is_none());
        drop((body, second));
        assert!(sender.is_closed());
    }

    #[tokio::test]
    async fn a_long_body_does_not_begin_again() {
        let (sender, body, again) = channel();
        let mut body = body.boxed_unsync();
        let half = Bytes::from(vec![0; KEPT / 2 + 1]);
        for is_kept in [true, false] {
            let sent = sender.send(Piece::Data(half.clone())).await;
            sent.expect("it is read");
            assert_eq!(next(&mut body).await, Some(half.clone()));
            assert_eq!(lock(&again.0).is_kept, is_kept);
        }
        assert!(again.body().is_none() && lock(&again.0).kept.is_empty());
    }
}
