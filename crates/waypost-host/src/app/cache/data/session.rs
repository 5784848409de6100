//! [`Session`]: the data cache as one instance uses it.

use super::lease::{LEASES, Lease, Leases};
use super::{DataSpace, Stored, subjects_of};
use crate::app::cache::flights::{Leader, Progress, Role};
use crate::app::cache::invalidations::Dependencies;
use crate::app::cache::landed;
use crate::app::cache::metrics::CacheEvent;
use crate::app::cache::stored::StoredHead;
use crate::request::admission::Admission;
use crate::request::body;
use crate::request::context::{DataAccess, RequestContext};
use crate::request::failure::bare;
use crate::request::head::announced_length;
use crate::wasi::dispatch::{DataSession, PendingResponse, ready};
use bytes::Bytes;
use http::header::{AGE, HeaderMap, HeaderName, HeaderValue};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use std::sync::Arc;
use std::time::Duration;
use wasmtime_wasi_http::WasiBody;
use waypost_cache::data::{Target, X_WAYPOST_FRESH, X_WAYPOST_LEASE};
use waypost_cache::internal::{X_WAYPOST_LIFE, X_WAYPOST_TAGS, parse_life, parse_tags, write_life};
use waypost_cache::tag::TagError;
use waypost_cache::{Key, Life, Verdict};

const TAGS: HeaderName = HeaderName::from_static(X_WAYPOST_TAGS);
const LIFE: HeaderName = HeaderName::from_static(X_WAYPOST_LIFE);
const LEASE: HeaderName = HeaderName::from_static(X_WAYPOST_LEASE);
const FRESH: HeaderName = HeaderName::from_static(X_WAYPOST_FRESH);

/// How often a request waits for values of others before it makes one for itself: something may be invalidated again and
/// again.
const WAITS: usize = 2;

/// How long a value may take to arrive from an instance.
const ARRIVAL: Duration = Duration::from_secs(10);

/// The data cache as one instance uses it.
pub(super) struct Session {
    space: Arc<DataSpace>,
    leases: Leases,
    /// Limits the requests that wait for values of others.
    waits: Admission,
}

/// A question for a value.
struct Question<'a> {
    key: Key,
    /// The tags of the call, which the value will have at least.
    tags: Vec<String>,
    /// Whether a stale value is of no use.
    is_for_cache: bool,
    access: &'a DataAccess,
}

impl DataSession for Session {
    fn ask(
        self: Arc<Self>,
        request: Request<WasiBody>,
        context: RequestContext,
    ) -> PendingResponse {
        Box::new(async move { Ok(ready(self.answer(request, &context).await)) })
    }

    fn request_ended(&self) {
        self.leases.end_all();
    }
}

impl Session {
    pub(super) fn new(space: Arc<DataSpace>) -> Self {
        Self {
            space,
            leases: Leases::default(),
            waits: Admission::limited(LEASES),
        }
    }

    async fn answer(
        &self,
        mut request: Request<WasiBody>,
        context: &RequestContext,
    ) -> Response<WasiBody> {
        let Some(target) = Target::parse(request.uri().path()) else {
            return bare(StatusCode::NOT_FOUND);
        };
        match (request.method().as_str(), target) {
            ("GET", Target::Value(key)) => self.get(Some(&key), request.headers(), context).await,
            ("GET", Target::Uncached) => self.get(None, request.headers(), context).await,
            ("PUT", Target::Lease(number)) => self.put(number, request, &context.data).await,
            ("DELETE", Target::Lease(number)) => self.give_back(number),
            ("POST", Target::Revalidations) => {
                let DataSpace {
                    cache, labels, log, ..
                } = &*self.space;
                cache.apply_revalidations(request.headers_mut(), labels, log, context.id);
                bare(StatusCode::NO_CONTENT)
            }
            _ => bare(StatusCode::METHOD_NOT_ALLOWED),
        }
    }

    async fn get(
        &self,
        key: Option<&[u8]>,
        headers: &HeaderMap,
        context: &RequestContext,
    ) -> Response<WasiBody> {
        let access = &context.data;
        if access.is_draft || self.space.cache.is_off() {
            return self.missing(None);
        }
        let Ok(tags) = tags_in(headers) else {
            return bare(StatusCode::BAD_REQUEST);
        };
        // Whether the value is there or not: the run will use one.
        if let Some(life) = life_in(headers) {
            use_value(access, &tags, life);
        }
        let Some(key) = key else {
            return self.missing(None);
        };
        let question = Question {
            key: self.space.key(key),
            tags,
            is_for_cache: access.used.is_some() || headers.contains_key(FRESH),
            access,
        };
        match self.found(&question) {
            Some(response) => response,
            // A handler that waits for a value may be what its maker waits for.
            None => self.missed(&question, context.inner().is_none()).await,
        }
    }

    /// Returns a stored value that is of use, with a lease if it is stale.
    fn found(&self, question: &Question<'_>) -> Option<Response<WasiBody>> {
        let cache = &self.space.cache;
        let stored = cache.memory.get(&question.key)?;
        let now = cache.clock.now();
        match self
            .verdict(question, &stored)
            .and(stored.head.verdict(now))
        {
            Verdict::Fresh => {
                cache.metrics.count(CacheEvent::DataHit);
                Some(self.value(question, &stored, None))
            }
            Verdict::Stale if !question.is_for_cache => {
                cache.metrics.count(CacheEvent::DataStale);
                let lease = stored
                    .may_refresh(now)
                    .then(|| self.refresh(question, &stored));
                Some(self.value(question, &stored, lease.flatten()))
            }
            Verdict::Stale => None,
            Verdict::Gone => {
                cache.memory.remove(&question.key, &stored);
                None
            }
        }
    }

    /// Judges a value by what was invalidated.
    fn verdict(&self, question: &Question<'_>, stored: &Stored) -> Verdict {
        let invalidations = &self.space.cache.invalidations;
        let own = stored.verdict_of_invalidations(invalidations);
        if stored.epoch() == invalidations.epoch() {
            return own;
        }
        let subjects = self.space.subjects(question.access, &question.tags);
        own.and(invalidations.verdict_since(stored.epoch(), &subjects))
    }

    /// Begins to refresh a stale value, unless that is under way.
    fn refresh(&self, question: &Question<'_>, stored: &Arc<Stored>) -> Option<u64> {
        let (cache, dependencies) = (&self.space.cache, self.dependencies(question));
        let leader = cache.flights.begin(&question.key, &dependencies)?;
        let current = cache.memory.get(&question.key)?;
        // Another refresh may have ended since the look at the memory.
        Arc::ptr_eq(&current, stored).then_some(())?;
        self.lease(question, leader, dependencies, Some(Arc::clone(stored)))
    }

    /// Answers a question for a value that is not there: with a lease, or with the value that another instance makes.
    async fn missed(&self, question: &Question<'_>, may_wait: bool) -> Response<WasiBody> {
        let cache = &self.space.cache;
        if cache
            .memory
            .is_uncacheable(&question.key, cache.clock.now())
        {
            return self.missing(None);
        }
        for _ in 0..WAITS {
            let dependencies = self.dependencies(question);
            let role = cache
                .flights
                .join(&question.key, &cache.invalidations, &dependencies);
            match role {
                Role::Lead(leader) => {
                    // Another instance may have stored it since the look at the memory.
                    if let Some(response) = self.found(question) {
                        return response;
                    }
                    let stale = cache.memory.get(&question.key);
                    let lease = self.lease(question, leader, dependencies, stale);
                    return self.missing(lease);
                }
                Role::Follow(progress) => {
                    let Ok(_place) = self.waits.enter() else {
                        break;
                    };
                    if !may_wait || self.leases.has(&question.key) {
                        break;
                    }
                    let waited = tokio::time::timeout(self.space.patience, landed(progress)).await;
                    match waited {
                        Ok(Progress::Stored(stored))
                            if self.verdict(question, &stored) == Verdict::Fresh =>
                        {
                            cache.metrics.count(CacheEvent::DataHit);
                            return self.value(question, &stored, None);
                        }
                        Ok(Progress::Stored(_) | Progress::Running) => {}
                        Ok(_) | Err(_) => break,
                    }
                }
            }
        }
        self.missing(None)
    }

    fn dependencies(&self, question: &Question<'_>) -> Arc<Dependencies> {
        let subjects = subjects_of(&question.tags);
        Arc::new(self.space.cache.invalidations.dependencies(&subjects))
    }

    /// Keeps a lease for the instance, and returns its number, or `None` if there are too many.
    fn lease(
        &self,
        question: &Question<'_>,
        leader: Leader,
        dependencies: Arc<Dependencies>,
        stale: Option<Arc<Stored>>,
    ) -> Option<u64> {
        let place = self.space.fills.enter().ok()?;
        self.leases.keep(Lease {
            key: question.key.clone(),
            leader,
            dependencies,
            made: self.space.cache.clock.now(),
            stale,
            _place: place,
        })
    }

    /// Makes the response with a value.
    fn value(
        &self,
        question: &Question<'_>,
        stored: &Stored,
        lease: Option<u64>,
    ) -> Response<WasiBody> {
        let now = self.space.cache.clock.now();
        let tags = tags_in(&stored.head.headers).unwrap_or_default();
        use_value(question.access, &tags, stored.head.life);
        let mut response = stored.head.response(body::full(stored.body.clone()));
        let headers = response.headers_mut();
        headers.insert(AGE, stored.head.age(now).as_secs().into());
        if let Ok(life) = HeaderValue::try_from(write_life(Some(stored.head.life))) {
            headers.insert(LIFE, life);
        }
        add_lease(headers, lease);
        response
    }

    /// Makes the response to a question for a value that is not there.
    fn missing(&self, lease: Option<u64>) -> Response<WasiBody> {
        self.space.cache.metrics.count(CacheEvent::DataMiss);
        let mut response = bare(StatusCode::NOT_FOUND);
        add_lease(response.headers_mut(), lease);
        response
    }

    /// Ends a lease without a value: those that wait for it make one for themselves.
    fn give_back(&self, number: u64) -> Response<WasiBody> {
        if let Some(lease) = self.leases.take(number) {
            self.failed(&lease);
        }
        bare(StatusCode::NO_CONTENT)
    }

    fn failed(&self, lease: &Lease) {
        if let Some(stale) = &lease.stale {
            stale.refresh_failed(self.space.cache.clock.now());
        }
        lease.leader.report(Progress::NotShared);
    }

    /// Stores a value.
    async fn put(
        &self,
        number: u64,
        request: Request<WasiBody>,
        access: &DataAccess,
    ) -> Response<WasiBody> {
        let Some(lease) = self.leases.take(number) else {
            return bare(StatusCode::NOT_FOUND);
        };
        match self.stored(&lease, request, access).await {
            Ok(stored) => {
                self.space.cache.metrics.count(CacheEvent::DataStored);
                lease.leader.report(Progress::Stored(stored));
                bare(StatusCode::NO_CONTENT)
            }
            Err(status) => {
                self.space.cache.metrics.count(CacheEvent::DataNotStored);
                self.failed(&lease);
                bare(status)
            }
        }
    }

    async fn stored(
        &self,
        lease: &Lease,
        request: Request<WasiBody>,
        access: &DataAccess,
    ) -> Result<Arc<Stored>, StatusCode> {
        let (head, body) = request.into_parts();
        let tags = tags_in(&head.headers).map_err(|_| StatusCode::BAD_REQUEST)?;
        let life = life_in(&head.headers).ok_or(StatusCode::BAD_REQUEST)?;
        let length = announced_length(&head.headers).ok_or(StatusCode::LENGTH_REQUIRED)?;
        let body = self.receive(lease, body, length).await?;
        use_value(access, &tags, life);
        let cache = &self.space.cache;
        let subjects = subjects_of(&tags);
        let dependencies = cache.invalidations.with(&lease.dependencies, &subjects);
        let head = StoredHead {
            status: StatusCode::OK,
            headers: head
                .headers
                .get_all(TAGS)
                .iter()
                .map(|tags| (TAGS, tags.clone()))
                .collect(),
            life,
            made: lease.made,
            run: Duration::ZERO,
        };
        let value = Stored::new(head, body, tags.into(), Arc::new(dependencies));
        Ok(self.space.store(lease.key.clone(), value))
    }

    /// Receives a value of a length that its sender announced.
    async fn receive(
        &self,
        lease: &Lease,
        body: WasiBody,
        length: u64,
    ) -> Result<Bytes, StatusCode> {
        let cache = &self.space.cache;
        let length = match usize::try_from(length) {
            Ok(size) if length <= cache.largest => size,
            _ => {
                let largest = cache.largest;
                self.space.warn(&format!(
                    "it has {length} bytes, more than the {largest} of `entry` below `[cache]` in `waypost.toml`"
                ));
                cache.memory.set_uncacheable(&lease.key, cache.clock.now());
                return Err(StatusCode::PAYLOAD_TOO_LARGE);
            }
        };
        let reserved = cache.bodies.reserve(length);
        let Some(_reserved) = reserved else {
            return Err(StatusCode::INSUFFICIENT_STORAGE);
        };
        let body = Limited::new(body, length).collect();
        match tokio::time::timeout(ARRIVAL, body).await {
            Ok(Ok(body)) => {
                let body = body.to_bytes();
                // Less came than was announced.
                (body.len() == length)
                    .then_some(body)
                    .ok_or(StatusCode::BAD_REQUEST)
            }
            Ok(Err(_)) | Err(_) => Err(StatusCode::BAD_REQUEST),
        }
    }
}

/// Notes that a run has used a value, if its response may be stored.
fn use_value(access: &DataAccess, tags: &[String], life: Life) {
    if let Some(used) = &access.used {
        used.add(tags, life);
    }
}

fn add_lease(headers: &mut HeaderMap, lease: Option<u64>) {
    if let Some(lease) = lease {
        headers.insert(LEASE, lease.into());
    }
}

fn tags_in(headers: &HeaderMap) -> Result<Vec<String>, TagError> {
    let Some(tags) = headers.get(TAGS) else {
        return Ok(Vec::new());
    };
    parse_tags(tags.to_str().map_err(|_| TagError::Malformed)?)
}

/// Returns the life of a value, or `None` if there is none, it is malformed, or the value is not to be stored.
fn life_in(headers: &HeaderMap) -> Option<Life> {
    parse_life(headers.get(LIFE)?.to_str().ok()?)?
}
