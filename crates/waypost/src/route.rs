//! A route: its pattern and its methods, and how it answers a request.

use std::future::Future;

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use waypost_routing::{Path, Pattern, Resolved};

use crate::error::location_of;
use crate::sys::Incoming;
use crate::{After, Body, Exchange, IntoResponse, Response, Signal};

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
    const ALL: [Self; 7] = [
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

    /// Methods are case-sensitive (RFC 9110 section 9.1).
    fn of(method: &Method) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|verb| verb.name() == method.as_str())
    }
}

/// What [`export!`](crate::export) makes of a route file.
pub trait Route {
    /// The methods that the file implements itself.
    const VERBS: &'static [Verb];

    /// Returns the pattern: the folder of the file below `handlers/`.
    fn pattern() -> &'static Pattern;

    /// Answers a request with the handler of `verb`, which is one of [`Route::VERBS`].
    fn call(verb: Verb, exchange: &mut Exchange) -> impl Future<Output = Response>;
}

/// The answer of a route: the response, and the work for when it is out.
pub struct Answer {
    /// The response.
    pub response: http::Response<Body>,
    /// The work.
    pub after: After,
}

/// Answers a request as the component of route `R` does.
///
/// The path is normalised and matched here too, though a router may have done so before: a handler
/// is complete without one, and finds its params in the path alone.
///
/// `signal` tells the handler that its client went away; it is up to the caller to know.
pub async fn answer<R: Route>(request: Incoming, signal: Signal) -> Answer {
    let method = request.method();
    let target = request.target();
    let (path, query) = parts(&target);
    let mut after = After::default();
    let response = match Path::resolve(path) {
        Ok(Resolved::Path(path)) => match R::pattern().matches(&path) {
            Some(params) => {
                let exchange = Exchange::new(request, params, signal);
                after = exchange.after();
                dispatch::<R>(&method, exchange).await
            }
            None => Response::new("Not Found").with_status(StatusCode::NOT_FOUND),
        },
        Ok(Resolved::Redirect(path)) => normalised(path, query),
        Err(error) => Response::new(error.to_string()).with_status(StatusCode::BAD_REQUEST),
    };
    Answer {
        response: framed(response.into(), method == Method::HEAD),
        after,
    }
}

/// Splits a target into its path and its query, as `http::Uri` does.
fn parts(target: &str) -> (&str, Option<&str>) {
    let target = target.split('#').next().unwrap_or_default();
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    (if path.is_empty() { "/" } else { path }, query)
}

/// Sends the client to the normal form of its path, with the query as it was.
fn normalised(mut path: String, query: Option<&str>) -> Response {
    if let Some(query) = query {
        path.push('?');
        path.push_str(query);
    }
    let location = location_of(&path);
    Response::new(path)
        .with_status(StatusCode::PERMANENT_REDIRECT)
        .with_header(header::LOCATION, location)
}

async fn dispatch<R: Route>(method: &Method, mut exchange: Exchange) -> Response {
    let response = match select(R::VERBS, method) {
        Some(verb) => R::call(verb, &mut exchange).await,
        None if *method == Method::OPTIONS => allowing(R::VERBS, StatusCode::NO_CONTENT),
        None => allowing(R::VERBS, StatusCode::METHOD_NOT_ALLOWED),
    };
    let mut response = response.checked();
    if let Some(cookies) = exchange.touched_cookies() {
        cookies.apply(response.headers_mut());
    }
    response
}

/// Chooses the handler of a method: its own, or that of GET for HEAD (RFC 9110 section 9.3.2).
fn select(verbs: &[Verb], method: &Method) -> Option<Verb> {
    let verb = Verb::of(method)?;
    if verbs.contains(&verb) {
        return Some(verb);
    }
    (verb == Verb::Head && verbs.contains(&Verb::Get)).then_some(Verb::Get)
}

/// Answers with the methods that there are (RFC 9110 section 10.2.1): those that the route
/// implements, HEAD where GET is, and OPTIONS.
fn allowing(verbs: &[Verb], status: StatusCode) -> Response {
    let implied = |verb| match verb {
        Verb::Options => true,
        Verb::Head => verbs.contains(&Verb::Get),
        _ => false,
    };
    let allowed = Verb::ALL
        .into_iter()
        .filter(|verb| verbs.contains(verb) || implied(*verb));
    let names: Vec<_> = allowed.map(Verb::name).collect();
    status
        .into_response()
        .with_header(header::ALLOW, names.join(", "))
}

/// Headers that belong to the connection (RFC 9110 section 7.6.1): the host's, not a handler's.
const OF_THE_CONNECTION: [HeaderName; 6] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Gives a body of known length its `Content-Length`. Of an answer to HEAD a stream is dropped; a fixed
/// body goes along, since hosts check its length, and it is the host that leaves it out.
fn framed(mut response: http::Response<Body>, head: bool) -> http::Response<Body> {
    for name in &OF_THE_CONNECTION {
        response.headers_mut().remove(name);
    }
    join_lines(response.headers_mut());
    let status = response.status().as_u16();
    if let (Some(length), false) = (response.body().len(), matches!(status, 204 | 205 | 304)) {
        response
            .headers_mut()
            .insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    } else {
        response.headers_mut().remove(header::CONTENT_LENGTH);
    }
    if head && response.body().len().is_none() {
        *response.body_mut() = Body::empty();
    }
    response
}

/// Joins the lines of a header to one, as the Fetch standard reads them; those of `Set-Cookie` can't be.
fn join_lines(headers: &mut HeaderMap) {
    if headers.len() == headers.keys_len() {
        return;
    }
    for name in headers.keys().cloned().collect::<Vec<_>>() {
        let lines: Vec<_> = headers
            .get_all(&name)
            .iter()
            .map(HeaderValue::as_bytes)
            .collect();
        if name == header::SET_COOKIE || lines.len() < 2 {
            continue;
        }
        if let Ok(joined) = HeaderValue::from_bytes(&lines.join(&b", "[..])) {
            headers.insert(name, joined);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allow_is_sorted_and_complete() {
        let allow = |verbs: &[Verb]| {
            allowing(verbs, StatusCode::NO_CONTENT).headers()["allow"]
                .to_str()
                .unwrap()
                .to_owned()
        };
        assert_eq!(allow(&[Verb::Post, Verb::Get]), "GET, HEAD, OPTIONS, POST");
        assert_eq!(allow(&[Verb::Put, Verb::Delete]), "DELETE, OPTIONS, PUT");
        assert_eq!(allow(&[]), "OPTIONS");
    }

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

    #[test]
    fn lines_of_a_header_are_joined() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("x-a", "1"),
            ("x-a", "2"),
            ("set-cookie", "a"),
            ("set-cookie", "b"),
        ] {
            headers.append(name, HeaderValue::from_static(value));
        }
        join_lines(&mut headers);
        assert_eq!(headers["x-a"], "1, 2");
        assert_eq!(headers.get_all("set-cookie").iter().count(), 2);
    }

    #[test]
    fn head_falls_back_to_get() {
        assert_eq!(select(&[Verb::Get], &Method::HEAD), Some(Verb::Get));
        assert_eq!(
            select(&[Verb::Get, Verb::Head], &Method::HEAD),
            Some(Verb::Head)
        );
        assert_eq!(select(&[Verb::Post], &Method::HEAD), None);
        assert_eq!(
            select(&[Verb::Get], &Method::from_bytes(b"get").unwrap()),
            None
        );
    }
}
