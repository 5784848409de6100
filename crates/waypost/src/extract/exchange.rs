//! A request that is being answered: the source of the arguments of a handler.

use std::cell::{Cell, OnceCell, RefCell};
use std::sync::Arc;

use http::request::Parts;
use http::{HeaderMap, HeaderValue, header};
use waypost_routing::Params;

use crate::cookies::Cookies;
use crate::request::{Source, is_from_router};
use crate::run::marks::Marks;
use crate::run::origin::{Origin, X_REQUEST_ID};
use crate::run::route::Verb;
use crate::run::sealed::Sealed;
use crate::sys::Incoming;
use crate::{After, Body, Cache, Request, Response, Signal};

/// A request that is being answered. Each argument of a handler is created from it, from left to right, through
/// [`FromRequest`](crate::extract::FromRequest).
pub struct Exchange {
    /// The request of the host, from which the head and the body are read when they are first needed. `None` once the
    /// body was taken.
    incoming: RefCell<Option<Incoming>>,
    head: OnceCell<Arc<Parts>>,
    /// Set when the head is read.
    marks: Cell<Marks>,
    pattern: &'static str,
    params: Params,
    cookies: Option<Cookies>,
    after: OnceCell<After>,
    /// Set if the run is sealed, or once the handler has a [`Cache`](crate::Cache).
    caching: OnceCell<Box<dyn Caching>>,
    signal: Signal,
}

impl Exchange {
    pub(crate) fn new(
        incoming: Incoming,
        pattern: &'static str,
        params: Params,
        signal: Signal,
    ) -> Self {
        Self {
            incoming: RefCell::new(Some(incoming)),
            head: OnceCell::new(),
            marks: Cell::default(),
            pattern,
            params,
            cookies: None,
            after: OnceCell::new(),
            caching: OnceCell::new(),
            signal,
        }
    }

    /// Returns the method, target and headers of the request.
    pub fn head(&self) -> &Parts {
        self.shared_head()
    }

    fn shared_head(&self) -> &Arc<Parts> {
        self.head.get_or_init(|| head(&self.incoming, &self.marks))
    }

    /// Returns what the caller of the component does with the response.
    pub(crate) fn marks(&self) -> Marks {
        self.head();
        self.marks.get().trusted()
    }

    /// Reduces the request to what all clients share, for a handler of `verb` whose response may be cached.
    pub(crate) fn seal(&mut self, sealed: &Sealed, verb: Verb) {
        let client = Arc::clone(self.shared_head());
        let seen = sealed.head(&client, verb, self.marks().is_reduced);
        self.head = OnceCell::from(Arc::new(seen));
        self.caching = OnceCell::from(CacheSide::of(Some(client)));
        self.incoming.take();
        self.cookies = Some(Cookies::read_only(&HeaderMap::new()));
        // The response is not for this client alone.
        self.signal = Signal::default();
    }

    /// Returns the headers of the request.
    pub fn headers(&self) -> &HeaderMap {
        &self.head().headers
    }

    /// Returns the cookies. Cookies that are set on them become part of the response.
    pub fn cookies(&mut self) -> Cookies {
        let head = self.head.get_or_init(|| head(&self.incoming, &self.marks));
        let sent = || Cookies::of(&head.headers);
        self.cookies.get_or_insert_with(sent).clone()
    }

    /// Returns the cookies of the client for draft mode, also in a sealed run. Nobody in draft mode gets a cached response,
    /// so there are none if the response may be stored.
    pub(crate) fn draft_cookies(&mut self) -> Cookies {
        match self.client() {
            Some(client) if !self.marks().fill => Cookies::read_only(&client.headers),
            _ => self.cookies(),
        }
    }

    /// Returns the cache of the host, for revalidation.
    pub(crate) fn cache(&self) -> Cache {
        let caching = self.caching.get_or_init(|| CacheSide::of(None));
        caching.cache(self.marks().revalidate)
    }

    /// Completes what the response says to a cache: adds the revalidations, and refuses further ones.
    pub(crate) fn finish(&self, response: &mut Response) {
        response.head_mut().finish(Some(self));
        if let Some(caching) = self.caching.get() {
            caching.finish(response);
        }
    }

    /// Returns the head of the client's request if the run is sealed. `head` is then what the handler sees.
    fn client(&self) -> Option<&Arc<Parts>> {
        self.caching.get()?.client()
    }

    /// Returns the list of work to do after the response was sent.
    pub fn after(&self) -> After {
        let new = || After::new(self.origin());
        self.after.get_or_init(new).clone()
    }

    /// Returns the signal that fires when the client disconnects.
    pub fn signal(&self) -> Signal {
        self.signal.watched()
    }

    /// Returns the request. Its body can be taken only once, by this method or by an argument that reads the body.
    pub fn request(&mut self) -> Request {
        let cookies = self.cookies();
        let head = Arc::clone(self.shared_head());
        let incoming = self.incoming.take();
        let body = match incoming {
            Some(incoming) => Source::Host(incoming),
            None if self.client().is_some() => Source::Body(Body::empty()),
            None => Source::Body(Body::used()),
        };
        Request::new(head, body).with_jar(cookies)
    }

    /// Returns what the log says about this request.
    pub(crate) fn origin(&self) -> Origin {
        let id = match self.client().or_else(|| self.head.get()) {
            Some(head) => head
                .headers
                .get(X_REQUEST_ID)
                .map(|id| id.as_bytes().to_vec()),
            None => self
                .incoming
                .borrow()
                .as_ref()
                .and_then(Incoming::request_id),
        };
        Origin::new(id, self.pattern)
    }

    pub(crate) fn params(&self) -> &Params {
        &self.params
    }

    /// Converts into the work to do after the response was sent, or `None` if the handler never asked for it.
    pub(crate) fn into_after(self) -> Option<After> {
        self.after.into_inner()
    }

    /// Returns the cookies, or `None` if the handler never asked for them.
    pub(crate) fn used_cookies(&self) -> Option<&Cookies> {
        self.cookies.as_ref()
    }
}

/// The part of an [`Exchange`] that only cached routes and revalidations need. A trait object, so that other components
/// do not contain the code.
trait Caching {
    /// Returns the head of the client's request if the run is sealed.
    fn client(&self) -> Option<&Arc<Parts>>;

    /// Returns the cache of the host, which applies revalidations or not.
    fn cache(&self, is_applied: bool) -> Cache;

    /// Adds the revalidations to the response, and refuses further ones.
    fn finish(&self, response: &mut Response);
}

struct CacheSide {
    client: Option<Arc<Parts>>,
    cache: OnceCell<Cache>,
}

impl CacheSide {
    fn of(client: Option<Arc<Parts>>) -> Box<dyn Caching> {
        Box::new(Self {
            client,
            cache: OnceCell::new(),
        })
    }
}

impl Caching for CacheSide {
    fn client(&self) -> Option<&Arc<Parts>> {
        self.client.as_ref()
    }

    fn cache(&self, is_applied: bool) -> Cache {
        let new = || Cache::for_caller(is_applied);
        self.cache.get_or_init(new).clone()
    }

    fn finish(&self, response: &mut Response) {
        if let Some(cache) = self.cache.get() {
            cache.finish(response);
        }
    }
}

/// Reads the head of the request from the host.
fn head(incoming: &RefCell<Option<Incoming>>, marks: &Cell<Marks>) -> Arc<Parts> {
    let mut incoming = incoming.borrow_mut();
    #[expect(
        clippy::expect_used,
        reason = "`Exchange::request` reads the head before it takes the body"
    )]
    let incoming = incoming.as_mut().expect("the body was not taken yet");
    let mut found = Marks::default();
    let mut head = incoming.head(&mut found);
    marks.set(found);
    restore_host_header(&mut head);
    Arc::new(head)
}

/// Restores the `Host` header that the client sent. Behind the router it is in `X-Forwarded-Host`. A host such as
/// Wasmtime passes it in the authority of the request only.
fn restore_host_header(head: &mut Parts) {
    let host = match is_from_router(&head.uri) {
        true => head.headers.get("x-forwarded-host").cloned(),
        false if head.headers.contains_key(header::HOST) => None,
        false => {
            let authority = head.uri.authority().map(|authority| authority.as_str());
            let server = authority.and_then(|authority| authority.rsplit('@').next());
            server.and_then(|server| HeaderValue::from_str(server).ok())
        }
    };
    if let Some(host) = host {
        head.headers.insert(header::HOST, host);
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn restored(uri: &str, headers: &[(&str, &str)]) -> Option<String> {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut head = request.body(()).unwrap().into_parts().0;
        restore_host_header(&mut head);
        let host = head.headers.get(header::HOST)?;
        Some(host.to_str().unwrap().to_owned())
    }

    #[test]
    fn a_handler_finds_the_host_in_its_headers() {
        let forwarded = [("x-forwarded-host", "shop.example"), ("host", "inside")];
        for (uri, headers, host) in [
            (
                "http://a.spin.internal/",
                &forwarded[..],
                Some("shop.example"),
            ),
            ("http://shop.example:81/", &[], Some("shop.example:81")),
            ("http://user@shop.example/", &[], Some("shop.example")),
            ("http://shop.example/", &[("host", "other")], Some("other")),
            ("http://shop.example/", &forwarded, Some("inside")),
            ("/", &[], None),
        ] {
            assert_eq!(restored(uri, headers).as_deref(), host, "{uri} {headers:?}");
        }
    }

    fn exchange(lines: &[(&str, &str)]) -> Exchange {
        let mut request = Request::builder().uri("/");
        for (name, value) in lines {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from("a body")).unwrap();
        Exchange::new(request.into(), "/", Params::NONE, Signal::default())
    }

    const FILL: (&str, &str) = ("x-waypost-fill", "1");
    const REVALIDATE: (&str, &str) = ("x-waypost-revalidate", "1");

    #[test]
    fn only_a_caller_that_understands_them_gets_internal_headers() {
        for (marks, expected) in [
            (&[][..], &[][..]),
            (&[FILL], &["x-waypost-tags", "x-waypost-life"]),
            (&[REVALIDATE], &["x-waypost-revalidate"]),
        ] {
            let exchange = exchange(marks);
            exchange.cache().revalidate_tag("a").unwrap();
            let mut response = Response::new(()).tag("b").revalidate(60);
            exchange.finish(&mut response);
            let sent = response.head().list().into_iter().map(|(name, _)| name);
            assert_eq!(sent.collect::<Vec<_>>(), expected);
            assert!(exchange.headers().is_empty());
        }
    }

    #[test]
    fn a_sealed_run_keeps_the_draft_cookie_apart() {
        let cookie = ("cookie", "__prerender_bypass=secret");
        let sealed = Sealed {
            query: &[],
            headers: &[],
        };
        for (lines, is_visible) in [(&[cookie][..], true), (&[cookie, FILL], false)] {
            let mut exchange = exchange(lines);
            exchange.seal(&sealed, Verb::Get);
            let draft = exchange.draft_cookies();
            assert_eq!(draft.has("__prerender_bypass"), is_visible);
            assert!(draft.set(("a", "1")).is_err());
            assert!(!exchange.cookies().has("__prerender_bypass"));
            assert!(!exchange.signal().is_aborted());
        }
    }

    #[test]
    fn a_sealed_run_has_an_id_in_the_log_only() {
        let mut exchange = exchange(&[("x-request-id", "1a")]);
        let sealed = Sealed {
            query: &[],
            headers: &[],
        };
        exchange.seal(&sealed, Verb::Get);
        assert_eq!(exchange.origin().request_id(), Some("1a"));
        assert!(exchange.headers().is_empty());
    }
}
