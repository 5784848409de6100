//! A route: its pattern and its methods, and how it answers a request.

use std::future::Future;

use http::StatusCode;
use waypost_routing::{Path, Pattern, Resolved};

use crate::after::Finish;
pub use crate::allow::Allow;
use crate::bound::Bound;
use crate::error::location_of;
use crate::head::Listed;
use crate::number::decimal;
use crate::sys::Incoming;
use crate::{Body, Exchange, Response, Signal};

/// A method that a route may implement.
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
    /// All of them, in the order of their names.
    pub(crate) const ALL: [Self; 7] = [
        Self::Delete,
        Self::Get,
        Self::Head,
        Self::Options,
        Self::Patch,
        Self::Post,
        Self::Put,
    ];

    /// Returns the name, as a request line has it.
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

    /// Finds a method by its name. Methods are case-sensitive (RFC 9110 section 9.1).
    #[cfg(not(all(target_arch = "wasm32", target_env = "p2")))]
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verb| verb.name() == name)
    }
}

/// What [`export!`](crate::export) makes of a route file.
pub trait Route {
    /// The methods that the file implements itself.
    const VERBS: &'static [Verb];

    /// The value of its `Allow` header.
    const ALLOW: &'static Allow = &Allow::of(Self::VERBS);

    /// Returns the pattern: the folder of the file below `handlers/`.
    fn pattern() -> &'static Pattern;

    /// Matches a path, and returns its params.
    fn matches(path: &Path) -> Option<Bound> {
        Self::pattern().matches(path).map(Bound::from)
    }

    /// Answers a request with the handler of `verb`, which is one of [`Route::VERBS`].
    fn call(verb: Verb, exchange: &mut Exchange) -> impl Future<Output = Response>;
}

/// The answer of a route as it goes out, and the work for when it is out.
pub struct Answer {
    /// The response, whose headers do not count any more.
    pub(crate) response: Response,
    pub(crate) headers: Listed,
    /// The work.
    pub(crate) after: Option<Box<dyn Finish>>,
}

/// Answers a request as the component of route `R` does.
///
/// The path is normalised and matched here too, though a router may have done so before: a handler
/// is complete without one, and finds its params in the path alone.
///
/// `signal` tells the handler that its client went away; it is up to the caller to know.
pub async fn answer<R: Route>(request: Incoming, signal: Signal) -> Answer {
    let verb = request.verb();
    let (response, after) = match resolve(&request.target(), R::matches) {
        Ok(params) => {
            let mut exchange = Exchange::new(request, params, signal);
            let response = match select(R::VERBS, verb) {
                Some(own) => R::call(own, &mut exchange).await,
                None => allowing(R::ALLOW, verb),
            };
            (with_cookies(response, &exchange), exchange.into_after())
        }
        Err(response) => (response.checked(), None),
    };
    framed(response, verb == Some(Verb::Head), after)
}

/// Matches the path of a target, and returns its params; or the response where there is no match.
fn resolve(target: &str, matches: impl FnOnce(&Path) -> Option<Bound>) -> Result<Bound, Response> {
    let (path, query) = parts(target);
    match Path::resolve(path) {
        Ok(Resolved::Path(path)) => matches(&path)
            .ok_or_else(|| Response::new("Not Found").with_code(StatusCode::NOT_FOUND)),
        Ok(Resolved::Redirect(path)) => Err(normalised(path, query)),
        Err(error) => Err(Response::new(error.as_str()).with_code(StatusCode::BAD_REQUEST)),
    }
}

/// Splits a target into its path and its query, as `http::Uri` does.
fn parts(target: &str) -> (&str, Option<&str>) {
    let (target, _) = split_at(target, b'#');
    let (path, query) = split_at(target, b'?');
    (if path.is_empty() { "/" } else { path }, query)
}

/// Splits a text at the first such byte, which is left out. By bytes, not by `str::split_once`: a handler is that much
/// smaller.
fn split_at(text: &str, mark: u8) -> (&str, Option<&str>) {
    let mark = text.bytes().position(|byte| byte == mark);
    let parts = mark.and_then(|at| Some((text.get(..at)?, text.get(at + 1..)?)));
    match parts {
        Some((before, behind)) => (before, Some(behind)),
        None => (text, None),
    }
}

/// Sends the client to the normal form of its path, with the query as it was.
fn normalised(mut path: String, query: Option<&str>) -> Response {
    if let Some(query) = query {
        path.push('?');
        path.push_str(query);
    }
    let location = location_of(&path);
    Response::new(path)
        .with_code(StatusCode::PERMANENT_REDIRECT)
        .with_line("location", location.into())
}

fn with_cookies(response: Response, exchange: &Exchange) -> Response {
    let mut response = response.checked();
    if let Some(cookies) = exchange.touched_cookies() {
        cookies.apply(response.head_mut());
    }
    response
}

/// Chooses the handler of a method: its own, or that of GET for HEAD (RFC 9110 section 9.3.2).
fn select(verbs: &[Verb], verb: Option<Verb>) -> Option<Verb> {
    let verb = verb?;
    if verbs.contains(&verb) {
        return Some(verb);
    }
    (verb == Verb::Head && verbs.contains(&Verb::Get)).then_some(Verb::Get)
}

/// Answers with the methods that there are (RFC 9110 section 10.2.1).
fn allowing(allow: &'static Allow, verb: Option<Verb>) -> Response {
    let status = match verb {
        Some(Verb::Options) => StatusCode::NO_CONTENT,
        _ => StatusCode::METHOD_NOT_ALLOWED,
    };
    let response = Response::new(Body::empty()).with_code(status);
    response.with_line("allow", allow.as_bytes().into())
}

/// Gives a body of known length its `Content-Length`. Of an answer to HEAD a stream is dropped; a fixed
/// body goes along, since hosts check its length, and it is the host that leaves it out.
fn framed(mut response: Response, is_head: bool, after: Option<Box<dyn Finish>>) -> Answer {
    let mut headers = response.head().list();
    let length = response.body().len();
    let without_length = matches!(response.status().as_u16(), 204 | 205 | 304);
    if let (Some(length), false) = (length, without_length) {
        headers.push(("content-length".to_owned(), decimal(length)));
    }
    if is_head && length.is_none() {
        response.empty();
    }
    Answer {
        response,
        headers,
        after,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_split_as_a_uri_is() {
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

    fn framed_answer(lines: &[(&'static str, &'static str)], body: &'static str) -> Answer {
        let mut response = Response::new(body.as_bytes());
        for (name, value) in lines {
            response.head_mut().append(*name, *value);
        }
        framed(response, false, None)
    }

    fn text(answer: &Answer) -> Vec<String> {
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
        let answer = framed_answer(&lines, "");
        let expected = [
            "x-a: 1, 2",
            "set-cookie: a",
            "set-cookie: b",
            "content-length: 0",
        ];
        assert_eq!(text(&answer), expected);
    }

    #[test]
    fn what_is_the_hosts_own_stays_behind() {
        let lines = [("connection", "close"), ("content-length", "9"), ("te", "")];
        assert_eq!(text(&framed_answer(&lines, "abc")), ["content-length: 3"]);
        let response = Response::new(()).with_status(StatusCode::NO_CONTENT);
        let answer = framed(response, false, None);
        assert!(answer.headers.is_empty());
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
