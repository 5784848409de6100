//! Reading a body as a form.

use super::{FormData, FormLimits, FormValue};
use crate::Body;
use crate::error::RequestError;

const URLENCODED: &str = "application/x-www-form-urlencoded";
#[cfg(feature = "multipart")]
const EXPECTED: &str = "`application/x-www-form-urlencoded` or `multipart/form-data`";
#[cfg(not(feature = "multipart"))]
const EXPECTED: &str = "`application/x-www-form-urlencoded`";

impl FormData {
    /// Reads the body in the format that its content type names.
    pub(crate) async fn read(
        content_type: Option<&str>,
        body: Body,
        limits: FormLimits,
    ) -> Result<Self, RequestError> {
        let media_type = content_type.map(essence).unwrap_or_default();
        if media_type.eq_ignore_ascii_case(URLENCODED) {
            return urlencoded(&body.bytes(limits.in_memory()).await?, limits);
        }
        #[cfg(feature = "multipart")]
        if media_type.eq_ignore_ascii_case(crate::multipart::MEDIA_TYPE) {
            return multipart(content_type, body, limits).await;
        }
        Err(RequestError::ContentType {
            expected: EXPECTED,
            found: content_type.map(str::to_owned),
        })
    }
}

/// Returns a media type without its parameters.
pub(crate) fn essence(content_type: &str) -> &str {
    let (essence, _) = content_type.split_once(';').unwrap_or((content_type, ""));
    essence.trim_ascii()
}

fn urlencoded(bytes: &[u8], limits: FormLimits) -> Result<FormData, RequestError> {
    let mut form = FormData::default();
    for (name, value) in url::form_urlencoded::parse(bytes).into_owned() {
        if form.0.len() == limits.fields {
            return Err(RequestError::TooManyFields(limits.fields));
        }
        if value.len() > limits.text {
            let limit = limits.text;
            return Err(RequestError::FieldTooLarge { name, limit });
        }
        form.0.push((name, FormValue::Text(value)));
    }
    Ok(form)
}

#[cfg(feature = "multipart")]
async fn multipart(
    content_type: Option<&str>,
    body: Body,
    limits: FormLimits,
) -> Result<FormData, RequestError> {
    let mut fields = crate::multipart::Multipart::new(content_type, body, limits)?;
    let mut form = FormData::default();
    while let Some(field) = fields.next_field().await? {
        form.0.push(value(field, limits).await?);
    }
    Ok(form)
}

#[cfg(feature = "multipart")]
async fn value(
    field: crate::multipart::Field,
    limits: FormLimits,
) -> Result<(String, FormValue), RequestError> {
    let name = field.name().to_owned();
    let Some(file_name) = field.file_name().map(str::to_owned) else {
        let text = field.text_with_limit(limits.text).await?;
        return Ok((name, FormValue::Text(text)));
    };
    // A file without a type is text (RFC 7578 section 4.4).
    let media_type = field.content_type().unwrap_or("text/plain").to_owned();
    let content = field.bytes_with_limit(limits.in_memory()).await?;
    let file = super::File::new(file_name, media_type, content);
    Ok((name, FormValue::File(file)))
}

#[cfg(test)]
mod tests {
    use http::header::{self, HeaderValue};

    use super::*;
    use crate::Request;
    use crate::test::block_on;

    fn send(content_type: &str, body: &'static str) -> Request {
        Request::post("/", body).with_header("content-type", content_type)
    }

    fn read(content_type: &str, body: &'static str) -> Result<FormData, RequestError> {
        block_on(send(content_type, body).form_data())
    }

    #[test]
    fn urlencoded() {
        let form = read(
            "application/x-www-form-urlencoded; charset=UTF-8",
            "a=1+2&b=%C3%A9&a=3",
        );
        let form = form.unwrap();
        assert_eq!(
            (form.get("a"), form.get("b"), form.get("c")),
            (Some("1 2"), Some("é"), None)
        );
        assert_eq!(form.get_all("a").count(), 2);
    }

    #[cfg(feature = "multipart")]
    const TWO_PARTS: &str = "--X\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n\
        --X\r\nContent-Disposition: form-data; name=\"f\"; filename=\"../x.txt\"\r\n\r\nxyz\r\n\
        --X--\r\n";

    #[cfg(feature = "multipart")]
    #[test]
    fn multipart() {
        let form = read("multipart/form-data; boundary=X", TWO_PARTS).unwrap();
        assert_eq!(form.get("a"), Some("1"));
        let file = form.file("f").unwrap();
        assert_eq!(
            (&*file.name, &*file.media_type, &file.content[..]),
            ("../x.txt", "text/plain", &b"xyz"[..])
        );
    }

    #[cfg(feature = "multipart")]
    #[test]
    fn broken_multipart() {
        let with_boundary = "multipart/form-data; boundary=X";
        for (content_type, body) in [
            ("multipart/form-data", TWO_PARTS),
            (with_boundary, "--X\r\nContent-Disposition: form-data"),
            (
                with_boundary,
                "--X\r\nContent-Disposition: form-data; name=a",
            ),
            (
                with_boundary,
                "--X\r\nContent-Disposition: form-data\r\n\r\n1\r\n--X--",
            ),
            (with_boundary, "--X\r\nA: b\r\n\r\nno end"),
            (with_boundary, ""),
        ] {
            let error = read(content_type, body).unwrap_err();
            assert_eq!(error.status(), 400, "{content_type} {body}");
        }
        let empty = read(with_boundary, "--X--").unwrap();
        assert_eq!(empty.iter().count(), 0);
    }

    #[test]
    fn limits_that_the_handler_sets() {
        let limits = FormLimits::new().text(3).fields(2);
        let mut kinds = vec![(URLENCODED, ["a=123&b=1", "a=1&b=1234", "a=1&b=2&c=3"])];
        if cfg!(feature = "multipart") {
            kinds.push((
                "multipart/form-data; boundary=X",
                [
                    "--X\r\nContent-Disposition: form-data; name=a\r\n\r\n123\r\n--X--",
                    "--X\r\nContent-Disposition: form-data; name=b\r\n\r\n1234\r\n--X--",
                    "--X\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n\
                     --X\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n\
                     --X\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n--X--",
                ],
            ));
        }
        for (content_type, [fits, long, many]) in kinds {
            let read = |body| block_on(send(content_type, body).form_data_with_limit(limits));
            assert_eq!(read(fits).unwrap().get("a"), Some("123"));
            let error = read(long).unwrap_err();
            assert_eq!(error.status(), 413);
            assert_eq!(error.to_string(), "the field `b` is larger than 3 bytes");
            let error = read(many).unwrap_err();
            assert_eq!(error.status(), 413);
            assert_eq!(error.to_string(), "the form has more than 2 fields");
            let whole = block_on(send(content_type, fits).form_data_with_limit(8)).unwrap_err();
            assert!(matches!(whole, RequestError::TooLarge(8)), "{whole}");
        }
    }

    #[test]
    fn other_types() {
        for content_type in ["text/plain", "application/json", ""] {
            assert_eq!(read(content_type, "a=1").unwrap_err().status(), 415);
        }
        let error = block_on(Request::post("/", &b"a=1"[..]).form_data()).unwrap_err();
        assert_eq!(error.status(), 415);
    }

    #[test]
    fn only_http_white_space_is_trimmed_from_a_type() {
        for (content_type, status) in [
            (&b" application/x-www-form-urlencoded\t"[..], None),
            (b"\x85application/x-www-form-urlencoded", Some(415)),
        ] {
            let mut request = Request::post("/", "a=1");
            let content_type = HeaderValue::from_bytes(content_type).unwrap();
            request
                .headers_mut()
                .insert(header::CONTENT_TYPE, content_type);
            let found = block_on(request.form_data()).err();
            assert_eq!(found.map(|error| error.status().as_u16()), status);
        }
    }
}
