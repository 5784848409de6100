//! What the host remembers of a request while components work on it.

use crate::request_id::RequestId;
use std::sync::{Mutex, PoisonError};

/// How many components a request may pass through before it is taken for a loop.
///
/// Router and handler are two; a handler that asks another through the router makes four. Sixteen
/// leaves room for any sane app and ends a cycle before it costs more than sixteen instances.
const MAX_DEPTH: u8 = 16;

/// Identity and depth of a request. Nothing of it travels in a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RequestContext {
    /// Id of the client's request that all this is for.
    pub(crate) id: RequestId,
    depth: u8,
}

impl RequestContext {
    /// Starts the context of a request that came from a client.
    pub(crate) fn from_client() -> Self {
        Self {
            id: RequestId::unique(),
            depth: 0,
        }
    }

    /// Gives the context of a request that a component makes to another; `None` when it goes too deep.
    pub(crate) fn chained(self) -> Option<Self> {
        let depth = self.depth + 1;
        (depth < MAX_DEPTH).then_some(Self { depth, ..self })
    }
}

/// The request that an instance works on, shared by its parts.
///
/// An instance serves one request at a time ([`CONCURRENCY`](crate::worker::CONCURRENCY)), so there is one.
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
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_ends() {
        let first = RequestContext::from_client();
        let mut context = first;
        let mut links = 0;
        while let Some(next) = context.chained() {
            assert_eq!(next.id, first.id);
            context = next;
            links += 1;
        }
        assert_eq!(links, usize::from(MAX_DEPTH) - 1);
    }
}
