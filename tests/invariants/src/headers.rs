//! Headers that a handler reads and writes: `Accept`, `If-None-Match`, `Origin` and others.

mod accept;
mod conditional;

use waypost::cors::Cors;
use waypost::http::{HeaderValue, header};
use waypost::response::IntoHeaderValue;
use waypost::{Request, Response};

use crate::input::Fields;

/// Checks functions that read and write headers. Fields: the text of a header to write, then headers of a request.
pub fn headers(data: &[u8]) {
    let mut fields = Fields::of(data);
    let text = fields.text();
    let mut request = Request::get("/");
    for (name, value) in fields.headers() {
        request.headers_mut().append(name, value);
    }
    written(text);
    texts(&request);
    accept::accepts(&request);
    conditional::conditional(&request, text);
    origin(&request);
}

/// Checks that a text becomes one header line, or the response a 500.
fn written(text: &str) {
    let response = Response::new("").with_header("x-test", text);
    let Ok(value) = text.into_header_value() else {
        return assert_eq!(response.status(), 500, "{text:?}");
    };
    assert_eq!(response.headers()["x-test"], value);
    let bytes = value.as_bytes();
    let breaks = |byte: &u8| byte.is_ascii_control() && *byte != b'\t';
    assert!(!bytes.iter().any(breaks), "{text:?}");
    assert_eq!(bytes, bytes.trim_ascii());
    assert!(text.contains(str::from_utf8(bytes).unwrap()));
}

/// Checks that every header has a text, which contains all of its lines or the first.
fn texts(request: &Request) {
    let headers = request.headers();
    assert_eq!(request.header_texts().count(), headers.keys_len());
    for (name, text) in request.header_texts() {
        let lines: Vec<_> = headers.get_all(name).iter().map(latin1).collect();
        let joined = [", ", "; "].map(|separator| lines.join(separator));
        assert!(
            text == lines[0] || joined.iter().any(|joined| joined == text),
            "{name}"
        );
        assert_eq!(request.header(&name.to_ascii_uppercase()), Some(text));
    }
}

fn latin1(value: &HeaderValue) -> String {
    value.as_bytes().iter().copied().map(char::from).collect()
}

/// The origins that the handler allows.
const ORIGINS: [&str; 2] = ["https://a.example", "https://b.example"];

/// Checks that only a listed origin is allowed to read the response.
fn origin(request: &Request) {
    let cors = Cors::origins_with_credentials(ORIGINS).methods("PUT");
    for response in [
        cors.apply(request, Response::new("")),
        cors.preflight(request),
    ] {
        let headers = response.headers();
        assert!(headers.contains_key(header::VARY));
        let allowed = headers.get(header::ACCESS_CONTROL_ALLOW_ORIGIN);
        let asked = request
            .header("origin")
            .filter(|origin| ORIGINS.contains(origin));
        assert_eq!(allowed.map(|allowed| allowed.to_str().unwrap()), asked);
        let credentials = headers.contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS);
        assert_eq!(credentials, asked.is_some());
    }
}
