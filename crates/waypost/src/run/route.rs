//! A route: its pattern, its methods, and how it answers a request.

use std::future::Future;

use http::StatusCode;
use waypost_routing::{Params, Path, Pattern, Resolved};

use crate::error::location_of;
use crate::extract::Exchange;
use crate::response::head::HeaderList;
pub use crate::run::allow::Allow;
use crate::run::origin::Origin;
use crate::sys::Incoming;
use crate::{After, Body, Response, Signal};

/// A method that a route can implement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// `GET`
    Get,
    /// `HEAD`
    Head,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
    /// `OPTIONS`
    Options,
}

impl Verb {
    /// All methods, in the order of their names.
    pub(crate) const ALL: [Self; 7] = [
        Self::Delete,
        Self::Get,
        Self::Head,
        Self::Options,
        Self::Patch,
        Self::Post,
        Self::Put,
    ];

    /// Returns the name, as in a request line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
        }
    }

    /// Returns the method of this name, or `None` if no route can implement it. Names are case-sensitive (RFC 9110
    /// section 9.1).
    #[cfg(not(all(target_arch = "wasm32", target_env = "p2")))]
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verb| verb.name() == name)
    }
}

/// The type that [`export!`](crate::export) defines for a route file.
pub trait Route {
    /// The methods that the file implements.
    const VERBS: &'static [Verb];

    /// The value of its `Allow` header.
    const ALLOW: &'static Allow = &Allow::of(Self::VERBS);

    /// The pattern as a text, for the log.
    const PATTERN: &'static str;

    /// Returns the pattern: the folder of the file below `handlers/`.
    fn pattern() -> &'static Pattern;

    /// Matches a path. Returns its params, or `None` if the path does not match.
    fn matches(path: &Path) -> Option<Params> {
        Self::pattern().matches(path)
    }

    /// Calls the handler of `verb`, which is one of [`Route::VERBS`].
    fn call(verb: Verb, exchange: &mut Exchange) -> impl Future<Output = Response>;
}

/// The response of a route as it is sent, and the work to do after that.
pub struct RouteResponse {
    /// The status and the body. `headers` replaces its headers.
    pub(crate) response: Response,
    pub(crate) headers: HeaderList,
    /// The work to do after the response was sent.
    pub(crate) after: Option<After>,
    /// Names the request in the log if the body, a stream, fails.
    #[cfg_attr(
        not(target_arch = "wasm32"),
        expect(dead_code, reason = "only hosts have a log")
    )]
    pub(crate) origin: Option<Origin>,
}

/// Answers a request like the component of route `R`.
///
/// The path is normalised and matched here too, although a router may already have done so: a handler also works
/// without a router, and takes its params from the path alone.
///
/// The caller fires `signal` when the client disconnects.
pub async fn answer<R: Route>(request: Incoming, signal: Signal) -> RouteResponse {
    let verb = request.verb();
    let (response, after, origin) = match resolve(&request.target(), R::matches) {
        Ok(params) => {
            let mut exchange = Exchange::new(request, R::PATTERN, params, signal);
            let response = match select(R::VERBS, verb) {
                Some(own) => R::call(own, &mut exchange).await,
                None => options_or_not_allowed(R::ALLOW, verb),
            };
            let mut response = with_cookies(response, &exchange);
            exchange.finish(&mut response);
            let origin = response.body().origin(&exchange);
            (response, exchange.into_after(), origin)
        }
        Err(response) => (response, None, None),
    };
    RouteResponse {
        after,
        origin,
        ..with_content_length(response, verb == Some(Verb::Head))
    }
}

/// Matches the path of a target. Returns its params, or the response if the path is invalid, not normalised, or does
/// not match.
fn resolve(
    target: &str,
    matches: impl FnOnce(&Path) -> Option<Params>,
) -> Result<Params, Response> {
    let (path, query) = parts(target);
    match Path::resolve(path) {
        Ok(Resolved::Path(path)) => matches(&path)
            .ok_or_else(|| Response::new("Not Found").with_known_status(StatusCode::NOT_FOUND)),
        Ok(Resolved::Redirect(path)) => Err(normalised(path, query)),
        Err(error) => Err(Response::new(error.as_str()).with_known_status(StatusCode::BAD_REQUEST)),
    }
}

/// Splits a target into its path and its query, like `http::Uri`.
fn parts(target: &str) -> (&str, Option<&str>) {
    let target = target.split('#').next().unwrap_or_default();
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    (if path.is_empty() { "/" } else { path }, query)
}

/// Redirects to the normal form of a path, with the query unchanged.
fn normalised(mut path: String, query: Option<&str>) -> Response {
    if let Some(query) = query {
        path.push('?');
        path.push_str(query);
    }
    let location = location_of(&path);
    Response::new(path)
        .with_known_status(StatusCode::PERMANENT_REDIRECT)
        .with_known_header("location", location.into())
}

/// Adds the cookies that the handler set. A 500 has none: the handler has failed, and a panic would lose them too.
fn with_cookies(response: Response, exchange: &Exchange) -> Response {
    let mut response = response.checked(Some(exchange));
    if let Some(cookies) = exchange.used_cookies() {
        match response.status() {
            StatusCode::INTERNAL_SERVER_ERROR => cookies.seal(),
            _ => cookies.apply(response.head_mut()),
        }
    }
    response
}

/// Returns the handler for a method: its own, or that of GET for HEAD (RFC 9110 section 9.3.2); `None` if there is
/// none.
fn select(verbs: &[Verb], verb: Option<Verb>) -> Option<Verb> {
    let verb = verb?;
    if verbs.contains(&verb) {
        return Some(verb);
    }
    (verb == Verb::Head && verbs.contains(&Verb::Get)).then_some(Verb::Get)
}

/// Returns the response to OPTIONS, or to a method that the route does not implement (RFC 9110 section 10.2.1).
fn options_or_not_allowed(allow: &'static Allow, verb: Option<Verb>) -> Response {
    let status = match verb {
        Some(Verb::Options) => StatusCode::NO_CONTENT,
        _ => StatusCode::METHOD_NOT_ALLOWED,
    };
    let response = Response::new(Body::empty()).with_known_status(status);
    response.with_known_header("allow", allow.as_bytes().into())
}

/// Adds `Content-Length` to a body of known length. A stream has the length that the handler declares, if any, and fails
/// if it differs. For HEAD a stream is dropped, unless it fails at once, and a handler may declare the length of the body
/// that it leaves out. A body in memory is kept, because hosts check its length; the host leaves it out.
fn with_content_length(mut response: Response, is_head: bool) -> RouteResponse {
    let mut headers = response.head().list();
    let own = response.body().content_length();
    let is_stream = response.body().len().is_none();
    let own = own.filter(|_| !is_stream);
    let leaves_out = is_head && own == Some(0);
    let length = match own {
        Some(own) if !leaves_out => Some(own),
        own => response.head().declared_length().or(own),
    };
    let without_length = matches!(response.status().as_u16(), 204 | 205 | 304);
    if let (Some(length), false) = (length, without_length) {
        headers.push(("content-length".to_owned(), length.to_string().into_bytes()));
    }
    if is_stream {
        match (is_head, length) {
            // A host would miss the bytes.
            (true, Some(_)) => response.empty(),
            (true, None) => response.probe(),
            (false, Some(length)) => response.measure(length),
            (false, None) => {}
        }
    }
    RouteResponse {
        response,
        headers,
        after: None,
        origin: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_split_like_a_uri() {
        for target in ["/", "/a?b?c", "/a?", "*", "/?#x", "/a#?b", "/a%3Fb"] {
            let uri: http::Uri = target.parse().unwrap();
            assert_eq!(parts(target), (uri.path(), uri.query()), "{target}");
        }
        assert_eq!(parts(""), ("/", None));
        assert_eq!(parts("?a"), ("/", Some("a")));
    }

    #[test]
    fn a_redirect_to_the_normal_form_is_ascii() {
        let response = normalised("/a".to_owned(), Some("é✓"));
        assert_eq!(response.status(), 308);
        assert_eq!(response.headers()["location"], "/a?%C3%A9%E2%9C%93");
    }

    fn sent_response(lines: &[(&'static str, &'static str)], body: &'static str) -> RouteResponse {
        let mut response = Response::new(body.as_bytes());
        for (name, value) in lines {
            response.head_mut().append(*name, *value);
        }
        with_content_length(response, false)
    }

    #[test]
    fn a_stream_for_head_ends_unless_it_fails_at_once() {
        let read = |first: Result<&'static str, &'static str>| {
            let body = Body::from_iter([first, Ok("more")]);
            let sent = with_content_length(Response::new(body), true);
            crate::test::block_on(sent.response.text())
        };
        assert_eq!(read(Ok("content")).unwrap(), "");
        assert!(read(Err("broken")).is_err());
    }

    fn text(answer: &RouteResponse) -> Vec<String> {
        let line = |(name, value): &(String, Vec<u8>)| {
            format!("{name}: {}", String::from_utf8_lossy(value))
        };
        answer.headers.iter().map(line).collect()
    }

    #[test]
    fn lines_of_a_header_are_joined() {
        let lines = [
            ("x-a", "1"),
            ("set-cookie", "a"),
            ("x-a", "2"),
            ("set-cookie", "b"),
        ];
        let answer = sent_response(&lines, "");
        let expected = [
            "x-a: 1, 2",
            "set-cookie: a",
            "set-cookie: b",
            "content-length: 0",
        ];
        assert_eq!(text(&answer), expected);
    }

    #[test]
    fn headers_of_the_connection_are_left_out() {
        let lines = [("connection", "close"), ("content-length", "9"), ("te", "")];
        assert_eq!(text(&sent_response(&lines, "abc")), ["content-length: 3"]);
        let response = Response::new(()).with_status(StatusCode::NO_CONTENT);
        let answer = with_content_length(response, false);
        assert!(answer.headers.is_empty());
    }

    #[test]
    fn a_stream_has_the_length_that_its_handler_declares() {
        let stream = |length: &str| {
            let body = Body::from_iter(["ab", "c"]);
            Response::new(body).with_header("content-length", length)
        };
        let sent = |response: Response, is_head| {
            let answer = with_content_length(response, is_head);
            let body = http::Response::from(answer.response).into_body();
            let text = crate::test::block_on(body.bytes(10));
            let length = answer
                .headers
                .into_iter()
                .find(|(name, _)| name == "content-length");
            let length = length.map(|(_, value)| String::from_utf8(value).unwrap());
            (length, text.map_err(|error| error.to_string()))
        };
        let length = |text: &str| Some(text.to_owned());
        assert_eq!(sent(stream("3"), false), (length("3"), Ok("abc".into())));
        assert_eq!(sent(stream("3"), true), (length("3"), Ok("".into())));
        assert_eq!(sent(stream("x"), false), (None, Ok("abc".into())));
        for false_length in ["2", "4"] {
            let (declared, text) = sent(stream(false_length), false);
            assert_eq!(declared, length(false_length));
            assert!(text.is_err(), "{false_length}");
        }
        // The length of the body that a handler of HEAD leaves out.
        let head = || Response::new(()).with_header("content-length", "9");
        assert_eq!(sent(head(), true), (length("9"), Ok("".into())));
        assert_eq!(sent(head(), false), (length("0"), Ok("".into())));
    }

    #[test]
    fn head_falls_back_to_get() {
        let get = [Verb::Get];
        assert_eq!(select(&get, Some(Verb::Head)), Some(Verb::Get));
        let both = [Verb::Get, Verb::Head];
        assert_eq!(select(&both, Some(Verb::Head)), Some(Verb::Head));
        assert_eq!(select(&[Verb::Post], Some(Verb::Head)), None);
        assert_eq!(select(&get, Verb::named("get")), None);
    }
}
