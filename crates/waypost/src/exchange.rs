//! A request while it is being answered: what extractors draw from.

use std::sync::Arc;

use http::request::Parts;
use http::{HeaderMap, HeaderValue, header};

use crate::cookies::Cookies;
use crate::request::is_inside;
use crate::{After, Body, Request, Signal};

/// A request while it is being answered. Each argument of a handler is made from it, from left to
/// right, through [`FromRequest`](crate::FromRequest).
pub struct Exchange {
    head: Arc<Parts>,
    body: Body,
    params: waypost_routing::Params,
    cookies: Option<Cookies>,
    after: After,
    signal: Signal,
}

impl Exchange {
    pub(crate) fn new(
        request: http::Request<Body>,
        params: waypost_routing::Params,
        signal: Signal,
    ) -> Self {
        let (mut head, body) = request.into_parts();
        tell_host(&mut head);
        Self {
            head: Arc::new(head),
            body,
            params,
            cookies: None,
            after: After::default(),
            signal,
        }
    }

    /// Returns the method, target and headers of the request.
    pub fn head(&self) -> &Parts {
        &self.head
    }

    /// Returns the headers of the request.
    pub fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// Returns the cookies: what is set on them goes into the response.
    pub fn cookies(&mut self) -> Cookies {
        self.cookies
            .get_or_insert_with(|| Cookies::of(&self.head.headers))
            .clone()
    }

    /// Returns what takes work for when the response is out.
    pub fn after(&self) -> After {
        self.after.clone()
    }

    /// Returns what tells whether the client is still there.
    pub fn signal(&self) -> Signal {
        self.signal.clone()
    }

    /// Returns the request. Its body can be taken once, by this or by an extractor that reads it.
    pub fn request(&mut self) -> Request {
        let cookies = self.cookies();
        Request::new(self.head.clone(), self.body.claim()).with_jar(cookies)
    }

    pub(crate) fn params(&self) -> &waypost_routing::Params {
        &self.params
    }

    /// Returns the cookies if anything asked for them.
    pub(crate) fn touched_cookies(&self) -> Option<&Cookies> {
        self.cookies.as_ref()
    }
}

/// Puts `Host` back to what the client sent: behind the router it is in `X-Forwarded-Host`, else in the authority of
/// the request where the host, as Wasmtime does, tells it there alone.
fn tell_host(head: &mut Parts) {
    let host = match is_inside(&head.uri) {
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

    fn told(uri: &str, headers: &[(&str, &str)]) -> Option<String> {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut head = request.body(()).unwrap().into_parts().0;
        tell_host(&mut head);
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
            assert_eq!(told(uri, headers).as_deref(), host, "{uri} {headers:?}");
        }
    }
}
