//! Conditional requests: a 304 in place of a response that the client already has (RFC 9110 section 13).

use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, StatusCode};

use crate::{Request, Response};

/// The headers that describe the body, which a 304 does not have (RFC 9110 section 15.4.5). All others are kept: a
/// cache updates its stored response with them, and CORS and security headers apply to a 304 too.
const OF_THE_BODY: [header::HeaderName; 5] = [
    header::CONTENT_ENCODING,
    header::CONTENT_LANGUAGE,
    header::CONTENT_LENGTH,
    header::CONTENT_RANGE,
    header::CONTENT_TYPE,
];

impl Response {
    /// Adds an `ETag` computed from the body, unless the response has one, and returns a 304 if the client's
    /// `If-None-Match` lists it.
    ///
    /// Only a 200 to GET or HEAD is changed, and only a body in memory gets an `ETag`.
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

    fn not_modified(mut self) -> Self {
        for name in &OF_THE_BODY {
            self.headers_mut().remove(name);
        }
        self.empty();
        self.with_status(StatusCode::NOT_MODIFIED)
    }
}

/// Returns whether `If-None-Match` lists the tag, by weak comparison (RFC 9110 section 13.1.2).
fn none_match(headers: &HeaderMap, tag: &[u8]) -> bool {
    let tag = opaque_tags(tag).next();
    let mut lines = headers.get_all(header::IF_NONE_MATCH).iter();
    lines.any(|line| {
        let line = line.as_bytes();
        line.trim_ascii() == b"*" || opaque_tags(line).any(|known| Some(known) == tag)
    })
}

/// Returns the text between the quotes of each entity tag in a list (RFC 9110 section 8.8.3). It may contain commas.
fn opaque_tags(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|byte| *byte == b'"').skip(1).step_by(2)
}

/// Hashes with 64-bit FNV-1a: little code, and the same result on every target and in every version.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Body;

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
            assert!(again.body().is_empty() && !again.headers().contains_key("content-type"));
            assert_eq!(again.headers()["etag"], *tag);
            assert_eq!(again.headers()["vary"], "b");
        }
        assert_eq!(answer().conditional(&get("\"x\"")).status(), 200);
    }

    #[test]
    fn a_304_keeps_the_headers_that_do_not_describe_the_body() {
        let kept = [
            ("access-control-allow-origin", "https://a.example"),
            ("content-security-policy", "default-src 'self'"),
            ("last-modified", "Thu, 01 Jan 1970 00:00:00 GMT"),
            ("strict-transport-security", "max-age=60"),
        ];
        let mut answer = Response::new("hello").with_header("content-language", "en");
        for (name, value) in kept {
            answer = answer.with_header(name, value);
        }
        let again = answer.conditional(&get("*"));
        for (name, value) in kept {
            assert_eq!(again.headers()[name], value);
        }
        assert!(!again.headers().contains_key("content-language"));
    }

    #[test]
    fn a_304_sets_the_cookies_of_the_answer() {
        let answer = Response::new("hello").with_cookie(("a", "1"));
        let again = http::Response::from(answer.conditional(&get("*")));
        assert_eq!(again.status(), 304);
        assert_eq!(again.headers()["set-cookie"], "a=1; Path=/");
    }

    #[test]
    fn a_tag_may_contain_commas() {
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
    fn everything_else_is_unchanged() {
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
