//! Reading forms with any content type and any bytes.

use futures::FutureExt as _;
use waypost::error::RequestError;
use waypost::form::{FormData, FormValue};
use waypost::http::{HeaderValue, Request as HttpRequest, header};
use waypost::request::SearchParams;
use waypost::{Body, Request, url};

use crate::input::Fields;
use crate::multipart;

/// Checks `Request::form_data`. Fields: the content type, and the body, which is the rest of the input.
pub fn form(data: &[u8]) {
    let content_type = Fields::of(data).bytes();
    let body = data.get(content_type.len() + 1..).unwrap_or_default();
    let Ok(content_type) = HeaderValue::from_bytes(content_type) else {
        return;
    };
    let whole = read(&content_type, body.to_vec());
    let pieces: Vec<_> = body.chunks(7).map(<[u8]>::to_vec).collect();
    let in_pieces = read(&content_type, Body::from_iter(pieces));
    match (whole, in_pieces) {
        (Ok(form), Ok(again)) => {
            assert_eq!(multipart::fields(&form), multipart::fields(&again));
            assert_is_what_was_sent(&content_type, body, form);
        }
        (Err(error), Err(again)) => {
            assert_eq!(error.to_string(), again.to_string());
            assert!([400, 415].contains(&error.status().as_u16()), "{error}");
        }
        (one, other) => panic!("{one:?} as a whole, but {other:?} in chunks"),
    }
}

/// Reads a body in memory. The first poll must complete.
pub(crate) fn read(
    content_type: &HeaderValue,
    body: impl Into<Body>,
) -> Result<FormData, RequestError> {
    let mut request = HttpRequest::new(body.into());
    request
        .headers_mut()
        .insert(header::CONTENT_TYPE, content_type.clone());
    let request = Request::from(request);
    let form = request.form_data().now_or_never();
    form.expect("a body in memory is read at once")
}

fn assert_is_what_was_sent(content_type: &HeaderValue, body: &[u8], form: FormData) {
    let essence = content_type.as_bytes().split(|byte| *byte == b';').next();
    let essence = essence.unwrap_or_default().trim_ascii();
    if essence.eq_ignore_ascii_case(b"application/x-www-form-urlencoded") {
        assert_is_urlencoded(body, &form);
    } else {
        assert!(essence.eq_ignore_ascii_case(b"multipart/form-data"));
        multipart::assert_comes_back(form);
    }
}

fn assert_is_urlencoded(body: &[u8], form: &FormData) {
    let expected: SearchParams = url::form_urlencoded::parse(body).collect();
    let texts = form.iter().map(|(name, value)| match value {
        FormValue::Text(text) => (name, text.as_str()),
        FormValue::File(file) => panic!("{name} is the file {file:?}"),
    });
    assert!(texts.eq(expected.iter()));
}
