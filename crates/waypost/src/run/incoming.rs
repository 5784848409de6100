//! An incoming request of the crate `http`, for tests and for WASI 0.2.
//!
//! The head and the body are read only when a handler asks for them, so a component contains the code for reading
//! them only if its handler does. WASI 0.3 has an implementation of its own (`sys/p3/incoming.rs`), which leaves both
//! with the host until then.

use http::request::Parts;
use http::uri::PathAndQuery;
use waypost_cache::internal::X_WAYPOST_FILL;
use waypost_cache::revalidation::X_WAYPOST_REVALIDATE;

use crate::Body;
use crate::run::marks::Marks;
use crate::run::origin::X_REQUEST_ID;
use crate::run::route::Verb;

/// An incoming request.
pub struct Incoming {
    /// `None` once it was taken.
    head: Option<Box<Parts>>,
    body: Body,
}

impl Incoming {
    /// Returns the method, or `None` if no route can implement it or the head was taken.
    pub(crate) fn verb(&self) -> Option<Verb> {
        Verb::named(self.head.as_ref()?.method.as_str())
    }

    /// Returns the path with the query. Called before the head is taken.
    pub(crate) fn target(&self) -> String {
        let uri = self.head.as_ref().map(|head| &head.uri);
        let target = uri.and_then(|uri| uri.path_and_query());
        target.map_or("/", PathAndQuery::as_str).to_owned()
    }

    /// Returns the value of `x-request-id`, or `None` if there is none or the head was taken.
    pub(crate) fn request_id(&self) -> Option<Vec<u8>> {
        let id = self.head.as_ref()?.headers.get(X_REQUEST_ID)?;
        Some(id.as_bytes().to_vec())
    }

    /// Takes the head, without internal headers.
    pub(crate) fn head(&mut self, marks: &mut Marks) -> Parts {
        let empty = || http::Request::new(()).into_parts().0;
        let mut head = self.head.take().map_or_else(empty, |head| *head);
        for name in [X_WAYPOST_FILL, X_WAYPOST_REVALIDATE] {
            if let Some(value) = head.headers.remove(name) {
                marks.read(name, value.as_bytes());
            }
        }
        head
    }

    /// Takes the body.
    pub(crate) fn into_body(self) -> Body {
        self.body
    }
}

impl From<http::Request<Body>> for Incoming {
    fn from(request: http::Request<Body>) -> Self {
        let (head, body) = request.into_parts();
        let head = Some(Box::new(head));
        Self { head, body }
    }
}
