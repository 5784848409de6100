//! How a request is answered: from the cache, by a run of the handler, or by the run of another request.

use super::ResponseCache;
use super::asked::{Asked, add_computed};
use super::draft::is_draft;
use super::fill::{Fill, Filled};
use super::flights::{Progress, Role, Streaming};
use super::metrics::CacheEvent;
use super::revalidate::{REVALIDATE, strip_internal};
use super::route::CachedRoute;
use super::sealed::SealedRequest;
use super::stored::Stored;
use crate::app::App;
use crate::app::component::LazyComponent;
use crate::instance::config::DRAFT_SECRET;
use crate::instance::reply::Reply;
use crate::options::Cached;
use crate::request::context::RequestContext;
use crate::request::failure::{plain, reason};
use http::header::{CACHE_CONTROL, HeaderValue};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use std::sync::Arc;
use tokio::sync::watch;
use wasmtime_wasi_http::WasiBody;
use waypost_cache::headers::NO_STORE;
use waypost_cache::status::Miss;
use waypost_cache::{Outcome, Unstorable, Verdict};

/// Answers a request for a component, from the cache if it has a route with a policy.
pub(crate) async fn answer(
    app: &Arc<App>,
    component: &Arc<LazyComponent>,
    request: Request<WasiBody>,
    context: RequestContext,
) -> Reply {
    let Some(cache) = &app.cache else {
        return app.call(component, request, context).await;
    };
    if !component.has_route() {
        // It is the router, which asks others, or it serves others of the app.
        return app.call(component, request, context).await;
    }
    match cached_route(component).await {
        Some(route) => {
            let asking = Asking {
                app,
                cache,
                component,
                route,
                context,
            };
            asking.answer(request).await
        }
        None => run(app, cache, component, request, context).await,
    }
}

/// Returns how the responses of a component are cached now. A component that is not loaded yet is loaded within the limit of
/// its route.
async fn cached_route(component: &Arc<LazyComponent>) -> Option<Arc<CachedRoute>> {
    let pool = match component.loaded() {
        Some(pool) => pool,
        None => {
            let _place = component.admission.enter().ok()?;
            component.pool_now().await.ok()?
        }
    };
    pool.cached.clone()
}

/// Runs a handler, and applies what it revalidates. No internal header is left.
async fn run(
    app: &App,
    cache: &ResponseCache,
    component: &Arc<LazyComponent>,
    mut request: Request<WasiBody>,
    context: RequestContext,
) -> Reply {
    let id = context.id;
    let one = HeaderValue::from_static("1");
    request.headers_mut().insert(REVALIDATE, one);
    let mut reply = app.call(component, request, context).await;
    let headers = reply.response.headers_mut();
    cache.revalidate(headers, component, id);
    strip_internal(headers);
    reply
}

/// A request to a route with a policy.
struct Asking<'a> {
    app: &'a Arc<App>,
    cache: &'a Arc<ResponseCache>,
    component: &'a Arc<LazyComponent>,
    route: Arc<CachedRoute>,
    context: RequestContext,
}

impl Asking<'_> {
    async fn answer(self, request: Request<WasiBody>) -> Reply {
        let asked = Asked::of(&request);
        if self.is_draft(&request) {
            return self.bypass(request, "draft mode").await;
        }
        if self.cache.cached == Cached::Never {
            return self.bypass(request, "development").await;
        }
        match SealedRequest::new(&request, &self.route) {
            Err(Unstorable::Method) => self.run(request).await,
            Ok(_) if asked.is_head && self.route.has_head => self.run(request).await,
            Err(reason) => self.bypass(request, &reason.to_string()).await,
            Ok(sealed) => self.cached(Arc::new(sealed), &asked).await,
        }
    }

    fn is_draft(&self, request: &Request<WasiBody>) -> bool {
        let config = &self.component.config;
        let set = config.permissions.environment.get(DRAFT_SECRET);
        let secret = set.map(String::as_str).or(config.draft_secret.as_deref());
        is_draft(request.headers(), secret)
    }

    async fn run(self, request: Request<WasiBody>) -> Reply {
        run(self.app, self.cache, self.component, request, self.context).await
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
    async fn cached(self, sealed: Arc<SealedRequest>, asked: &Asked) -> Reply {
        let cache = self.cache;
        let mut was_gone = false;
        let mut may_share = self.context.inner().is_none();
        loop {
            let now = cache.clock.now();
            if let Some(stored) = cache.memory.get(&sealed.key) {
                let verdict = stored.verdict(&cache.tokens, now);
                let age = stored.age(now);
                if let Some(outcome) = Outcome::served(verdict, age, stored.life) {
                    if verdict == Verdict::Stale {
                        self.refresh(&sealed, &stored);
                    }
                    return self.serve(asked, &stored, &outcome);
                }
                cache.memory.remove(&sealed.key, &stored);
                was_gone = true;
            }
            let fill = self.fill(&sealed);
            if !may_share || cache.memory.is_uncacheable(&sealed.key, now) {
                let filled = fill.run(None).await;
                return self.filled(filled, asked, was_gone);
            }
            let role = cache.flights.join(&sealed.key, &cache.tokens, &fill.tokens);
            let progress = match role {
                Role::Lead(leader) => {
                    let filled = fill.run(Some(leader)).await;
                    return self.filled(filled, asked, was_gone);
                }
                Role::Follow(progress) => progress,
            };
            match landed(progress).await {
                Progress::Stored(stored) => {
                    if stored.verdict(&cache.tokens, cache.clock.now()) != Verdict::Gone {
                        return self.serve(asked, &stored, &collapsed(was_gone));
                    }
                }
                Progress::Streaming(streaming) => {
                    if let Some(reply) = self.follow(&streaming, was_gone) {
                        return reply;
                    }
                    may_share = streaming.tokens.verdict(&cache.tokens) == Verdict::Gone;
                }
                Progress::Failed(status) => return self.failed(status, was_gone),
                Progress::NotShared => may_share = false,
                Progress::Running => {}
            }
        }
    }

    fn fill(&self, sealed: &Arc<SealedRequest>) -> Fill {
        Fill::new(
            Arc::clone(self.app),
            Arc::clone(self.cache),
            Arc::clone(self.component),
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
        let fill = self.fill(sealed);
        let Some(leader) = cache.flights.begin(&sealed.key, &fill.tokens) else {
            return;
        };
        cache.metrics.count(CacheEvent::Refresh);
        let stored = Arc::clone(stored);
        // It ends with its instance: that has a limit of time, and ends when the host stops.
        tokio::spawn(async move {
            fill.refresh(leader, &stored).await;
            drop(place);
        });
    }

    fn serve(&self, asked: &Asked, stored: &Stored, outcome: &Outcome<'_>) -> Reply {
        self.cache.metrics.count(match outcome {
            Outcome::Hit { .. } => CacheEvent::Hit,
            Outcome::Stale { .. } => CacheEvent::Stale,
            Outcome::Miss(_) => CacheEvent::Collapsed,
            Outcome::Bypass { .. } => CacheEvent::Bypass,
        });
        let age = stored.age(self.cache.clock.now());
        self.reply(asked.respond(stored, outcome, Some(age)))
    }

    /// Makes the response of a run that this request began.
    fn filled(&self, filled: Filled, asked: &Asked, was_gone: bool) -> Reply {
        self.cache.metrics.count(CacheEvent::Miss);
        let miss = |stored| {
            Outcome::Miss(Miss {
                was_gone,
                collapsed: false,
                stored,
            })
        };
        match filled {
            Filled::Stored(stored) => asked.respond(&stored, &miss(Ok(())), None).into(),
            Filled::Streaming { head, body } => {
                let mut response = Response::new(body);
                *response.status_mut() = head.status;
                *response.headers_mut() = head.headers;
                add_computed(response.headers_mut(), &miss(Ok(())), None);
                response.into()
            }
            Filled::Passed { mut reply, reason } => {
                add_computed(reply.response.headers_mut(), &miss(Err(&reason)), None);
                reply
            }
        }
    }

    /// Makes the response of a request that reads along while another one's response arrives, or returns `None` if it can't.
    fn follow(&self, streaming: &Streaming, was_gone: bool) -> Option<Reply> {
        if streaming.tokens.verdict(&self.cache.tokens) == Verdict::Gone {
            return None;
        }
        let body = streaming.body.reader(streaming.length)?;
        let mut response = Response::new(body.boxed_unsync());
        *response.status_mut() = streaming.head.status;
        *response.headers_mut() = streaming.head.headers.clone();
        self.cache.metrics.count(CacheEvent::Collapsed);
        add_computed(response.headers_mut(), &collapsed(was_gone), None);
        Some(self.reply(response))
    }

    /// Makes the response of a request that waited for a run that failed.
    fn failed(&self, status: StatusCode, was_gone: bool) -> Reply {
        self.cache.metrics.count(CacheEvent::Collapsed);
        let mut response: Response<WasiBody> = plain(status, reason(status));
        let reason = Unstorable::Status(status.as_u16());
        let outcome = Outcome::Miss(Miss {
            was_gone,
            collapsed: true,
            stored: Err(&reason),
        });
        add_computed(response.headers_mut(), &outcome, None);
        self.reply(response)
    }

    /// Counts a response that no run of the handler made.
    fn reply(&self, response: Response<WasiBody>) -> Reply {
        self.component.responses.count(response.status());
        response.into()
    }
}

fn collapsed(was_gone: bool) -> Outcome<'static> {
    Outcome::Miss(Miss {
        was_gone,
        collapsed: true,
        stored: Ok(()),
    })
}

/// Waits until a run has a response. Returns [`Progress::Running`] if it ended without one.
async fn landed(mut progress: watch::Receiver<Progress>) -> Progress {
    let landed = progress
        .wait_for(|progress| !matches!(progress, Progress::Running))
        .await;
    landed.map_or(Progress::Running, |progress| progress.clone())
}
