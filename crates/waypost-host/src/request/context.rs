//! The identity of a request while components work on it.

use super::admission::Admission;
use super::body::ClientFault;
use super::head::HeadSize;
use super::inner_data::InnerData;
use crate::observe::request_id::RequestId;
use http::uri::PathAndQuery;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;

/// How many components a request may pass through before the host takes it for a loop.
///
/// Router and handler are two; a handler that asks another through the router makes four. Sixteen
/// leaves room for any sane app and ends a cycle before it costs more than sixteen instances.
const MAX_DEPTH: u8 = 16;

/// The id of a request, its depth in a chain of components, and whether its client is still there. None of it travels in
/// a header.
#[derive(Clone, Debug)]
pub(crate) struct RequestContext {
    /// Id of the client's request, shared by all requests that components make for it.
    pub(crate) id: RequestId,
    /// Cancelled when the client leaves before it has the whole response.
    pub(crate) client_left: Arc<CancellationToken>,
    /// Size of the head that the client sent; zero for a request that a handler made.
    pub(crate) head: HeadSize,
    /// The fault in the body that the client sent, once there is one. `None` if the request has no body, or if a handler
    /// made it.
    pub(crate) client_fault: Option<ClientFault>,
    /// Limits the requests that handlers make to the app for one client's request, however they follow from each other.
    /// `None` until a handler makes the first.
    ///
    /// Without a limit, a few clients of a handler that asks many others, each of which asks many others, take every place
    /// of the app.
    inner: Option<Arc<Admission>>,
    /// Whether the app's router forwarded the request. It does so once; what else it asks for counts as inner requests.
    is_forwarded: bool,
    depth: u8,
    /// What the run may have from the data cache.
    pub(crate) data: DataAccess,
}

/// What a run may have from the data cache.
#[derive(Clone, Debug, Default)]
pub(crate) struct DataAccess {
    /// The target of the request: whoever revalidates its path wants new data too.
    pub(crate) target: Option<PathAndQuery>,
    /// Collects what the run uses, if its response may be stored: such a run gets no stale value, because it would be stored
    /// as a fresh one.
    pub(crate) used: Option<Arc<InnerData>>,
    /// Whether the client is in draft mode, so that nothing is read or stored.
    pub(crate) is_draft: bool,
}

impl RequestContext {
    /// Starts the context of a request that came from a client.
    pub(crate) fn from_client() -> Self {
        Self {
            id: RequestId::unique(),
            client_left: Arc::default(),
            head: HeadSize::default(),
            client_fault: None,
            inner: None,
            is_forwarded: false,
            depth: 0,
            data: DataAccess::default(),
        }
    }

    /// Returns the limit that the request counts towards, or `None` if it is the client's own.
    pub(crate) fn inner(&self) -> Option<&Admission> {
        self.inner.as_deref()
    }

    fn count_inner(&mut self, most: usize) {
        self.inner
            .get_or_insert_with(|| Arc::new(Admission::limited(most)));
    }

    /// Returns whether a component made the request, and not a client.
    pub(crate) fn is_chained(&self) -> bool {
        self.depth > 0
    }

    /// Returns the context of a run that fills the cache: it goes on when the client leaves, and sees nothing of its
    /// request's body.
    pub(crate) fn for_cache(&self) -> Self {
        Self {
            client_left: Arc::default(),
            head: HeadSize::default(),
            client_fault: None,
            ..self.clone()
        }
    }

    /// Returns the context of a request that a component makes to another, or `None` if the chain gets too deep. Its
    /// client is the component: that may still wait for it when its own client has left, or the other way round.
    pub(crate) fn chained(&self) -> Option<Self> {
        let depth = self.depth + 1;
        (depth < MAX_DEPTH).then(|| Self {
            depth,
            client_left: Arc::default(),
            head: HeadSize::default(),
            client_fault: None,
            is_forwarded: false,
            data: DataAccess::default(),
            ..self.clone()
        })
    }

    /// Returns the context of a request that the router forwards with a head of this size, or `None` if the chain gets
    /// too deep. Its client is the router's client.
    fn forwarded(&self, head: HeadSize) -> Option<Self> {
        let chained = self.chained()?;
        Some(Self {
            client_left: Arc::new(self.client_left.child_token()),
            // The router may add headers, which do not count, and may make smaller requests of its own.
            head: self.head.min(head),
            client_fault: self.client_fault.clone(),
            ..chained
        })
    }
}

/// The request that an instance works on, shared by its parts. An instance serves one request at a time.
pub(crate) struct CurrentRequest(Mutex<RequestContext>);

impl CurrentRequest {
    /// Makes a context for the work of a component while it is instantiated.
    pub(crate) fn new() -> Self {
        Self(Mutex::new(RequestContext::from_client()))
    }

    /// Records that the instance works on another request now.
    pub(crate) fn set(&self, context: RequestContext) {
        *self.lock() = context;
    }

    /// Returns the context of a request that the component makes to another one of the app, or `None` if the chain gets too
    /// deep. Such requests count together, with those that follow from them. `most` of them are admitted at once if this is
    /// the first.
    pub(crate) fn inner(&self, most: usize) -> Option<RequestContext> {
        let mut current = self.lock();
        current.count_inner(most);
        current.chained()
    }

    /// Returns the context of a request that the app's router makes to a component, or `None` if the chain gets too deep. The
    /// first one is its client's request, and the others count as inner requests.
    pub(crate) fn forwarded(&self, head: HeadSize, most: usize) -> Option<RequestContext> {
        let mut current = self.lock();
        if std::mem::replace(&mut current.is_forwarded, true) {
            current.count_inner(most);
        }
        current.forwarded(head)
    }

    /// Returns the request that the instance works on.
    pub(crate) fn get(&self) -> RequestContext {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, RequestContext> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_leaves_does_not_concern_other_requests() {
        let first = RequestContext::from_client();
        let chained = first.chained().expect("it is the first link");
        let forwarded = || first.forwarded(HeadSize::default());
        let (one, other) = forwarded().zip(forwarded()).expect("they are first links");
        one.client_left.cancel();
        assert!(!first.client_left.is_cancelled() && !other.client_left.is_cancelled());
        first.client_left.cancel();
        assert!(other.client_left.is_cancelled() && !chained.client_left.is_cancelled());
    }

    #[test]
    fn only_the_first_request_that_a_router_forwards_is_its_clients() {
        let current = CurrentRequest::new();
        let forwarded = || {
            current
                .forwarded(HeadSize::default(), 1)
                .expect("it is the first link")
        };
        assert!(forwarded().inner().is_none());
        let (second, third) = (forwarded(), forwarded());
        let place = second.inner().expect("it counts").enter();
        assert!(place.is_ok());
        assert!(third.inner().expect("it counts too").enter().is_err());
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
