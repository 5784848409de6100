//! The response cache between the router and its handlers, in the memory of one instance.

use std::rc::Rc;

use wasip3::http::types::{ErrorCode, Request, Response, Scheme};
use wasip3::wit_future;
use waypost_cache::revalidation::X_WAYPOST_REVALIDATE;

use super::super::cached::{self, Answered, Instance, Unread, Wasi, answered, error, response};
use super::super::{method_name, new_id, respond};
use super::{find, pass};
use crate::cache::{CachedRoutes, Handler, Memory, Plan, ResponseCache, SealedRequest, Seen};
use crate::fields::lower;
use crate::instance::handler_failed;
use crate::{Answer, Destination, is_reserved};

type Cache = Rc<ResponseCache<Wasi<Memory>>>;

/// What `waypost compose` generates for a router with a cache.
#[derive(Clone, Copy)]
pub struct Tables {
    /// The table of routes.
    pub routes: &'static str,
    /// The table of cache policies.
    pub policies: &'static str,
    /// The size of the cache, in bytes.
    pub capacity: usize,
}

/// Calls a handler by the id of its component, or returns `None` if there is no such handler.
pub trait Call:
    AsyncFn(&str, Request) -> Option<Result<Response, ErrorCode>> + Copy + 'static
{
}

impl<C: AsyncFn(&str, Request) -> Option<Result<Response, ErrorCode>> + Copy + 'static> Call for C {}

/// Answers a request from the cache, or passes it to its handler and returns the handler's response. A failure becomes a 500.
///
/// # Errors
///
/// Only if that 500 can't be built.
pub async fn handle_cached(
    tables: Tables,
    request: Request,
    call: impl Call,
) -> Result<Response, ErrorCode> {
    match dispatch(tables, request, call).await {
        Ok(response) => Ok(response),
        Err(answer) => respond(answer),
    }
}

/// Returns the cache of this instance, or `None` if a table is not valid.
fn instance(tables: Tables) -> Option<Cache> {
    thread_local! {
        static CACHE: Instance<Memory> = const { Instance::new() };
    }
    let new = || {
        let routes = CachedRoutes::parse(tables.routes, tables.policies, None);
        cached::new(Memory::new(tables.capacity), routes)
    };
    CACHE.with(|cache| cache.get_or_init(new).clone())
}

async fn dispatch(tables: Tables, request: Request, call: impl Call) -> Result<Response, Answer> {
    let (inbound, destination) = find(tables.routes, &request)?;
    let Some(cache) = instance(tables) else {
        return pass(request, inbound, destination, call).await;
    };
    let failed = |code| handler_failed(&new_id(), destination, code);
    let (method, authority) = (request.get_method(), request.get_authority());
    let mut headers = inbound.headers.clone();
    headers.retain(|(name, _)| !is_reserved(&lower(name)));
    let host = headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("host"));
    let host = host.and_then(|(_, value)| String::from_utf8(value.clone()).ok());
    let authority = authority.filter(|authority| !authority.is_empty()).or(host);
    let seen = Seen {
        method: method_name(&method),
        scheme: match request.get_scheme() {
            Some(Scheme::Https) => "https",
            _ => "http",
        },
        authority: authority.as_deref().unwrap_or_default(),
        target: &inbound.target,
        headers: &headers,
    };
    let reason = match cache.plan(destination.component(), &seen) {
        Plan::Cached(asking) => {
            drop(request);
            let handler = Linked { destination, call };
            let reply = cache.answer(asking, &handler).await;
            return response(reply).map_err(failed);
        }
        Plan::Bypass(reason) => Some(reason),
        Plan::Run => None,
    };
    let marked = async |id: &str, request: Request| match mark(request) {
        Ok(request) => call(id, request).await,
        Err(code) => Some(Err(code)),
    };
    let passed = pass(request, inbound, destination, marked).await?;
    cached::passed(&cache, passed, reason).await.map_err(failed)
}

/// Tells a handler that what it revalidates is applied.
fn mark(request: Request) -> Result<Request, ErrorCode> {
    let headers = request.get_headers().clone();
    headers
        .append(X_WAYPOST_REVALIDATE, b"1")
        .map_err(|error| ErrorCode::InternalError(Some(error.to_string())))?;
    let (method, scheme) = (request.get_method(), request.get_scheme());
    let (authority, target) = (request.get_authority(), request.get_path_with_query());
    let (options, (_, result)) = (request.get_options(), wit_future::new(|| Ok(())));
    let (body, trailers) = Request::consume_body(request, result);
    let (marked, _sent) = Request::new(headers, Some(body), trailers, options);
    let refused = |()| ErrorCode::HttpRequestUriInvalid;
    marked
        .set_method(&method)
        .map_err(|()| ErrorCode::HttpRequestMethodInvalid)?;
    marked.set_scheme(scheme.as_ref()).map_err(refused)?;
    marked
        .set_authority(authority.as_deref())
        .map_err(refused)?;
    marked
        .set_path_with_query(target.as_deref())
        .map_err(refused)?;
    Ok(marked)
}

/// A handler that is linked into the same component.
#[derive(Clone)]
struct Linked<C> {
    destination: &'static Destination,
    call: C,
}

impl<C: Call> Handler for Linked<C> {
    type Stream = Unread;

    async fn run(&self, sealed: &SealedRequest) -> Answered {
        let response = match request(sealed) {
            Ok(request) => (self.call)(self.destination.component(), request).await,
            Err(code) => Some(Err(code)),
        };
        match response.unwrap_or(Err(ErrorCode::DestinationNotFound)) {
            Ok(response) => answered(response),
            Err(code) => error(handler_failed(&new_id(), self.destination, code)),
        }
    }

    fn failed(&self, _: &SealedRequest) -> Answered {
        let why = "its body is not as long as it said";
        error(handler_failed(&new_id(), self.destination, why))
    }
}

fn request(sealed: &SealedRequest) -> Result<Request, ErrorCode> {
    let scheme = match sealed.scheme.as_str() {
        "https" => Scheme::Https,
        _ => Scheme::Http,
    };
    let authority = Some(sealed.authority.as_str()).filter(|authority| !authority.is_empty());
    cached::request(&sealed.headers, &scheme, authority, &sealed.target)
}
