//! Redirects of a handler: `Location` is a valid header and leads to the requested location.

use waypost::http::{StatusCode, header};
use waypost::response::IntoResponse;
use waypost::url::{ParseError, Url};
use waypost::{Response, permanent_redirect, redirect};

use crate::input::Fields;

/// Checks `redirect`, `permanent_redirect` and `Response::redirect`. Fields: the location.
pub fn location(data: &[u8]) {
    let location = Fields::of(data).text();
    for (error, status) in [
        (redirect(location), StatusCode::TEMPORARY_REDIRECT),
        (permanent_redirect(location), StatusCode::PERMANENT_REDIRECT),
    ] {
        let refused = location.chars().any(|c| c.is_ascii_control()) || location.trim() == "";
        match error.status() {
            StatusCode::INTERNAL_SERVER_ERROR => assert!(refused, "{location:?}"),
            found => {
                assert_eq!(found, status);
                assert_leads_to(base().join(location), &error.into_response());
            }
        }
    }
    absolute(location);
}

fn absolute(location: &str) {
    match Response::redirect(location, 303) {
        Ok(response) => {
            assert_eq!(response.status(), StatusCode::SEE_OTHER);
            assert_leads_to(Url::parse(location), &response);
        }
        Err(_) => assert!(Url::parse(location).is_err(), "{location:?}"),
    }
}

/// Checks that `Location` leads a client to the same URL as the original text.
fn assert_leads_to(expected: Result<Url, ParseError>, response: &Response) {
    let sent = response.headers()[header::LOCATION].to_str().unwrap();
    assert!(
        sent.bytes().all(|byte| matches!(byte, b' '..=b'~')),
        "{sent:?}"
    );
    assert_eq!(sent, sent.trim());
    assert_eq!(base().join(sent), expected, "{sent:?}");
}

/// Returns the URL of the redirected request.
fn base() -> Url {
    Url::parse("http://public.example/folder/page?query").unwrap()
}
