//! What the host remembers of a request while components work on it.

use crate::request::HeadSize;
use crate::request_id::RequestId;
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::sync::CancellationToken;

/// How many components a request may pass through before it is taken for a loop.
///
/// Router and handler are two; a handler that asks another through the router makes four. Sixteen
/// leaves room for any sane app and ends a cycle before it costs more than sixteen instances.
const MAX_DEPTH: u8 = 16;

/// Identity and depth of a request, and whether its client is there. Nothing of it travels in a header.
#[derive(Clone, Debug)]
pub(crate) struct RequestContext {
    /// Id of the client's request that all this is for.
    pub(crate) id: RequestId,
    /// Cancelled when the client goes away before it has the whole response.
    pub(crate) left: Arc<CancellationToken>,
    /// How large a head its client sent. Of a request that a handler made there is nothing to say.
    pub(crate) head: HeadSize,
    depth: u8,
}

impl RequestContext {
    /// Starts the context of a request that came from a client.
    pub(crate) fn from_client() -> Self {
        Self {
            id: RequestId::unique(),
            left: Arc::default(),
            head: HeadSize::default(),
            depth: 0,
        }
    }

    /// Tells whether a component made the request, and not a client.
    pub(crate) fn is_chained(&self) -> bool {
        self.depth > 0
    }

    /// Gives the context of a request that a component makes to another; `None` when it goes too deep. Its client is
    /// the component, which may wait for it when nobody waits for the component, and the other way round.
    pub(crate) fn chained(&self) -> Option<Self> {
        let depth = self.depth + 1;
        (depth < MAX_DEPTH).then(|| Self {
            depth,
            left: Arc::default(),
            head: HeadSize::default(),
            ..self.clone()
        })
    }

    /// Gives the context of a request that the router hands on, with a head of this size: its client is the router's.
    pub(crate) fn handed_on(&self, head: HeadSize) -> Option<Self> {
        let chained = self.chained()?;
        Some(Self {
            left: Arc::new(self.left.child_token()),
            // The router may add to a head, and may ask others for something of its own.
            head: self.head.least(head),
            ..chained
        })
    }
}

/// The request that an instance works on, shared by its parts.
///
/// An instance serves one request at a time, so there is one.
pub(crate) struct CurrentRequest(Mutex<RequestContext>);

impl CurrentRequest {
    /// Starts with a context of its own, for what a component does while it is instantiated.
    pub(crate) fn new() -> Self {
        Self(Mutex::new(RequestContext::from_client()))
    }

    /// Tells that the instance took up another request.
    pub(crate) fn set(&self, context: RequestContext) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = context;
    }

    /// Gives the request that is being worked on.
    pub(crate) fn get(&self) -> RequestContext {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_leaves_leaves_nobody_else() {
        let first = RequestContext::from_client();
        let chained = first.chained().expect("it is the first link");
        let handed_on = || first.handed_on(HeadSize::default());
        let (one, other) = handed_on().zip(handed_on()).expect("they are first links");
        one.left.cancel();
        assert!(!first.left.is_cancelled() && !other.left.is_cancelled());
        first.left.cancel();
        assert!(other.left.is_cancelled() && !chained.left.is_cancelled());
    }

    #[test]
    fn a_chain_ends() {
        let first = RequestContext::from_client();
        let mut context = first.clone();
        let mut links = 0;
        while let Some(next) = context.chained() {
            assert_eq!(next.id, first.id);
            context = next;
            links += 1;
        }
        assert_eq!(links, usize::from(MAX_DEPTH) - 1);
    }
}
