//! How a request is answered: from the cache, by a run of the handler, or by the run of another request.

use super::ResponseCache;
use super::asked::{Asked, add_computed};
use super::door::Found;
use super::draft;
use super::fill::{Fill, Filled};
use super::flights::{Progress, Role, Streaming};
use super::gzip::MadeOf;
use super::log::Logged;
use super::metrics::CacheEvent;
use super::revalidate::REVALIDATE;
use super::route::CachedRoute;
use super::sealed::{Identity, SealedRequest};
use super::stored::Stored;
use crate::app::App;
use crate::app::component::{LazyComponent, Version};
use crate::instance::pool::InstancePool;
use crate::instance::reply::Reply;
use crate::request::body;
use crate::request::context::RequestContext;
use crate::request::failure::{plain, reason};
use crate::request::headers::strip_internal;
use http::header::{CACHE_CONTROL, HeaderMap, HeaderValue};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use wasmtime_wasi_http::WasiBody;
use waypost_cache::headers::NO_STORE;
use waypost_cache::{Key, Outcome, Unstorable, Verdict};

/// Answers a request for a component, from the cache if it has a route with a policy.
pub(crate) async fn answer(
    app: &Arc<App>,
    component: &Arc<LazyComponent>,
    request: Request<WasiBody>,
    context: RequestContext,
) -> Reply {
    let cache = app.cache.as_ref().filter(|_| component.has_route());
    let Some(cache) = cache else {
        // The component is the router, which asks others, or it serves others of the app.
        return app.call(component, request, context).await;
    };
    let version = version(component, &context).await;
    let pool = match version {
        Some(Version {
            pool,
            cached: Some(route),
        }) => {
            let asking = Asking {
                app,
                cache,
                component,
                pool,
                route,
                context,
            };
            let logged = Logged::of(&request, Some(asking.context.id));
            let reply = asking.answer(request).await;
            if let Some(logged) = logged {
                logged.outcome(reply.response.headers(), component);
            }
            return reply;
        }
        Some(Version { pool, cached: None }) => Some(pool),
        None => None,
    };
    run(app, component, pool, request, context).await
}

/// Runs a handler for one request, with a version of its component or with the one that serves now. The host applies what it
/// revalidates, and no internal header is left.
async fn run(
    app: &App,
    component: &Arc<LazyComponent>,
    version: Option<Arc<InstancePool>>,
    mut request: Request<WasiBody>,
    mut context: RequestContext,
) -> Reply {
    context.data.target = request.uri().path_and_query().cloned();
    context.data.is_draft = draft::asks_for(request.headers(), component);
    let headers = request.headers_mut();
    headers.insert(REVALIDATE, HeaderValue::from_static("1"));
    let called = app.call_version(component, version, request, context);
    let mut reply = called.await;
    strip_internal(reply.response.headers_mut());
    reply
}

/// Returns the version of a component that serves now. One that is not loaded yet is loaded within the limit of its route.
/// Returns `None` if the request can't be answered, which the call finds out again.
async fn version(component: &Arc<LazyComponent>, context: &RequestContext) -> Option<Version> {
    context.head.check(&component.config.limits).ok()?;
    if let Some(version) = component.loaded() {
        return Some(version);
    }
    let _place = component.admission.enter().ok()?;
    component.version_now().await.ok()
}

/// A request to a route with a policy.
struct Asking<'a> {
    app: &'a Arc<App>,
    cache: &'a Arc<ResponseCache>,
    component: &'a Arc<LazyComponent>,
    pool: Arc<InstancePool>,
    route: Arc<CachedRoute>,
    context: RequestContext,
}

/// What became of waiting for the run of another request.
enum Followed {
    Answered(Reply),
    /// Another run may have a response for this request.
    Again,
    /// The response can't be shared.
    Alone,
}

/// How many runs of others a request waits for before it has one of its own: something may be invalidated again and again.
const RUNS: usize = 2;

impl Asking<'_> {
    async fn answer(self, request: Request<WasiBody>) -> Reply {
        self.cache.door.open();
        let asked = Asked::of(&request);
        if draft::asks_for(request.headers(), self.component) {
            return self.bypass(request, "draft mode").await;
        }
        if self.cache.is_off() {
            return self.bypass(request, "development").await;
        }
        match Identity::of(&request, &self.route) {
            Err(Unstorable::Method) => self.run(request).await,
            Ok(_) if asked.is_head && self.route.has_head => self.run(request).await,
            Err(reason) => self.bypass(request, &reason.to_string()).await,
            Ok(identity) => self.cached(request, identity, &asked).await,
        }
    }

    /// Runs the handler for this request alone.
    async fn run(self, request: Request<WasiBody>) -> Reply {
        let version = Some(self.pool);
        run(self.app, self.component, version, request, self.context).await
    }

    /// Runs the handler for this request alone. No cache may keep the response.
    async fn bypass(self, request: Request<WasiBody>, reason: &str) -> Reply {
        self.cache.metrics.count(CacheEvent::Bypass);
        let mut reply = self.run(request).await;
        let headers = reply.response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(NO_STORE));
        add_computed(headers, &Outcome::Bypass { reason }, None);
        reply
    }

    /// Answers a request that has a key.
    async fn cached(self, request: Request<WasiBody>, identity: Identity, asked: &Asked) -> Reply {
        let cache = self.cache;
        let stored = cache.memory.get(&identity.key);
        let now = cache.clock.now();
        let verdict = |stored: &Arc<Stored>| stored.verdict(&cache.invalidations, now);
        let found = stored.map(|stored| (verdict(&stored), stored));
        if let Some((Verdict::Fresh, stored)) = &found
            && !stored.is_refreshed_early(now)
        {
            // The sealed request is not needed.
            let mut reply = self.serve_found(asked, &identity.key, stored, Verdict::Fresh, now);
            if let Some(found) = self.found(identity.key) {
                reply.response.extensions_mut().insert(found);
            }
            return reply;
        }
        let Some(sealed) = SealedRequest::new(&request, identity, &self.route) else {
            return self.bypass(request, "the request can't be reduced").await;
        };
        // Nothing of its body is read.
        drop(request);
        let sealed = Arc::new(sealed);
        match &found {
            Some((Verdict::Gone, stored)) => cache.memory.remove(&sealed.key, stored),
            Some((verdict, stored)) => {
                self.refresh(&sealed, stored);
                return self.serve_found(asked, &sealed.key, stored, *verdict, now);
            }
            None => {}
        }
        let was_gone = found.is_some();
        if cache.memory.is_uncacheable(&sealed.key, now) {
            let filled = self.fill(&sealed).pass_through().await;
            return self.filled(filled, asked, was_gone);
        }
        self.missed(&sealed, asked, was_gone).await
    }

    /// Answers a request for which nothing is stored: by a run of the handler, or by that of another request.
    async fn missed(&self, sealed: &Arc<SealedRequest>, asked: &Asked, was_gone: bool) -> Reply {
        let (flights, invalidations) = (&self.cache.flights, &self.cache.invalidations);
        // A handler that waits for a run may be what the run waits for.
        let runs = match self.context.inner() {
            None => RUNS,
            Some(_) => 0,
        };
        for _ in 0..runs {
            let fill = self.fill(sealed);
            match flights.join(&sealed.key, invalidations, &fill.dependencies) {
                Role::Lead(leader) => {
                    // Another run may have ended since the look at the memory.
                    if let Some(stored) = self.made_meanwhile(sealed) {
                        leader.report(Progress::Stored(Arc::clone(&stored)));
                        return self.serve_collapsed(asked, &stored, was_gone);
                    }
                    let filled = fill.run(Some(leader)).await;
                    return self.filled(filled, asked, was_gone);
                }
                Role::Follow(progress) => {
                    match self.follow(landed(progress).await, asked, was_gone) {
                        Followed::Answered(reply) => return reply,
                        Followed::Again => {}
                        Followed::Alone => break,
                    }
                }
            }
        }
        let filled = self.fill(sealed).run(None).await;
        self.filled(filled, asked, was_gone)
    }

    /// Returns a response that is stored now and may be served.
    fn made_meanwhile(&self, sealed: &SealedRequest) -> Option<Arc<Stored>> {
        let cache = self.cache;
        let stored = cache.memory.get(&sealed.key)?;
        let verdict = stored.verdict(&cache.invalidations, cache.clock.now());
        (verdict != Verdict::Gone).then_some(stored)
    }

    fn fill(&self, sealed: &Arc<SealedRequest>) -> Fill {
        Fill::new(
            Arc::clone(self.app),
            Arc::clone(self.cache),
            Arc::clone(self.component),
            Arc::clone(&self.pool),
            Arc::clone(&self.route),
            Arc::clone(sealed),
            self.context.for_cache(),
        )
    }

    /// Begins to refresh a stale response in the background, unless that is under way, or failed a moment ago.
    fn refresh(&self, sealed: &Arc<SealedRequest>, stored: &Arc<Stored>) {
        let cache = self.cache;
        if !stored.may_refresh(cache.clock.now()) {
            return;
        }
        let Ok(place) = self.route.refreshes.enter() else {
            return;
        };
        let fill = self.fill(sealed).holding(place);
        let Some(leader) = cache.flights.begin(&sealed.key, &fill.dependencies) else {
            return;
        };
        let current = cache.memory.get(&sealed.key);
        if !current.is_some_and(|current| Arc::ptr_eq(&current, stored)) {
            // Another refresh has ended since the look at the memory.
            return;
        }
        cache.metrics.count(CacheEvent::Refresh);
        let stored = Arc::clone(stored);
        cache.background.spawn(async move {
            fill.refresh(leader, &stored).await;
        });
    }

    /// Serves a response that was found in the memory, and is not gone. If it may be compressed, the reply says what it was made
    /// of.
    fn serve_found(
        &self,
        asked: &Asked,
        key: &Key,
        stored: &Arc<Stored>,
        verdict: Verdict,
        now: Duration,
    ) -> Reply {
        stored.count_hit();
        let event = match verdict {
            Verdict::Fresh => CacheEvent::Hit,
            Verdict::Stale | Verdict::Gone => CacheEvent::Stale,
        };
        self.cache.metrics.count(event);
        let response = asked.respond_stored(stored, verdict, now);
        let mut reply = self.reply(response.map(body::full));
        if self.app.settings.server.compress {
            reply.response.extensions_mut().insert(MadeOf {
                cache: Arc::clone(self.cache),
                key: key.clone(),
                stored: Arc::clone(stored),
            });
        }
        reply
    }

    /// Serves a response that the run of another request made.
    fn serve_collapsed(&self, asked: &Asked, stored: &Stored, was_gone: bool) -> Reply {
        self.cache.metrics.count(CacheEvent::Collapsed);
        let age = stored.head.age(self.cache.clock.now());
        let response = asked.respond(stored, &Outcome::waited(was_gone, Ok(())), Some(age));
        self.reply(response.map(body::full))
    }

    /// Makes the response of a run that this request began.
    fn filled(&self, filled: Filled, asked: &Asked, was_gone: bool) -> Reply {
        self.cache.metrics.count(CacheEvent::Miss);
        let miss = |stored| Outcome::ran(was_gone, stored);
        match filled {
            Filled::Stored(stored) => {
                let response = asked.respond(&stored, &miss(Ok(())), None);
                response.map(body::full).into()
            }
            Filled::Streaming { head, body } => {
                let mut response = head.response(body);
                add_computed(response.headers_mut(), &miss(Ok(())), None);
                response.into()
            }
            Filled::Passed { mut reply, reason } => {
                add_computed(reply.response.headers_mut(), &miss(Err(&reason)), None);
                reply
            }
        }
    }

    /// Makes the response of a request that waited for the run of another one.
    fn follow(&self, landed: Progress, asked: &Asked, was_gone: bool) -> Followed {
        match landed {
            Progress::Stored(stored) => {
                // Its age does not matter: it was made for this request too.
                match stored.verdict_of_invalidations(&self.cache.invalidations) {
                    Verdict::Gone => Followed::Again,
                    _ => Followed::Answered(self.serve_collapsed(asked, &stored, was_gone)),
                }
            }
            Progress::Streaming(streaming) => self.read_along(&streaming, was_gone),
            Progress::Failed(status, headers) => {
                Followed::Answered(self.failed(status, headers, was_gone))
            }
            Progress::NotShared => Followed::Alone,
            Progress::Running => Followed::Again,
        }
    }

    /// Makes the response of a request that reads along while another one's response arrives.
    fn read_along(&self, streaming: &Streaming, was_gone: bool) -> Followed {
        let now = self.cache.clock.now();
        let invalidations = &self.cache.invalidations;
        if invalidations.verdict(&streaming.dependencies) == Verdict::Gone {
            return Followed::Again;
        }
        if streaming.head.verdict(now) == Verdict::Gone {
            return Followed::Alone;
        }
        let Some(body) = streaming.body.reader(streaming.length) else {
            return Followed::Alone;
        };
        let mut response = streaming.head.response(body.boxed_unsync());
        self.cache.metrics.count(CacheEvent::Collapsed);
        let age = Some(streaming.head.age(now));
        add_computed(
            response.headers_mut(),
            &Outcome::waited(was_gone, Ok(())),
            age,
        );
        Followed::Answered(self.reply(response))
    }

    /// Makes the response of a request that waited for a run that failed.
    fn failed(&self, status: StatusCode, headers: HeaderMap, was_gone: bool) -> Reply {
        self.cache.metrics.count(CacheEvent::Collapsed);
        let mut response: Response<WasiBody> = plain(status, reason(status));
        response.headers_mut().extend(headers);
        let reason = Unstorable::Status(status.as_u16());
        let outcome = Outcome::waited(was_gone, Err(&reason));
        add_computed(response.headers_mut(), &outcome, None);
        self.reply(response)
    }

    /// Returns where a stored response was found, if the target of the request alone leads there.
    fn found(self, key: Key) -> Option<Found> {
        self.route.policy.vary().is_empty().then(|| Found {
            component: Arc::clone(self.component),
            route: self.route,
            key,
        })
    }

    /// Counts a response that no run of the handler made.
    fn reply(&self, response: Response<WasiBody>) -> Reply {
        self.component.responses.count(response.status());
        response.into()
    }
}

/// Waits until a run has a response. Returns [`Progress::Running`] if it ended without one.
pub(super) async fn landed(mut progress: watch::Receiver<Progress>) -> Progress {
    let landed = progress
        .wait_for(|progress| !matches!(progress, Progress::Running))
        .await;
    landed.map_or(Progress::Running, |progress| progress.clone())
}
