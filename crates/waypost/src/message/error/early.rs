//! Functions that end a handler early: redirects, [`not_found`], [`forbidden`], [`unauthorized`].

use http::StatusCode;

use super::Error;
use crate::{Body, Response};

/// Ends the handler with a 307 to `location`, which keeps the method and the body.
///
/// Like Next's [`redirect`](https://nextjs.org/docs/app/api-reference/functions/redirect), except that the status
/// never depends on the request. The location may be relative, and is not checked: never pass on text from a client
/// unchecked. Characters outside ASCII are percent-encoded.
///
/// # Examples
///
/// ```
/// use waypost::{Request, Result, redirect};
///
/// async fn get(_req: Request) -> Result {
///     Err(redirect("https://example.com/"))
/// }
/// ```
pub fn redirect(location: impl AsRef<str>) -> Error {
    redirect_with(StatusCode::TEMPORARY_REDIRECT, location.as_ref())
}

/// Ends the handler with a 308 to `location`: a redirect that caches and search engines may remember. Otherwise like
/// [`redirect`].
pub fn permanent_redirect(location: impl AsRef<str>) -> Error {
    redirect_with(StatusCode::PERMANENT_REDIRECT, location.as_ref())
}

/// Ends the handler with a 303 to `location`: the client follows with a GET, as it should after a form
/// ([RFC 9110 section 15.4.4](https://www.rfc-editor.org/rfc/rfc9110#section-15.4.4)). Otherwise like [`redirect`].
///
/// # Examples
///
/// ```
/// use waypost::form::FormData;
/// use waypost::{Result, see_other};
///
/// async fn post(form: FormData) -> Result {
///     println!("{:?} signed up", form.get("name"));
///     Err(see_other("/welcome"))
/// }
/// ```
pub fn see_other(location: impl AsRef<str>) -> Error {
    redirect_with(StatusCode::SEE_OTHER, location.as_ref())
}

/// Ends the handler with an empty 404.
pub fn not_found() -> Error {
    empty(StatusCode::NOT_FOUND)
}

/// Ends the handler with an empty 403: the client is known, but not allowed.
pub fn forbidden() -> Error {
    empty(StatusCode::FORBIDDEN)
}

/// Ends the handler with an empty 401: the client has to authenticate.
pub fn unauthorized() -> Error {
    empty(StatusCode::UNAUTHORIZED)
}

fn empty(status: StatusCode) -> Error {
    Error::signal(Response::new(Body::empty()).with_status(status))
}

fn redirect_with(status: StatusCode, location: &str) -> Error {
    match location_value(location) {
        Ok(value) => Error::signal(
            Response::new(Body::empty())
                .with_status(status)
                .with_location(value),
        ),
        Err(error) => Error::fault(error),
    }
}

/// Checks a location and returns it as a header value. Spaces at its ends, which a URL doesn't have, are removed.
fn location_value(location: &str) -> Result<Vec<u8>, String> {
    let location = location.trim_matches(' ');
    if location.is_empty() {
        return Err("a redirect needs a location, but it is empty".to_owned());
    }
    if let Some(bad) = location.chars().find(|c| c.is_ascii_control()) {
        return Err(format!(
            "a location can't hold the control character {bad:?}: `{location:?}`"
        ));
    }
    Ok(location_of(location))
}

/// Percent-encodes everything but printable ASCII, for the value of a `Location` header.
pub(crate) fn location_of(location: &str) -> Vec<u8> {
    let mut encoded = Vec::new();
    for byte in location.bytes() {
        match byte {
            b' '..=b'~' => encoded.push(byte),
            _ => {
                // `format!` would add more code to a component than this whole function.
                let digit = |value: u8| b"0123456789ABCDEF"[usize::from(value)];
                encoded.extend_from_slice(&[b'%', digit(byte >> 4), digit(byte & 15)]);
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::response::IntoResponse;

    #[test]
    fn locations() {
        for (given, sent) in [
            ("/target", "/target"),
            ("sub/path?a=1#b", "sub/path?a=1#b"),
            ("/café/✓", "/caf%C3%A9/%E2%9C%93"),
            ("/a b", "/a b"),
            (" /a ", "/a"),
        ] {
            let response = redirect(given).into_response();
            assert_eq!(response.status(), 307);
            assert_eq!(response.headers()["location"], sent);
        }
        assert_eq!(see_other("/target").status(), 303);
        for refused in ["", " ", "/a\r\nSet-Cookie: x=1", "/\0"] {
            assert_eq!(permanent_redirect(refused).status(), 500, "{refused:?}");
        }
    }
}
