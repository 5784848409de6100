//! The keys of a store as a stream: the host reads them in pieces, as the guest takes them.

use super::{OpenStore, StoreError};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::oneshot;
use wasmtime::component::{Destination, StreamProducer, StreamResult, VecBuffer};
use wasmtime::{Result, StoreContextMut};

/// How many keys are read at once.
const PIECE: usize = 256;

type Reading = Pin<Box<dyn Future<Output = Result<Vec<String>, StoreError>> + Send>>;

/// The keys of a store that were not read yet.
pub(super) struct Keys {
    store: OpenStore,
    last: Option<String>,
    reading: Option<Reading>,
    outcome: Option<oneshot::Sender<Result<(), StoreError>>>,
}

impl Keys {
    /// Lists the keys of a store. The receiver learns whether all were read.
    pub(super) fn of(store: OpenStore) -> (Self, oneshot::Receiver<Result<(), StoreError>>) {
        let (outcome, told) = oneshot::channel();
        let keys = Self {
            store,
            last: None,
            reading: None,
            outcome: Some(outcome),
        };
        (keys, told)
    }

    fn end(&mut self, outcome: Result<(), StoreError>) -> StreamResult {
        if let Some(told) = self.outcome.take() {
            // A guest need not ask.
            let _ = told.send(outcome);
        }
        StreamResult::Dropped
    }
}

impl<D> StreamProducer<D> for Keys {
    type Item = String;
    type Buffer = VecBuffer<String>;

    fn poll_produce<'a>(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        _: StoreContextMut<'a, D>,
        mut destination: Destination<'a, String, VecBuffer<String>>,
        finish: bool,
    ) -> Poll<Result<StreamResult>> {
        let this = self.get_mut();
        let (store, last) = (&this.store, &this.last);
        let begin = || -> Reading { Box::pin(store.clone().keys(last.clone(), PIECE)) };
        let reading = this.reading.get_or_insert_with(begin);
        let piece = match reading.as_mut().poll(cx) {
            Poll::Ready(piece) => piece,
            // The next read goes on with it.
            Poll::Pending if finish => return Poll::Ready(Ok(StreamResult::Cancelled)),
            Poll::Pending => return Poll::Pending,
        };
        this.reading = None;
        Poll::Ready(Ok(match piece {
            Ok(keys) => {
                let is_last = keys.len() < PIECE;
                this.last = keys.last().cloned();
                destination.set_buffer(keys.into());
                match is_last {
                    true => this.end(Ok(())),
                    false => StreamResult::Completed,
                }
            }
            Err(error) => this.end(Err(error)),
        }))
    }
}
