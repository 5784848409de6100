//! [`Fill`]: the run of a handler whose response is stored.

use super::ResponseCache;
use super::flights::{Leader, Progress, Streaming};
use super::invalidations::Dependencies;
use super::metrics::CacheEvent;
use super::receiving::Receiving;
use super::route::CachedRoute;
use super::sealed::SealedRequest;
use super::stored::{Stored, StoredHead};
use crate::app::App;
use crate::app::component::LazyComponent;
use crate::instance::pool::InstancePool;
use crate::instance::reply::{Origin, Reply};
use crate::observe::labels::Labels;
use crate::observe::untrusted::shown;
use crate::request::admission::Permit;
use crate::request::body;
use crate::request::context::RequestContext;
use crate::request::failure::Failure;
use crate::request::head::announced_length;
use crate::request::headers::strip_internal;
use crate::request::inner_data::InnerData;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, ETAG, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, VARY};
use http::{Response, StatusCode};
use http_body_util::BodyExt;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use std::time::Duration;
use wasmtime_wasi_http::WasiBody;
use waypost_cache::headers::{cdn_headers, for_all_clients, stored_headers};
use waypost_cache::storable::{Storable, check_length, storable};
use waypost_cache::{Life, Subject, Unstorable};
use waypost_router::X_REQUEST_ID;
use waypost_routing::Params;

/// A run of a handler whose response is stored, if it may be.
pub(super) struct Fill {
    /// What the response depends on, as far as it is known before the run.
    pub(super) dependencies: Arc<Dependencies>,
    app: Arc<App>,
    cache: Arc<ResponseCache>,
    component: Arc<LazyComponent>,
    /// The version of the component that runs: its responses are stored under its digest.
    pool: Arc<InstancePool>,
    route: Arc<CachedRoute>,
    sealed: Arc<SealedRequest>,
    context: RequestContext,
    params: Params,
    /// The tags of the policy, or why a response with them can't be stored.
    tags: Result<Vec<String>, Unstorable>,
    made: Duration,
    /// What the run gets from the data cache.
    inner: Arc<InnerData>,
    /// The place among the background runs of the route, for one of these.
    place: Option<Permit>,
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
    made: Duration,
    tags: Vec<String>,
    /// Whether it gets headers for a CDN.
    cdn: bool,
    dependencies: Arc<Dependencies>,
}

impl Fill {
    /// Prepares a run: it notes what its response depends on.
    pub(super) fn new(
        app: Arc<App>,
        cache: Arc<ResponseCache>,
        component: Arc<LazyComponent>,
        pool: Arc<InstancePool>,
        route: Arc<CachedRoute>,
        sealed: Arc<SealedRequest>,
        context: RequestContext,
    ) -> Self {
        let params = route.pattern.matches(&sealed.path).unwrap_or_default();
        let tags = route.policy.tags_for(&params).map_err(Unstorable::from);
        let known = tags.as_deref().unwrap_or_default();
        let subjects = Subject::of_response(&sealed.path, &route.pattern, known);
        Self {
            dependencies: Arc::new(cache.invalidations.dependencies(&subjects)),
            made: cache.clock.now(),
            app,
            cache,
            component,
            pool,
            route,
            sealed,
            context,
            params,
            tags,
            inner: Arc::default(),
            place: None,
        }
    }

    /// Holds a place until the body of the response is received.
    pub(super) fn holding(self, place: Option<Permit>) -> Self {
        Self { place, ..self }
    }

    /// Refreshes a stale response. It stays if the run fails.
    pub(super) async fn refresh(self, leader: Leader, stale: &Arc<Stored>) {
        let (cache, key) = (Arc::clone(&self.cache), self.sealed.key.clone());
        if let Filled::Passed { reason, .. } = self.run(Some(leader)).await {
            if reason.is_failure() {
                cache.metrics.count(CacheEvent::RefreshFailed);
                stale.refresh_failed(cache.clock.now());
            } else {
                // The route's responses are not what they were.
                cache.memory.remove(&key, stale);
            }
        }
    }

    /// Runs the handler, and stores its response if it may be stored. `leader` tells those that wait for it; without one, the
    /// run is for this request alone.
    pub(super) async fn run(self, leader: Option<Leader>) -> Filled {
        let (reply, storing) = self.call().await;
        match storing {
            Ok(storing) => self.receive(reply, storing, leader).await,
            Err(reason) => self.pass(reply, reason, leader.as_ref()),
        }
    }

    /// Runs the handler for a key whose responses proved not to be storable a while ago. A response that says its length is
    /// tried again.
    pub(super) async fn pass_through(self) -> Filled {
        let (reply, storing) = self.call().await;
        match storing {
            Ok(storing) if announced_length(reply.response.headers()).is_some() => {
                self.receive(reply, storing, None).await
            }
            Ok(_) => self.pass(reply, Unstorable::Earlier, None),
            Err(reason) => self.pass(reply, reason, None),
        }
    }

    async fn call(&self) -> (Reply, Result<Storing, Unstorable>) {
        let (request, version) = (self.sealed.request(), Some(Arc::clone(&self.pool)));
        let mut context = self.context.clone();
        context.data.target = request.uri().path_and_query().cloned();
        context.data.used = Some(Arc::clone(&self.inner));
        let called = self
            .app
            .call_version(&self.component, version, request, context);
        let mut reply = called.await;
        let storing = self.storing(&reply.response);
        strip_internal(reply.response.headers_mut());
        (reply, storing)
    }

    /// Decides by its head whether the response may be stored.
    fn storing(&self, response: &Response<WasiBody>) -> Result<Storing, Unstorable> {
        let known = self.tags.clone()?.len();
        let headers = list(response.headers());
        let (status, policy) = (response.status(), &self.route.policy);
        let Storable { life, tags } = storable(
            status.as_u16(),
            &headers,
            policy,
            &self.params,
            self.route.paths,
        )?;
        if let Some(length) = announced_length(response.headers()) {
            check_length(length, self.cache.largest)?;
        }
        let own = tags.get(known..).unwrap_or_default();
        let storing = Storing {
            status,
            headers: for_all_clients(headers, policy),
            life,
            made: self.made,
            dependencies: self.with_tags(&self.dependencies, own)?,
            tags,
            cdn: self.cache.cdn,
        };
        self.with_inner(storing)
    }

    /// Adds the tags and lives of what the run has used of the data cache so far.
    fn with_inner(&self, storing: Storing) -> Result<Storing, Unstorable> {
        let (inner, life) = self.inner.all()?;
        let Some(life) = life else {
            return Ok(storing);
        };
        let dependencies = self.with_tags(&storing.dependencies, &inner)?;
        let mut tags = storing.tags;
        tags.extend(inner);
        tags.sort();
        tags.dedup();
        Ok(Storing {
            life: storing.life.shorter(life),
            dependencies,
            tags,
            ..storing
        })
    }

    fn with_tags(
        &self,
        known: &Arc<Dependencies>,
        tags: &[String],
    ) -> Result<Arc<Dependencies>, Unstorable> {
        let subjects: Result<Vec<_>, _> = tags.iter().map(|tag| Subject::tag(tag)).collect();
        let subjects = subjects.map_err(|_| Unstorable::NoStore)?;
        Ok(match subjects.is_empty() {
            true => Arc::clone(known),
            false => Arc::new(self.cache.invalidations.with(known, &subjects)),
        })
    }

    /// Passes on a response that is not stored.
    fn pass(&self, mut reply: Reply, reason: Unstorable, leader: Option<&Leader>) -> Filled {
        let status = reply.response.status();
        self.not_stored(&reason);
        if reason == Unstorable::SetCookie {
            let private = HeaderValue::from_static("private, no-store");
            reply.response.headers_mut().insert(CACHE_CONTROL, private);
        }
        if let Some(leader) = leader {
            leader.report(match status.is_server_error() {
                true => Progress::Failed(status, shared_headers(reply.response.headers())),
                false => Progress::NotShared,
            });
        }
        Filled::Passed { reply, reason }
    }

    /// Counts a response that is not stored. Requests no longer wait for each other if the next one will not be either.
    fn not_stored(&self, reason: &Unstorable) {
        self.cache.metrics.count(CacheEvent::NotStored);
        if reason.is_lasting() {
            self.warn(reason);
            let now = self.cache.clock.now();
            self.cache.memory.set_uncacheable(&self.sealed.key, now);
        }
    }

    /// Logs once why responses of the route are not stored, although it has a policy. That a response says so itself is what
    /// its author wanted.
    fn warn(&self, reason: &Unstorable) {
        let is_wanted = matches!(reason, Unstorable::NoStore | Unstorable::Private);
        if !is_wanted && self.route.is_first_warning() {
            let Labels { route, component } = &*self.component.config.labels;
            let (request, reason) = (self.context.id, reason.to_string());
            tracing::warn!(route, %component, %request, "a response is not cached, although the route has a cache policy: {}", shown(&reason));
        }
    }

    /// Receives the body of a response that may be stored: at once if it is there already, and in the background otherwise.
    async fn receive(self, reply: Reply, storing: Storing, leader: Option<Leader>) -> Filled {
        let promised = announced_length(reply.response.headers());
        let origin = Origin {
            labels: Arc::clone(&self.component.config.labels),
            request: self.context.id,
        };
        let body = match reply.start_body(promised, origin).await {
            Ok(response) => response.into_body(),
            Err(error) => {
                let failure = Failure::Body(error.to_string());
                let response = self.app.fail(&self.component, &failure, &self.context);
                let reason = Unstorable::Status(response.status().as_u16());
                return self.pass(response.into(), reason, leader.as_ref());
            }
        };
        let mut receiving = Receiving::new(body, self.cache.largest, &self.cache.bodies);
        // Before anything is received: what nobody reads of a body that is not stored is dropped.
        let reader = receiving.shared.reader(promised);
        if receiving.is_whole_now().await {
            let stored = self.store(&storing, receiving.bytes());
            leader.inspect(|leader| leader.report(Progress::Stored(Arc::clone(&stored))));
            return Filled::Stored(stored);
        }
        let body = reader.map_or_else(body::empty, BodyExt::boxed_unsync);
        let head = self.stream(receiving, storing, leader, promised);
        Filled::Streaming { head, body }
    }

    /// Lets other requests read the body while it arrives, and receives the rest in the background. Returns the head of their
    /// responses.
    fn stream(
        self,
        receiving: Receiving,
        storing: Storing,
        leader: Option<Leader>,
        length: Option<u64>,
    ) -> StoredHead {
        let head = storing.head_of_stream();
        if let Some(leader) = &leader {
            leader.report(Progress::Streaming(Arc::new(Streaming {
                head: head.clone(),
                body: Arc::clone(&receiving.shared),
                length,
                dependencies: Arc::clone(&storing.dependencies),
            })));
        }
        let cache = Arc::clone(&self.cache);
        cache
            .background
            .spawn(self.receive_rest(receiving, storing, leader));
        head
    }

    /// Receives what is left of a body, and stores the response if it is whole and not too large.
    async fn receive_rest(
        self,
        mut receiving: Receiving,
        storing: Storing,
        leader: Option<Leader>,
    ) {
        // Without a place of its own, it does not go on when its clients have left.
        let place = self.app.admission.enter();
        let patience = match place {
            Ok(_) => self.component.config.limits.max_duration,
            Err(_) => Duration::ZERO,
        };
        let received = receiving.read_all(patience).await;
        // The handler may have used more data while it streamed.
        let received = received.and_then(|()| self.with_inner(storing).map_err(Some));
        match received {
            Ok(storing) => {
                let stored = self.store(&storing, receiving.bytes());
                leader.inspect(|leader| leader.report(Progress::Stored(stored)));
                receiving.end(true);
            }
            Err(Some(reason)) => {
                self.not_stored(&reason);
                receiving.end(true);
            }
            Err(None) => {
                self.cache.metrics.count(CacheEvent::NotStored);
                if let Some(stale) = self.cache.memory.get(&self.sealed.key) {
                    stale.refresh_failed(self.cache.clock.now());
                }
                receiving.end(false);
            }
        }
        drop((place, self.place));
    }

    fn store(&self, storing: &Storing, body: Bytes) -> Arc<Stored> {
        let digest = Sha256::digest(&body).into();
        let mut head = storing.head(&digest);
        head.run = self.cache.clock.now().saturating_sub(storing.made);
        let stored = Arc::new(Stored::new(
            head,
            body,
            storing.tags.clone().into(),
            Arc::clone(&storing.dependencies),
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
        let mut headers = self.headers.clone();
        if self.cdn {
            add_cdn(&mut headers, self.life, &self.tags);
        }
        let fields = stored_headers(status.as_u16(), &headers, self.life, digest);
        let fields = fields.into_iter().filter_map(|(name, value)| {
            let name = HeaderName::try_from(name).ok()?;
            Some((name, HeaderValue::from_bytes(&value).ok()?))
        });
        StoredHead {
            status,
            headers: fields.collect(),
            life: self.life,
            made: self.made,
            run: Duration::ZERO,
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

fn list(headers: &HeaderMap) -> Vec<(String, Vec<u8>)> {
    let text = |(name, value): (&HeaderName, &HeaderValue)| {
        (name.as_str().to_owned(), value.as_bytes().to_vec())
    };
    headers.iter().map(text).collect()
}

/// Adds the headers for a CDN, unless the handler set them.
fn add_cdn(headers: &mut Vec<(String, Vec<u8>)>, life: Life, tags: &[String]) {
    for (name, value) in cdn_headers(life, tags).into_iter().flatten() {
        if !headers.iter().any(|(known, _)| known == name) {
            headers.push((name.to_owned(), value.into_bytes()));
        }
    }
}

/// Returns the headers of a failed response that the requests that waited for it get too.
fn shared_headers(headers: &HeaderMap) -> HeaderMap {
    let is_shared = |name: &HeaderName| {
        [RETRY_AFTER, VARY, X_REQUEST_ID].contains(name)
            || name.as_str().starts_with("access-control-")
    };
    let shared = headers.iter().filter(|(name, _)| is_shared(name));
    shared
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}
