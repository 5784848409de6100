//! Conditional requests: an answer that the client has already is a 304 (RFC 9110 section 13).

use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, StatusCode};

use crate::{Body, Request, Response};

/// The headers that a 304 carries (RFC 9110 section 15.4.5).
const OF_A_304: [header::HeaderName; 6] = [
    header::CACHE_CONTROL,
    header::CONTENT_LOCATION,
    header::ETAG,
    header::EXPIRES,
    header::SET_COOKIE,
    header::VARY,
];

impl Response {
    /// Gives the response an `ETag` made of its body, unless it has one, and answers with a 304 where
    /// the client's `If-None-Match` names it.
    ///
    /// Only a 200 to GET or HEAD with a body of known length is looked at; everything else is returned as it is.
    ///
    /// # Examples
    ///
    /// ```
    /// use waypost::{Request, Response};
    ///
    /// async fn get(req: Request) -> Response {
    ///     Response::new("seldom changes").conditional(&req)
    /// }
    /// ```
    #[must_use]
    pub fn conditional(self, request: &Request) -> Self {
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        if !reads || self.status() != StatusCode::OK {
            return self;
        }
        let tagged = self.tagged();
        let tag = tagged
            .headers()
            .get(header::ETAG)
            .map(HeaderValue::as_bytes);
        match tag.is_some_and(|tag| none_match(request.headers(), tag)) {
            true => tagged.not_modified(),
            false => tagged,
        }
    }

    fn tagged(self) -> Self {
        match self.body().content() {
            Some(content) if !self.headers().contains_key(header::ETAG) => {
                let tag = format!("\"{:016x}\"", fnv1a(content));
                self.with_header(header::ETAG, tag)
            }
            _ => self,
        }
    }

    fn not_modified(self) -> Self {
        let mut response = Self::new(Body::empty()).with_status(StatusCode::NOT_MODIFIED);
        response.share_cookies(&self);
        for name in &OF_A_304 {
            for value in self.headers().get_all(name) {
                response.headers_mut().append(name, value.clone());
            }
        }
        response
    }
}

/// Tells whether `If-None-Match` names the tag, compared weakly (RFC 9110 section 13.1.2).
fn none_match(headers: &HeaderMap, tag: &[u8]) -> bool {
    let strong = |tag: &[u8]| tag.strip_prefix(b"W/").unwrap_or(tag).to_vec();
    let tags = headers.get_all(header::IF_NONE_MATCH).iter();
    tags.flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .any(|known| known == b"*" || strong(known) == strong(tag))
}

/// FNV-1a with 64 bits: small, and the same on every target and in every version.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(if_none_match: &str) -> Request {
        Request::get("/").with_header("if-none-match", if_none_match)
    }

    #[test]
    fn a_known_answer_is_a_304() {
        let answer = || {
            Response::new("hello")
                .with_header("x-a", "1")
                .with_header("vary", "b")
        };
        let first = answer().conditional(&Request::get("/"));
        assert_eq!(first.status(), 200);
        let tag = first.headers()["etag"].to_str().unwrap().to_owned();
        for known in [tag.clone(), format!("\"x\", W/{tag}"), "*".to_owned()] {
            let again = answer().conditional(&get(&known));
            assert_eq!(again.status(), 304, "{known}");
            assert!(again.body().is_empty() && !again.headers().contains_key("x-a"));
            assert_eq!(again.headers()["etag"], *tag);
            assert_eq!(again.headers()["vary"], "b");
        }
        assert_eq!(answer().conditional(&get("\"x\"")).status(), 200);
    }

    #[test]
    fn a_304_sets_the_cookies_of_the_answer() {
        let answer = Response::new("hello").with_cookie(("a", "1"));
        let again = http::Response::from(answer.conditional(&get("*")));
        assert_eq!(again.status(), 304);
        assert_eq!(again.headers()["set-cookie"], "a=1; Path=/");
    }

    #[test]
    fn everything_else_stays() {
        let post = Request::post("/", "").with_header("if-none-match", "*");
        assert_eq!(Response::new("a").conditional(&post).status(), 200);
        let missing = Response::new("a").with_status(404).conditional(&get("*"));
        assert_eq!(missing.status(), 404);
        let stream = Response::new(Body::from_iter(["a"])).conditional(&get("*"));
        assert_eq!(
            (stream.status().as_u16(), stream.headers().get("etag")),
            (200, None)
        );
    }
}
