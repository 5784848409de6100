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
    let tag = opaque_tags(tag).next();
    let mut lines = headers.get_all(header::IF_NONE_MATCH).iter();
    lines.any(|line| {
        let line = line.as_bytes();
        line.trim_ascii() == b"*" || opaque_tags(line).any(|known| Some(known) == tag)
    })
}

/// Returns what stands between quotes in a list of entity tags (RFC 9110 section 8.8.3): anything but
/// a quote, commas included.
fn opaque_tags(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|byte| *byte == b'"').skip(1).step_by(2)
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
    fn a_tag_may_hold_commas() {
        let status = |known: &str| {
            let answer = Response::new("hello").with_header("etag", "\"a,b\"");
            answer.conditional(&get(known)).status().as_u16()
        };
        for (known, expected) in [
            ("\"x\", W/\"a,b\"", 304),
            ("\"a\", \"b\"", 200),
            ("\"x,*,y\"", 200),
            ("\"x, \"", 200),
        ] {
            assert_eq!(status(known), expected, "{known}");
        }
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
