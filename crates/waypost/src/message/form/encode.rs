//! Encoding a form as a body.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

use super::{FormData, FormValue};
use crate::Body;

/// Encodes the form as `multipart/form-data` ([RFC 7578](https://www.rfc-editor.org/rfc/rfc7578)), encoded
/// as the [HTML standard](https://html.spec.whatwg.org/#multipart-form-data) says.
impl From<FormData> for Body {
    fn from(form: FormData) -> Self {
        let boundary = boundary();
        let mut bytes = Vec::new();
        for (name, value) in form.iter() {
            let name = escape(name);
            let head = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"");
            bytes.extend_from_slice(head.as_bytes());
            match value {
                FormValue::Text(text) => {
                    let text = text
                        .replace("\r\n", "\n")
                        .replace('\r', "\n")
                        .replace('\n', "\r\n");
                    bytes.extend_from_slice(format!("\r\n\r\n{text}\r\n").as_bytes());
                }
                FormValue::File(file) => {
                    let (name, media_type) = (escape(&file.name), file.sent_media_type());
                    let head =
                        format!("; filename=\"{name}\"\r\nContent-Type: {media_type}\r\n\r\n");
                    bytes.extend_from_slice(head.as_bytes());
                    bytes.extend_from_slice(&file.content);
                    bytes.extend_from_slice(b"\r\n");
                }
            }
        }
        bytes.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        Body::from(bytes).of_type(format!("multipart/form-data; boundary={boundary}"))
    }
}

/// Returns a random boundary, which no content can predict.
fn boundary() -> String {
    let random = || RandomState::new().build_hasher().finish();
    format!("waypost-form-{:016x}{:016x}", random(), random())
}

/// Escapes a name so that it stays within its quotes.
fn escape(name: &str) -> String {
    name.replace('\r', "%0D")
        .replace('\n', "%0A")
        .replace('"', "%22")
}

#[cfg(all(test, feature = "multipart"))]
mod tests {
    use super::*;
    use crate::Request;
    use crate::form::File;
    use crate::test::block_on;

    #[test]
    fn an_encoded_form_is_read_back_unchanged() {
        let file = File::new("\"x\".txt", "text/plain", "--waypost-form-\r\n");
        let form = FormData::new()
            .with("a", "1\n2")
            .with("q\"uote", "")
            .with_file("f", file);
        let body = Body::from(form);
        let content_type = body.media_type().unwrap().to_owned();
        let request = Request::post("/", body).with_header("content-type", &content_type);
        let form = block_on(request.form_data()).unwrap();
        assert_eq!((form.get("a"), form.iter().count()), (Some("1\r\n2"), 3));
        assert_eq!(form.get("q\"uote"), Some(""));
        assert_eq!(&form.file("f").unwrap().content[..], b"--waypost-form-\r\n");
    }

    #[test]
    fn a_file_keeps_its_media_type() {
        for (given, expected) in [
            ("text/csv; charset=\"utf-8\"", "text/csv; charset=\"utf-8\""),
            ("text", "text"),
            ("", "application/octet-stream"),
            ("text/é", "application/octet-stream"),
            ("a\r\nb: c", "application/octet-stream"),
        ] {
            let form = FormData::new().with_file("f", File::new("x", given, "1"));
            let form = block_on(Request::post("/", form).form_data()).unwrap();
            assert_eq!(form.file("f").unwrap().media_type, expected);
        }
    }
}
