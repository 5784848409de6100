//! The response cache between the router and its handlers, over the key-value store.

use std::rc::Rc;

use wasip3::http::client;
use wasip3::http::types::{ErrorCode, Request, Response, Scheme};

use super::super::cached::{self, Answered, Instance, Unread, Wasi, answered, error, response};
use super::super::store::SpinStore;
use super::super::{failure, method_name};
use super::Inner;
use crate::cache::{CachedRoutes, Handler, Plan, ResponseCache, SealedRequest, Seen};
use crate::instance::handler_failed;
use crate::{Answer, Destination, Fields as _};
use http::HeaderName;
use waypost_cache::internal::CACHE_VARIABLE;
use waypost_cache::revalidation::X_WAYPOST_REVALIDATE;

const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const REVALIDATE: HeaderName = HeaderName::from_static(X_WAYPOST_REVALIDATE);

type Cache = Rc<ResponseCache<Wasi<SpinStore>>>;

/// Returns the cache of this instance, or `None` if the host caches the responses of the handlers itself, or a table is not
/// valid.
pub(super) fn instance(routes: &str, policies: &str, versions: Option<&str>) -> Option<Cache> {
    thread_local! {
        static CACHE: Instance<SpinStore> = const { Instance::new() };
    }
    let new = || {
        if std::env::var_os(CACHE_VARIABLE).is_some() {
            return None;
        }
        let routes = CachedRoutes::parse(routes, policies, versions);
        cached::new(SpinStore::default(), routes)
    };
    CACHE.with(|cache| cache.get_or_init(new).clone())
}

/// Answers a request from the cache, or by its handler. An `Err` is a response that the router sends itself.
pub(super) async fn answer(
    cache: &Cache,
    request: Request,
    mut inner: Inner,
) -> Result<Response, Answer> {
    let (destination, id) = (inner.destination, inner.forwarded.id.clone());
    let plan = plan(cache, &request, &inner);
    let reason = match plan {
        Plan::Cached(asking) => {
            // Nothing of its body is read.
            drop(request);
            let handler = Chained {
                destination,
                id: id.clone(),
            };
            let reply = cache.answer(asking, &handler).await;
            return response(reply).map_err(|code| handler_failed(&id, destination, code));
        }
        Plan::Bypass(reason) => Some(reason),
        Plan::Run => None,
    };
    inner.forwarded.headers.set(&REVALIDATE, "1".to_owned());
    let forwarded = inner.forward(request).await?;
    let passed = cached::passed(cache, forwarded, reason).await;
    passed.map_err(|code| handler_failed(&id, destination, code))
}

fn plan(cache: &Cache, request: &Request, inner: &Inner) -> Plan {
    let headers = &inner.forwarded.headers;
    let text = |name: &HeaderName| headers.text(name).unwrap_or_default().to_owned();
    let (scheme, authority) = (text(&X_FORWARDED_PROTO), text(&X_FORWARDED_HOST));
    let method = request.get_method();
    let seen = Seen {
        method: method_name(&method),
        scheme: &scheme,
        authority: &authority,
        target: &inner.inbound.target,
        headers,
    };
    cache.plan(inner.destination.component(), &seen)
}

/// A handler that is called with in-memory HTTP requests.
#[derive(Clone)]
struct Chained {
    destination: &'static Destination,
    /// The id of the request for which it runs.
    id: String,
}

impl Handler for Chained {
    type Stream = Unread;

    async fn run(&self, sealed: &SealedRequest) -> Answered {
        let response = match self.request(sealed) {
            Ok(request) => client::send(request).await,
            Err(code) => Err(code),
        };
        let named = match response {
            Ok(response) => failure::with_request_id(response, &self.id, self.destination).await,
            Err(code) => Err(code),
        };
        match named {
            Ok(response) => answered(response),
            Err(code) => error(handler_failed(&self.id, self.destination, code)),
        }
    }

    fn failed(&self, _: &SealedRequest) -> Answered {
        let why = "its body is not as long as it said";
        error(handler_failed(&self.id, self.destination, why))
    }
}

impl Chained {
    fn request(&self, sealed: &SealedRequest) -> Result<Request, ErrorCode> {
        let mut headers = sealed.headers.clone();
        headers.set(&X_FORWARDED_PROTO, sealed.scheme.clone());
        headers.set(&X_FORWARDED_HOST, sealed.authority.clone());
        let authority = self.destination.authority();
        cached::request(&headers, &Scheme::Http, Some(&authority), &sealed.target)
    }
}
