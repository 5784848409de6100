//! Cross-origin requests: which other origins may read a response.

use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};

use crate::response::IntoResponse;
use crate::{Body, Request, Response, Result};

/// A policy for cross-origin requests ([Fetch standard, CORS
/// protocol](https://fetch.spec.whatwg.org/#http-cors-protocol)).
///
/// Pass every reply through [`Cors::apply`] or [`Cors::wrap`], and answer OPTIONS with [`Cors::preflight`]. With a
/// list of origins, the response names the one origin that asked, and has `Vary: origin`.
///
/// # Examples
///
/// ```
/// use waypost::{Request, Response, cors::Cors};
///
/// fn cors() -> Cors {
///     Cors::origins(["https://app.example"]).methods("GET, POST").headers("content-type").max_age(86_400)
/// }
///
/// async fn get(req: Request) -> Response {
///     cors().apply(&req, Response::new("hello"))
/// }
///
/// async fn options(req: Request) -> Response {
///     cors().preflight(&req)
/// }
/// # waypost::export!("/cors": get, options);
/// # fn main() {}
/// ```
#[derive(Clone, Debug)]
pub struct Cors {
    origins: Origins,
    methods: Option<String>,
    headers: Option<String>,
    exposed: Option<String>,
    max_age: Option<u32>,
}

#[derive(Clone, Debug)]
enum Origins {
    Any,
    HeaderList {
        origins: Vec<String>,
        credentials: bool,
    },
}

impl Cors {
    /// Allows every origin, without credentials.
    pub fn any() -> Self {
        Self::of(Origins::Any)
    }

    /// Allows these origins, such as `https://app.example`, without credentials.
    pub fn origins<O: Into<String>>(origins: impl IntoIterator<Item = O>) -> Self {
        let origins = origins.into_iter().map(Into::into).collect();
        Self::of(Origins::HeaderList {
            origins,
            credentials: false,
        })
    }

    /// Allows these origins, with cookies and other credentials.
    ///
    /// There is no such method for every origin: it would let any page act for the user.
    pub fn origins_with_credentials<O: Into<String>>(origins: impl IntoIterator<Item = O>) -> Self {
        let origins = origins.into_iter().map(Into::into).collect();
        Self::of(Origins::HeaderList {
            origins,
            credentials: true,
        })
    }

    fn of(origins: Origins) -> Self {
        Self {
            origins,
            methods: None,
            headers: None,
            exposed: None,
            max_age: None,
        }
    }

    /// Sets the methods that a preflight allows, such as `PUT, DELETE`. GET, HEAD and POST are always allowed.
    #[must_use]
    pub fn methods(mut self, methods: impl Into<String>) -> Self {
        self.methods = Some(methods.into());
        self
    }

    /// Sets the request headers that a preflight allows, such as `content-type, authorization`.
    #[must_use]
    pub fn headers(mut self, headers: impl Into<String>) -> Self {
        self.headers = Some(headers.into());
        self
    }

    /// Sets the response headers that scripts may read.
    #[must_use]
    pub fn expose(mut self, headers: impl Into<String>) -> Self {
        self.exposed = Some(headers.into());
        self
    }

    /// Sets for how many seconds a client may cache the response to a preflight.
    #[must_use]
    pub fn max_age(mut self, seconds: u32) -> Self {
        self.max_age = Some(seconds);
        self
    }

    /// Adds the CORS headers to a reply. Errors get them too, so that a page can read what was wrong.
    pub fn apply(&self, request: &Request, reply: impl IntoResponse) -> Response {
        // An invalid response becomes a 500 here. Later, that 500 would lack the headers.
        let mut response = reply.into_response().replaced_if_invalid();
        self.allow_origin(request, response.headers_mut());
        set(
            response.headers_mut(),
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            self.exposed.as_deref(),
        );
        response
    }

    /// Awaits a reply and adds the CORS headers to it, also if `?` ended it early.
    ///
    /// # Examples
    ///
    /// ```
    /// use waypost::{Request, Response, cors::Cors};
    ///
    /// async fn post(req: Request) -> Response {
    ///     let reply = async {
    ///         let names: Vec<String> = req.json().await?; // A 400 that a page can read.
    ///         Ok(format!("{} names", names.len()))
    ///     };
    ///     Cors::any().wrap(&req, reply).await
    /// }
    /// # let sent = waypost::test::block_on(post(Request::post("/", "no JSON")));
    /// # assert_eq!(sent.status(), 400);
    /// # assert_eq!(sent.headers()["access-control-allow-origin"], "*");
    /// ```
    pub async fn wrap<T: IntoResponse>(
        &self,
        request: &Request,
        reply: impl Future<Output = Result<T>>,
    ) -> Response {
        self.apply(request, reply.await)
    }

    /// Returns the response to a preflight: an empty 204.
    pub fn preflight(&self, request: &Request) -> Response {
        let mut response = Response::new(Body::empty()).with_status(StatusCode::NO_CONTENT);
        let headers = response.headers_mut();
        if self.allow_origin(request, headers) {
            set(
                headers,
                header::ACCESS_CONTROL_ALLOW_METHODS,
                self.methods.as_deref(),
            );
            set(
                headers,
                header::ACCESS_CONTROL_ALLOW_HEADERS,
                self.headers.as_deref(),
            );
            let max_age = self.max_age.map(|seconds| seconds.to_string());
            set(headers, header::ACCESS_CONTROL_MAX_AGE, max_age.as_deref());
        }
        response
    }

    /// Sets the allowed origin, and returns whether the origin that asked is allowed.
    fn allow_origin(&self, request: &Request, headers: &mut HeaderMap) -> bool {
        let (origins, credentials) = match &self.origins {
            Origins::Any => {
                set(headers, header::ACCESS_CONTROL_ALLOW_ORIGIN, Some("*"));
                return true;
            }
            Origins::HeaderList {
                origins,
                credentials,
            } => (origins, *credentials),
        };
        headers.append(header::VARY, HeaderValue::from_static("origin"));
        let origin = request.header(header::ORIGIN.as_str());
        let Some(origin) = origin.filter(|origin| origins.iter().any(|known| known == origin))
        else {
            return false;
        };
        set(headers, header::ACCESS_CONTROL_ALLOW_ORIGIN, Some(origin));
        let credentials = credentials.then_some("true");
        set(
            headers,
            header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
            credentials,
        );
        true
    }
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: Option<&str>) {
    if let Some(Ok(value)) = value.map(HeaderValue::from_str) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(origin: &str) -> Request {
        Request::get("/").with_header("origin", origin)
    }

    fn header<'r>(response: &'r Response, name: &str) -> Option<&'r str> {
        response
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap())
    }

    #[test]
    fn a_listed_origin_is_named_and_others_are_not() {
        let cors = Cors::origins_with_credentials(["https://a.example", "https://b.example"]);
        let reply = cors.apply(&asks("https://b.example"), Response::new(""));
        assert_eq!(
            header(&reply, "access-control-allow-origin"),
            Some("https://b.example")
        );
        assert_eq!(
            header(&reply, "access-control-allow-credentials"),
            Some("true")
        );
        assert_eq!(header(&reply, "vary"), Some("origin"));
        for other in ["https://evil.example", "https://a.example.evil", "null"] {
            let reply = cors.apply(&asks(other), Response::new(""));
            assert_eq!(header(&reply, "access-control-allow-origin"), None);
            assert_eq!(header(&reply, "vary"), Some("origin"));
        }
    }

    #[test]
    fn errors_have_the_headers_too() {
        let cors = Cors::origins(["https://a.example"]);
        let request = asks("https://a.example");
        let failed: Result<&str> = Err(crate::Error::new(409, "taken"));
        let faulty = Response::new("").with_header("x", "\0");
        let redirect: Result<()> = Err(crate::redirect("/"));
        for (reply, status) in [
            (cors.apply(&request, failed), 409),
            (cors.apply(&request, faulty), 500),
            (cors.apply(&request, redirect), 307),
            (cors.apply(&request, "fine"), 200),
        ] {
            assert_eq!(reply.status(), status);
            assert_eq!(
                header(&reply, "access-control-allow-origin"),
                Some("https://a.example")
            );
        }
    }

    #[test]
    fn a_preflight() {
        let cors = Cors::any().methods("PUT").headers("x-a").max_age(60);
        let reply = cors.preflight(&asks("https://a.example"));
        assert_eq!(reply.status(), 204);
        assert_eq!(header(&reply, "access-control-allow-origin"), Some("*"));
        assert_eq!(header(&reply, "access-control-allow-methods"), Some("PUT"));
        assert_eq!(header(&reply, "access-control-allow-headers"), Some("x-a"));
        assert_eq!(header(&reply, "access-control-max-age"), Some("60"));
        let listed = Cors::origins(["https://a.example"]).methods("PUT");
        let refused = listed.preflight(&asks("https://b.example"));
        assert_eq!(header(&refused, "access-control-allow-methods"), None);
    }
}
