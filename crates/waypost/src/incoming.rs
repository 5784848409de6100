//! A request as it comes in, from the crate `http`: a test's, and that of WASI 0.2.
//!
//! An exchange takes from it what its handler asks for, and nothing before: the code that reads headers
//! or the body is in a component only where its handler wants them. WASI 0.3 has one of its own
//! (`sys/p3/incoming.rs`), which leaves them with the host until then.

use http::request::Parts;
use http::uri::PathAndQuery;

use crate::Body;
use crate::route::Verb;

/// A request as it comes in.
pub struct Incoming {
    /// Gone once it is taken.
    head: Option<Box<Parts>>,
    body: Body,
}

impl Incoming {
    /// Returns the method, before the head is taken; `None` where it is one that no route has.
    pub(crate) fn verb(&self) -> Option<Verb> {
        Verb::named(self.head.as_ref()?.method.as_str())
    }

    /// Returns the path with the query, before the head is taken.
    pub(crate) fn target(&self) -> String {
        let uri = self.head.as_ref().map(|head| &head.uri);
        let target = uri.and_then(|uri| uri.path_and_query());
        target.map_or("/", PathAndQuery::as_str).to_owned()
    }

    /// Takes the head.
    pub(crate) fn head(&mut self) -> Parts {
        let empty = || http::Request::new(()).into_parts().0;
        self.head.take().map_or_else(empty, |head| *head)
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
