//! [`Fill`]: the run of a handler whose response is stored.

use super::ResponseCache;
use super::flights::{Leader, Progress, Streaming};
use super::metrics::CacheEvent;
use super::revalidate::strip_internal;
use super::route::CachedRoute;
use super::sealed::SealedRequest;
use super::shared_body::SharedBody;
use super::stored::{SlotTokens, Stored, StoredHead};
use super::tokens::Slot;
use crate::app::App;
use crate::app::component::LazyComponent;
use crate::instance::reply::{Origin, Reply};
use crate::observe::labels::Labels;
use crate::request::context::RequestContext;
use crate::request::failure::Failure;
use crate::request::head::announced_length;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, ETAG, HeaderMap, HeaderName, HeaderValue, VARY};
use http::{Response, StatusCode};
use http_body::{Body as _, Frame};
use http_body_util::BodyExt;
use sha2::{Digest as _, Sha256};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};
use wasmtime_wasi_http::{Error, WasiBody};
use waypost_cache::headers::stored_headers;
use waypost_cache::storable::{Storable, check_length, storable};
use waypost_cache::{Life, Subject, Unstorable};
use waypost_routing::Params;

/// A run of a handler whose response is stored, if it may be.
pub(super) struct Fill {
    pub(super) tokens: Arc<SlotTokens>,
    app: Arc<App>,
    cache: Arc<ResponseCache>,
    component: Arc<LazyComponent>,
    route: Arc<CachedRoute>,
    sealed: Arc<SealedRequest>,
    context: RequestContext,
    params: Params,
    /// The tags of the policy, or why a response with them can't be stored.
    tags: Result<Vec<String>, Unstorable>,
    made: Duration,
}

/// The response of a run.
pub(super) enum Filled {
    /// It is stored.
    Stored(Arc<Stored>),
    /// It is stored once its body has arrived.
    Streaming { head: StoredHead, body: WasiBody },
    /// It is not stored.
    Passed { reply: Reply, reason: Unstorable },
}

/// What is known of a response that may be stored before its body is there.
struct Storing {
    status: StatusCode,
    headers: Vec<(String, Vec<u8>)>,
    life: Life,
    tags: Vec<String>,
    tokens: Arc<SlotTokens>,
}

impl Fill {
    /// Prepares a run: it reads the tokens that its response depends on.
    pub(super) fn new(
        app: Arc<App>,
        cache: Arc<ResponseCache>,
        component: Arc<LazyComponent>,
        route: Arc<CachedRoute>,
        sealed: Arc<SealedRequest>,
        context: RequestContext,
    ) -> Self {
        let params = route.pattern.matches(&sealed.path).unwrap_or_default();
        let tags = route.policy.tags_for(&params).map_err(Unstorable::from);
        let known = tags.as_deref().unwrap_or_default();
        let subjects = Subject::of_response(&sealed.path, &route.pattern, known);
        let slots = subjects.iter().map(Slot::of).collect();
        Self {
            tokens: Arc::new(SlotTokens::read(&cache.tokens, slots)),
            made: cache.clock.now(),
            app,
            cache,
            component,
            route,
            sealed,
            context,
            params,
            tags,
        }
    }

    /// Refreshes a stale response. It stays if the run fails.
    pub(super) async fn refresh(self, leader: Leader, stale: &Arc<Stored>) {
        let (cache, key) = (Arc::clone(&self.cache), self.sealed.key.clone());
        match self.run(Some(leader)).await {
            Filled::Stored(_) | Filled::Streaming { .. } => {}
            Filled::Passed { reason, .. } => {
                let is_failure =
                    matches!(reason, Unstorable::Status(500..) | Unstorable::Invalidated);
                match is_failure {
                    true => {
                        cache.metrics.count(CacheEvent::RefreshFailed);
                        stale.refresh_failed(cache.clock.now());
                    }
                    // The route's responses are not what they were.
                    false => cache.memory.remove(&key, stale),
                }
            }
        }
    }

    /// Runs the handler. `leader` tells those that wait for it; without one, the run is for this request alone.
    pub(super) async fn run(self, leader: Option<Leader>) -> Filled {
        let request = self.sealed.request();
        let context = self.context.clone();
        let id = context.id;
        let mut reply = self.app.call(&self.component, request, context).await;
        let headers = reply.response.headers_mut();
        self.cache.revalidate(headers, &self.component, id);
        let storing = self.storing(&reply.response);
        strip_internal(reply.response.headers_mut());
        match storing {
            Ok(storing) => self.receive(reply, storing, leader).await,
            Err(reason) => self.pass(reply, reason, leader.as_ref()),
        }
    }

    /// Decides by its head whether the response may be stored.
    fn storing(&self, response: &Response<WasiBody>) -> Result<Storing, Unstorable> {
        let tags = self.tags.clone()?;
        let headers = list(response.headers());
        let (status, policy) = (response.status(), &self.route.policy);
        let Storable { life, tags: all } = storable(
            status.as_u16(),
            &headers,
            policy,
            &self.params,
            self.route.paths,
        )?;
        if let Some(length) = announced_length(response.headers()) {
            check_length(length, self.cache.largest)?;
        }
        Ok(Storing {
            status,
            headers: with_vary(headers, policy.vary()),
            life,
            tokens: self.tokens_with(all.get(tags.len()..).unwrap_or_default())?,
            tags: all,
        })
    }

    /// Returns the tokens of the run with those of the tags that its response adds.
    fn tokens_with(&self, own: &[String]) -> Result<Arc<SlotTokens>, Unstorable> {
        if own.is_empty() {
            return Ok(Arc::clone(&self.tokens));
        }
        let subjects = own.iter().map(|tag| Subject::tag(tag));
        let slots = subjects.map(|subject| subject.map(|subject| Slot::of(&subject)));
        let slots: Result<Vec<_>, _> = slots.collect();
        let slots = slots.map_err(|_| Unstorable::Invalidated)?;
        let joined = self.tokens.with(&self.cache.tokens, slots);
        joined.map(Arc::new).ok_or(Unstorable::Invalidated)
    }

    /// Passes on a response that is not stored.
    fn pass(&self, mut reply: Reply, reason: Unstorable, leader: Option<&Leader>) -> Filled {
        let status = reply.response.status();
        self.cache.metrics.count(CacheEvent::NotStored);
        if reason.is_lasting() {
            self.warn(&reason);
            let key = self.sealed.key.clone();
            self.cache
                .memory
                .set_uncacheable(key, self.cache.clock.now());
        }
        if reason == Unstorable::SetCookie {
            let private = HeaderValue::from_static("private, no-store");
            let headers = reply.response.headers_mut();
            headers.entry(CACHE_CONTROL).or_insert(private);
        }
        if let Some(leader) = leader {
            leader.report(match status.is_server_error() {
                true => Progress::Failed(status),
                false => Progress::NotShared,
            });
        }
        Filled::Passed { reply, reason }
    }

    /// Logs once why responses of the route are not stored, although it has a policy. That a response says so itself is what
    /// its author wanted.
    fn warn(&self, reason: &Unstorable) {
        let is_wanted = matches!(reason, Unstorable::NoStore | Unstorable::Private);
        if !is_wanted && self.route.is_first_warning() {
            let Labels { route, component } = &*self.component.config.labels;
            let request = self.context.id;
            tracing::warn!(route, %component, %request, "a response is not cached, although the route has a cache policy: {reason}");
        }
    }

    /// Receives the body of a response that may be stored: at once if it is there already, and in a task of its own otherwise.
    async fn receive(self, reply: Reply, storing: Storing, leader: Option<Leader>) -> Filled {
        let promised = announced_length(reply.response.headers());
        let origin = Origin {
            labels: Arc::clone(&self.component.config.labels),
            request: self.context.id,
        };
        let response = match reply.start_body(promised, origin).await {
            Ok(response) => response,
            Err(error) => {
                let failure = Failure::Body(error.to_string());
                let response = self.app.fail(&self.component, &failure, &self.context);
                let reason = Unstorable::Status(response.status().as_u16());
                return self.pass(response.into(), reason, leader.as_ref());
            }
        };
        let mut receiving = Receiving {
            body: response.into_body(),
            shared: SharedBody::new(),
            size: 0,
            largest: self.cache.largest,
            has_trailers: false,
        };
        // Whoever reads it first: without a reader, a body that is too large would not go on.
        let reader = receiving.shared.reader(promised);
        match receiving.read_ready().await {
            Some(true) if receiving.is_storable().is_ok() => {
                let stored = self.store(&storing, receiving.shared.bytes());
                leader.inspect(|leader| leader.report(Progress::Stored(Arc::clone(&stored))));
                return Filled::Stored(stored);
            }
            Some(is_whole) => receiving.shared.end(is_whole),
            None => {}
        }
        let head = storing.head_of_stream();
        if let Some(leader) = &leader {
            leader.report(Progress::Streaming(Arc::new(Streaming {
                head: head.clone(),
                body: Arc::clone(&receiving.shared),
                length: promised,
                tokens: Arc::clone(&storing.tokens),
            })));
        }
        // It ends with its instance: that has a limit of time, and ends when the host stops.
        tokio::spawn(self.receive_rest(receiving, storing, leader));
        let body = reader.map_or_else(crate::request::body::empty, BodyExt::boxed_unsync);
        Filled::Streaming { head, body }
    }

    /// Receives what is left of a body, and stores the response if it is whole and not too large.
    async fn receive_rest(
        self,
        mut receiving: Receiving,
        storing: Storing,
        leader: Option<Leader>,
    ) {
        let is_whole = receiving
            .read_all(self.component.config.limits.max_duration)
            .await;
        let reason = match receiving.is_storable() {
            Ok(()) if is_whole => {
                let stored = self.store(&storing, receiving.shared.bytes());
                leader.inspect(|leader| leader.report(Progress::Stored(stored)));
                receiving.shared.end(true);
                return;
            }
            reason => reason.err(),
        };
        receiving.shared.end(is_whole);
        let now = self.cache.clock.now();
        self.cache.metrics.count(CacheEvent::NotStored);
        if let Some(reason) = reason {
            self.warn(&reason);
            self.cache
                .memory
                .set_uncacheable(self.sealed.key.clone(), now);
        } else if let Some(stale) = self.cache.memory.get(&self.sealed.key) {
            stale.refresh_failed(now);
        }
    }

    fn store(&self, storing: &Storing, body: Bytes) -> Arc<Stored> {
        let digest = Sha256::digest(&body).into();
        let stored = Arc::new(Stored::new(
            storing.head(&digest),
            body,
            storing.life,
            self.made,
            storing.tags.clone(),
            Arc::clone(&storing.tokens),
        ));
        self.cache.metrics.count(CacheEvent::Stored);
        self.cache
            .memory
            .put(self.sealed.key.clone(), Arc::clone(&stored));
        stored
    }
}

impl Storing {
    fn head(&self, digest: &[u8; 32]) -> StoredHead {
        let status = self.status;
        let headers = stored_headers(status.as_u16(), &self.headers, self.life, digest);
        let headers = headers.into_iter().filter_map(|(name, value)| {
            let name = HeaderName::try_from(name).ok()?;
            Some((name, HeaderValue::from_bytes(&value).ok()?))
        });
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, value);
        }
        StoredHead {
            status,
            headers: map,
        }
    }

    /// Returns the head of a response whose body is not known yet, so it has no entity tag unless the handler set one.
    fn head_of_stream(&self) -> StoredHead {
        let has_etag = self.headers.iter().any(|(name, _)| name == "etag");
        let mut head = self.head(&[0; 32]);
        if !has_etag {
            head.headers.remove(ETAG);
        }
        head
    }
}

/// A body while it is received.
struct Receiving {
    body: WasiBody,
    shared: Arc<SharedBody>,
    size: u64,
    largest: u64,
    has_trailers: bool,
}

impl Receiving {
    /// Receives what is there already. Returns whether the body is whole once it has ended, and `None` before.
    async fn read_ready(&mut self) -> Option<bool> {
        while !self.body.is_end_stream() {
            match futures::poll!(self.body.frame()) {
                Poll::Pending => return None,
                Poll::Ready(None) => return Some(true),
                Poll::Ready(Some(frame)) => {
                    if !self.take(frame) {
                        return Some(false);
                    }
                    if self.is_storable().is_err() {
                        // The readers set the pace now.
                        return None;
                    }
                }
            }
        }
        Some(true)
    }

    /// Receives all that is still to come. Returns whether the body is whole. It is given up if nobody has read it for
    /// `patience`.
    async fn read_all(&mut self, patience: Duration) -> bool {
        let mut read_last = Instant::now();
        loop {
            if !poll_fn(|cx| self.shared.poll_room(cx)).await {
                return false;
            }
            if self.body.is_end_stream() {
                return true;
            }
            let frame = tokio::time::timeout(patience, self.body.frame()).await;
            if self.shared.has_readers() {
                read_last = Instant::now();
            } else if read_last.elapsed() > patience {
                return false;
            }
            match frame {
                Err(_) => {}
                Ok(None) => return true,
                Ok(Some(frame)) => {
                    if !self.take(frame) {
                        return false;
                    }
                }
            }
        }
    }

    /// Takes a frame. Returns `false` if the body broke off.
    fn take(&mut self, frame: Result<Frame<Bytes>, Error>) -> bool {
        let Ok(frame) = frame else { return false };
        let size = frame.data_ref().map_or(0, Bytes::len);
        self.size = self
            .size
            .saturating_add(u64::try_from(size).unwrap_or(u64::MAX));
        self.has_trailers |= frame.is_trailers();
        self.shared.write(frame);
        if self.is_storable() == Err(Unstorable::TooLarge) {
            self.shared.too_large();
        }
        true
    }

    fn is_storable(&self) -> Result<(), Unstorable> {
        match self.has_trailers {
            true => Err(Unstorable::Trailers),
            false => check_length(self.size, self.largest),
        }
    }
}

fn list(headers: &HeaderMap) -> Vec<(String, Vec<u8>)> {
    let text = |(name, value): (&HeaderName, &HeaderValue)| {
        (name.as_str().to_owned(), value.as_bytes().to_vec())
    };
    headers.iter().map(text).collect()
}

/// Adds the policy's headers to `Vary`, for caches between this host and the client.
fn with_vary(mut headers: Vec<(String, Vec<u8>)>, vary: &[String]) -> Vec<(String, Vec<u8>)> {
    if !vary.is_empty() {
        let is_vary = |(name, _): &(String, Vec<u8>)| name == VARY.as_str();
        // All names that the handler may have set are in the policy.
        headers.retain(|header| !is_vary(header));
        headers.push((VARY.as_str().to_owned(), vary.join(", ").into_bytes()));
    }
    headers
}
