//! Early ends of a handler: redirects, `not_found` and their like.

use http::StatusCode;

use super::Error;
use crate::{Body, Response};

/// Ends the handler with a 307 to `location`, which keeps the method and the body.
///
/// As in Next ([`redirect`](https://nextjs.org/docs/app/api-reference/functions/redirect)), but the
/// status never depends on the request. The location may be relative, and is not checked: never pass
/// on a client's text unseen. Characters outside ASCII are percent-encoded.
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

/// Ends the handler with a 308 to `location`: a redirect that caches and search engines may keep.
///
/// Otherwise as [`redirect`].
pub fn permanent_redirect(location: impl AsRef<str>) -> Error {
    redirect_with(StatusCode::PERMANENT_REDIRECT, location.as_ref())
}

/// Ends the handler with a 303 to `location`: the client goes on with a GET, as it should after a form
/// ([RFC 9110 section 15.4.4](https://www.rfc-editor.org/rfc/rfc9110#section-15.4.4)).
///
/// Otherwise as [`redirect`].
///
/// # Examples
///
/// ```
/// use waypost::{FormData, Result, see_other};
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

/// Ends the handler with an empty 403: the client is known, but may not.
pub fn forbidden() -> Error {
    empty(StatusCode::FORBIDDEN)
}

/// Ends the handler with an empty 401: the client has to say who it is.
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

/// Makes the value of a `Location` header: characters outside ASCII are percent-encoded, and spaces at
/// the ends, which a URL doesn't have, are left out.
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

/// Makes the value of a `Location` header for a client that is sent elsewhere by its own words: whatever is no
/// printable ASCII is percent-encoded.
pub(crate) fn location_of(location: &str) -> Vec<u8> {
    let mut encoded = Vec::new();
    for byte in location.bytes() {
        match byte {
            b' '..=b'~' => encoded.push(byte),
            _ => {
                // Not by `format!`: what a number takes to be written as text is larger than all of this.
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
    use crate::IntoResponse;

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
