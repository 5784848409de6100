//! [`Door`]: answers a request from the cache before anything else is done for it.
//!
//! Which response a target leads to depends on the route table and on the version of the handler alone, if the policy names no
//! headers. So a hit is noted here under the target as the client wrote it, and the next request for the same target needs
//! neither routing nor a key. Every noted answer is checked again: the table and the version must be those that it was found
//! with, the response must be fresh, or stale while a new one is made, and nothing else of the request may lead another way,
//! such as a body or the cookie of draft mode.
//!
//! The door is for the host's own router. A router component may refuse a client, so the cache stands behind it.

use super::asked::Asked;
use super::draft;
use super::log::Logged;
use super::metrics::CacheEvent;
use super::route::CachedRoute;
use crate::app::App;
use crate::app::component::LazyComponent;
use crate::request::admission::Permit;
use crate::request::head::HeadSize;
use bytes::Bytes;
use http::header::{CONNECTION, HOST, HeaderMap, TRANSFER_ENCODING};
use http::{Method, Request, Response, Version};
use http_body::Body;
use quick_cache::{Equivalent, sync::Cache};
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use waypost_cache::{Key, Verdict};
use waypost_router::Router;

/// How many targets are noted.
const TARGETS: usize = 4096;

/// The largest host and path with query that are noted together, in bytes: with [`TARGETS`], 4 MiB of text at most.
const MAX_TARGET: usize = 1024;

/// The targets that led to a hit.
pub(crate) struct Door {
    known: Cache<Target, Arc<Known>>,
    /// Whether a route of the app has a policy: otherwise nobody looks here.
    is_open: AtomicBool,
}

/// A target as a client wrote it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Target {
    authority: Box<[u8]>,
    path_and_query: Box<str>,
}

/// A target that is still in its request.
struct TargetOf<'a> {
    authority: &'a [u8],
    path_and_query: &'a str,
}

impl Hash for Target {
    fn hash<H: Hasher>(&self, state: &mut H) {
        TargetOf::from(self).hash(state);
    }
}

impl Hash for TargetOf<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.authority.hash(state);
        self.path_and_query.hash(state);
    }
}

impl Equivalent<Target> for TargetOf<'_> {
    fn equivalent(&self, key: &Target) -> bool {
        self.path_and_query == &*key.path_and_query && self.authority == &*key.authority
    }
}

impl<'a> From<&'a Target> for TargetOf<'a> {
    fn from(target: &'a Target) -> Self {
        Self {
            authority: &target.authority,
            path_and_query: &target.path_and_query,
        }
    }
}

/// Where a stored response was found. It is an extension of the response that was made of it.
#[derive(Clone)]
pub(crate) struct Found {
    pub(super) component: Arc<LazyComponent>,
    pub(super) route: Arc<CachedRoute>,
    pub(super) key: Key,
}

/// A target that led to a stored response.
struct Known {
    found: Found,
    /// The table by which it was routed, and the component that the host's router stands for, if there is a router.
    routed: Option<(Arc<Router>, Arc<LazyComponent>)>,
}

/// A request as it comes to the door.
pub(crate) enum Arrival {
    /// It was answered.
    Answered {
        response: Response<Bytes>,
        place: Option<Permit>,
    },
    /// It takes the usual way. The target is noted if it leads to a hit there.
    Passed(Option<Target>),
}

impl Door {
    pub(super) fn new() -> Self {
        Self {
            known: Cache::new(TARGETS),
            is_open: AtomicBool::new(false),
        }
    }

    /// Looks at requests from now on: the app has a route with a policy.
    pub(super) fn open(&self) {
        if !self.is_open.load(Ordering::Relaxed) {
            self.is_open.store(true, Ordering::Relaxed);
        }
    }

    /// Forgets all targets, and the components behind them.
    pub(crate) fn close(&self) {
        self.known.clear();
    }

    /// Notes that a target led to a stored response.
    pub(crate) fn note(
        &self,
        target: Target,
        found: Found,
        routed: Option<(Arc<Router>, Arc<LazyComponent>)>,
    ) {
        self.known.insert(target, Arc::new(Known { found, routed }));
    }
}

impl App {
    /// Answers a client's request if its target led to a hit before, and does again.
    pub(crate) fn at_the_door<B: Body>(&self, request: &Request<B>) -> Arrival {
        let Some(target) = self.target_of(request) else {
            return Arrival::Passed(None);
        };
        match self.answer_known(request, &target) {
            Some((response, place)) => Arrival::Answered { response, place },
            None => Arrival::Passed(Some(Target {
                authority: target.authority.into(),
                path_and_query: target.path_and_query.into(),
            })),
        }
    }

    /// Returns the target of a request that may be answered at the door.
    fn target_of<'a, B: Body>(&self, request: &'a Request<B>) -> Option<TargetOf<'a>> {
        let cache = self.cache.as_deref()?;
        let is_open = cache.door.is_open.load(Ordering::Relaxed);
        // A compressed response is made of the stored one later.
        if !is_open || cache.is_off() || self.settings.server.compress {
            return None;
        }
        let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
        if !is_read || !request.body().is_end_stream() || !is_plain(request.headers()) {
            return None;
        }
        let (uri, headers) = (request.uri(), request.headers());
        let mut hosts = headers.get_all(HOST).into_iter();
        let authority = match (request.version(), uri.authority(), hosts.next()) {
            (Version::HTTP_11, None, Some(host)) if hosts.next().is_none() => host.as_bytes(),
            (Version::HTTP_2, Some(authority), None) => authority.as_str().as_bytes(),
            _ => return None,
        };
        let path_and_query = uri.path_and_query()?.as_str();
        let is_short = authority.len() + path_and_query.len() <= MAX_TARGET;
        is_short.then_some(TargetOf {
            authority,
            path_and_query,
        })
    }

    fn answer_known<B>(
        &self,
        request: &Request<B>,
        target: &TargetOf<'_>,
    ) -> Option<(Response<Bytes>, Option<Permit>)> {
        let cache = self.cache.as_deref()?;
        let known = cache.door.known.get(target)?;
        let Found {
            component,
            route,
            key,
        } = &known.found;
        let is_routed_so = match (&known.routed, &self.routing) {
            (Some((router, _)), Some(routing)) => routing.has_table(router),
            (None, _) => true,
            (Some(_), None) => false,
        };
        if !is_routed_so || !component.is_cached_as(route) {
            return None;
        }
        let headers = request.headers();
        let size = HeadSize::of(request.method(), request.uri(), headers);
        if size.check(&self.widest).is_err() || size.check(&component.config.limits).is_err() {
            return None;
        }
        let asked = Asked::of(request);
        if asked.is_head && route.has_head || draft::asks_for(headers, component) {
            return None;
        }
        let (stored, now) = (cache.memory.get(key)?, cache.clock.now());
        let verdict = stored.verdict(&cache.invalidations, now);
        let event = match verdict {
            Verdict::Fresh if stored.near_end(now).is_none() => CacheEvent::Hit,
            // Nothing has to be begun for it.
            Verdict::Stale if cache.flights.has(key) || !stored.may_refresh(now) => {
                CacheEvent::Stale
            }
            Verdict::Fresh | Verdict::Stale | Verdict::Gone => return None,
        };
        // If the app is busy, the usual way says so.
        let place = self.admission.enter().ok()?;
        cache.metrics.count(event);
        stored.count_hit();
        let response = asked.respond_stored(&stored, verdict, now);
        if let Some(logged) = Logged::of(request, None) {
            logged.outcome(response.headers(), component);
        }
        component.responses.count(response.status());
        if let Some((_, router)) = &known.routed {
            router.responses.count(response.status());
        }
        Some((response, place))
    }
}

/// Returns whether nothing in the headers changes which other headers count or how the message is read.
fn is_plain(headers: &HeaderMap) -> bool {
    let is_usual = |value: &[u8]| {
        value.eq_ignore_ascii_case(b"keep-alive") || value.eq_ignore_ascii_case(b"close")
    };
    let mut connection = headers.get_all(CONNECTION).into_iter();
    !headers.contains_key(TRANSFER_ENCODING) && connection.all(|value| is_usual(value.as_bytes()))
}
