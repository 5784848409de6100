//! An incoming request of the host, from which only the parts that a handler needs are read.

use http::header::{HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, Uri};
use wasip3::http::types::{self, Request, Scheme};
use wasip3::http_compat::{IncomingRequestBody, RequestOptionsExtension};

use crate::Body;
use crate::run::marks::Marks;
use crate::run::origin::X_REQUEST_ID;
use crate::run::route::Verb;

/// An incoming request.
pub struct Incoming(Request);

impl Incoming {
    pub(super) fn new(request: Request) -> Self {
        Self(request)
    }

    /// Returns the method, or `None` if no route can implement it.
    pub(crate) fn verb(&self) -> Option<Verb> {
        Some(match self.0.get_method() {
            types::Method::Get => Verb::Get,
            types::Method::Head => Verb::Head,
            types::Method::Post => Verb::Post,
            types::Method::Put => Verb::Put,
            types::Method::Delete => Verb::Delete,
            types::Method::Options => Verb::Options,
            types::Method::Patch => Verb::Patch,
            types::Method::Connect | types::Method::Trace | types::Method::Other(_) => return None,
        })
    }

    fn method(&self) -> Method {
        // Hosts pass only valid methods. An invalid one is treated as one that no handler can implement.
        self.0.get_method().try_into().unwrap_or(Method::TRACE)
    }

    /// Returns the path with the query.
    pub(crate) fn target(&self) -> String {
        self.0.get_path_with_query().unwrap_or_default()
    }

    /// Returns the value of `x-request-id`, or `None` if there is none.
    pub(crate) fn request_id(&self) -> Option<Vec<u8>> {
        // `get` would be one more import, which makes every component larger.
        let headers = self.0.get_headers().copy_all();
        let id = headers.into_iter().find(|(name, _)| name == X_REQUEST_ID);
        id.map(|(_, id)| id)
    }

    /// Reads the head, without internal headers. Anything that a host should have refused, such as an invalid header, is
    /// left out.
    pub(crate) fn head(&mut self, marks: &mut Marks) -> Parts {
        let mut head = http::Request::new(()).into_parts().0;
        head.method = self.method();
        head.uri = self.uri();
        if let Some(options) = self.0.get_options() {
            head.extensions.insert(RequestOptionsExtension(options));
        }
        for (name, value) in self.0.get_headers().copy_all() {
            if marks.read(&name, &value) {
                continue;
            }
            let name = HeaderName::from_bytes(name.as_bytes());
            if let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(value)) {
                // It fails only above 32,768 headers.
                let _ = head.headers.try_append(name, value);
            }
        }
        head
    }

    /// Converts into the body.
    pub(crate) fn into_body(self) -> Body {
        match IncomingRequestBody::new(self.0) {
            Ok(body) => Body::from_http_body(body),
            Err(code) => Body::from_iter([Err::<&str, _>(code)]),
        }
    }

    fn uri(&self) -> Uri {
        let mut uri = Uri::builder().path_and_query(self.target());
        if let Some(authority) = self.0.get_authority() {
            uri = match self.0.get_scheme() {
                Some(Scheme::Http) | None => uri.scheme("http"),
                Some(Scheme::Https) => uri.scheme("https"),
                Some(Scheme::Other(scheme)) => uri.scheme(scheme.as_str()),
            };
            uri = uri.authority(authority);
        }
        uri.build().unwrap_or_default()
    }
}
