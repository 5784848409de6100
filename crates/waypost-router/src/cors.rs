//! Redirects that browsers follow for a page of another origin.
//!
//! A browser that sends a request for such a page checks the CORS headers of every response, a redirect's too, and
//! follows no redirect of a preflight (Fetch standard, sections 4.4 "HTTP-redirect fetch" and 4.8 "CORS-preflight
//! fetch"). The router redirects to the normal form of a path before any handler could add headers, so it adds them.
//!
//! That gives nothing away: a redirect says only what the client itself asked for, in another form. What the page may do
//! is decided by the handler, in its response to the preflight and to the request that follow the redirect.

use http::HeaderName;
use http::header::{
    ACCESS_CONTROL_REQUEST_HEADERS as REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD as REQUEST_METHOD, ORIGIN,
};

use crate::{Answer, Fields};

const ALLOW_ORIGIN: &str = "access-control-allow-origin";
const ALLOW_CREDENTIALS: &str = "access-control-allow-credentials";
const ALLOW_METHODS: &str = "access-control-allow-methods";
const ALLOW_HEADERS: &str = "access-control-allow-headers";

/// Returns whether a request is a CORS preflight.
pub(crate) fn is_preflight(method: &str, headers: &impl Fields) -> bool {
    method == "OPTIONS"
        && headers.text(&ORIGIN).is_some()
        && headers.text(&REQUEST_METHOD).is_some()
}

/// Returns a redirect as the page of another origin may follow it, or the response to a preflight for it: that allows the
/// request, which then gets the redirect.
pub(crate) fn across_origins(redirect: Answer, method: &str, headers: &impl Fields) -> Answer {
    let Some(origin) = visible(headers, &ORIGIN) else {
        return redirect;
    };
    let mut answer = match is_preflight(method, headers) {
        true => preflight(headers),
        false => redirect,
    };
    answer.headers.push((ALLOW_ORIGIN, origin));
    answer.headers.push((ALLOW_CREDENTIALS, "true".to_owned()));
    answer
}

fn preflight(headers: &impl Fields) -> Answer {
    let vary = "origin, access-control-request-method, access-control-request-headers";
    let mut answer = Answer {
        status: 204,
        headers: vec![("vary", vary.to_owned())],
        body: String::new(),
    };
    for (asked, allowed) in [
        (REQUEST_METHOD, ALLOW_METHODS),
        (REQUEST_HEADERS, ALLOW_HEADERS),
    ] {
        if let Some(value) = visible(headers, &asked) {
            answer.headers.push((allowed, value));
        }
    }
    answer
}

/// Returns the value of a header, or `None` if there is none or it has characters that do not belong there.
fn visible(headers: &impl Fields, name: &HeaderName) -> Option<String> {
    let value = headers.text(name)?;
    let is_visible = value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    is_visible.then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Headers, Router};

    fn answer(method: &str, headers: &[(&str, &str)]) -> Answer {
        let router = Router::parse("items GET,PUT /items").expect("the table is valid");
        let headers: Headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
            .collect();
        router
            .destination(method, "/items/?a", &headers)
            .cloned()
            .expect_err("it is answered")
    }

    #[test]
    fn a_page_of_another_origin_may_follow_the_redirect() {
        let answer = answer("PUT", &[("origin", "https://app.example")]);
        assert_eq!(answer.status, 308);
        for (name, value) in [
            ("location", "/items?a"),
            ("access-control-allow-origin", "https://app.example"),
            ("access-control-allow-credentials", "true"),
            ("vary", "origin"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{name}");
        }
    }

    #[test]
    fn a_preflight_is_not_redirected() {
        let asked = [
            ("origin", "https://app.example"),
            ("access-control-request-method", "PUT"),
            ("access-control-request-headers", "content-type,x-a"),
        ];
        let allowed = answer("OPTIONS", &asked);
        assert_eq!(allowed.status, 204);
        for (name, value) in [
            ("access-control-allow-origin", "https://app.example"),
            ("access-control-allow-credentials", "true"),
            ("access-control-allow-methods", "PUT"),
            ("access-control-allow-headers", "content-type,x-a"),
        ] {
            assert_eq!(allowed.header(name), Some(value), "{name}");
        }
        assert_eq!(answer("OPTIONS", &asked[..1]).status, 308);
        assert_eq!(answer("PUT", &asked).status, 308);
    }

    #[test]
    fn other_requests_get_the_bare_redirect() {
        for headers in [&[][..], &[("origin", "h\u{e9}")]] {
            let answer = answer("POST", headers);
            assert_eq!(answer.status, 308);
            assert_eq!(answer.header("access-control-allow-origin"), None);
        }
    }
}
