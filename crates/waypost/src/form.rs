//! Form data: what a form in a browser sends.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::body::DEFAULT_BODY_LIMIT;
use crate::request::decode_utf8;
use crate::{Body, RequestError};

const URLENCODED: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data";
#[cfg(feature = "multipart")]
const EXPECTED: &str = "`application/x-www-form-urlencoded` or `multipart/form-data`";
#[cfg(not(feature = "multipart"))]
const EXPECTED: &str = "`application/x-www-form-urlencoded`";

/// The fields of a form, in the order in which they were sent, as the Web's
/// [`FormData`](https://xhr.spec.whatwg.org/#interface-formdata) has them.
///
/// # Examples
///
/// ```
/// use waypost::{Request, Response, Result};
///
/// async fn post(req: Request) -> Result {
///     let form = req.form_data().await?;
///     let name = form.get("name").unwrap_or("nobody");
///     let size = form.file("picture").map_or(0, |file| file.content.len());
///     Ok(Response::new(format!("{name} sent {size} bytes")))
/// }
/// ```
#[derive(Clone, Debug, Default)]
pub struct FormData(Vec<(String, FormValue)>);

/// The value of a form field.
#[derive(Clone, Debug)]
pub enum FormValue {
    /// What was typed or chosen.
    Text(String),
    /// A file that was picked.
    File(File),
}

/// A file of a form.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct File {
    /// The name that the client gives it. It may hold anything: never use it as a path.
    pub name: String,
    /// The media type that the client claims; `text/plain` where it says nothing.
    pub media_type: String,
    /// The bytes.
    pub content: Bytes,
}

impl FormData {
    pub(crate) async fn read(content_type: Option<&str>, body: Body) -> Result<Self, RequestError> {
        let essence = content_type
            .and_then(|value| value.split(';').next())
            .unwrap_or_default();
        let essence = essence.trim();
        if essence.eq_ignore_ascii_case(URLENCODED) {
            return Ok(Self::urlencoded(&body.bytes(DEFAULT_BODY_LIMIT).await?));
        }
        if cfg!(feature = "multipart") && essence.eq_ignore_ascii_case(MULTIPART) {
            return Self::multipart(content_type.unwrap_or_default(), body).await;
        }
        let found = content_type.map(str::to_owned);
        Err(RequestError::ContentType {
            expected: EXPECTED,
            found,
        })
    }

    fn urlencoded(bytes: &[u8]) -> Self {
        let pairs = url::form_urlencoded::parse(bytes).into_owned();
        Self(
            pairs
                .map(|(name, value)| (name, FormValue::Text(value)))
                .collect(),
        )
    }

    #[cfg(feature = "multipart")]
    async fn multipart(content_type: &str, body: Body) -> Result<Self, RequestError> {
        let boundary = multer::parse_boundary(content_type).map_err(multipart_error)?;
        let limit = multer::SizeLimit::new().whole_stream(DEFAULT_BODY_LIMIT as u64);
        let constraints = multer::Constraints::new().size_limit(limit);
        // The parser needs a stream that may change threads; a body in memory is one.
        let bytes = body.bytes(DEFAULT_BODY_LIMIT).await?;
        let chunks = futures::stream::iter([Ok::<_, std::convert::Infallible>(bytes)]);
        let mut fields = multer::Multipart::with_constraints(chunks, boundary, constraints);
        let mut form = Self::default();
        while let Some(field) = fields.next_field().await.map_err(multipart_error)? {
            form.0.push(read_field(field).await?);
        }
        Ok(form)
    }

    #[cfg(not(feature = "multipart"))]
    async fn multipart(_: &str, _: Body) -> Result<Self, RequestError> {
        Ok(Self::default())
    }

    /// Makes a form without fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a text.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.0.push((name.into(), FormValue::Text(text.into())));
        self
    }

    /// Adds a file.
    #[must_use]
    pub fn with_file(mut self, name: impl Into<String>, file: File) -> Self {
        self.0.push((name.into(), FormValue::File(file)));
        self
    }

    /// Returns the first text of a name; `None` where there is none or it is a file.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_all(name).find_map(|value| match value {
            FormValue::Text(text) => Some(text.as_str()),
            FormValue::File(_) => None,
        })
    }

    /// Returns the first file of a name.
    pub fn file(&self, name: &str) -> Option<&File> {
        self.get_all(name).find_map(|value| match value {
            FormValue::File(file) => Some(file),
            FormValue::Text(_) => None,
        })
    }

    /// Returns all values of a name, in order.
    pub fn get_all(&self, name: &str) -> impl Iterator<Item = &FormValue> {
        self.iter()
            .filter(move |(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    /// Returns the names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &FormValue)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Makes a `T` of the texts, field by field; files are left out.
    ///
    /// # Errors
    ///
    /// [`RequestError::Form`] where a field is missing or has the wrong form.
    pub fn into_typed<T: DeserializeOwned>(self) -> Result<T, RequestError> {
        let texts = self.0.into_iter().filter_map(|(name, value)| match value {
            FormValue::Text(text) => Some((name, text)),
            FormValue::File(_) => None,
        });
        crate::de::from_pairs(texts).map_err(|error| RequestError::Form(error.to_string()))
    }
}

impl File {
    /// Makes a file.
    pub fn new(
        name: impl Into<String>,
        media_type: impl Into<String>,
        content: impl Into<Bytes>,
    ) -> Self {
        let (name, media_type) = (name.into(), media_type.into());
        Self {
            name,
            media_type,
            content: content.into(),
        }
    }
}

/// A form as a body: `multipart/form-data` ([RFC 7578](https://www.rfc-editor.org/rfc/rfc7578)), encoded
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
                    let (name, media_type) = (escape(&file.name), escape(&file.media_type));
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

/// Makes a boundary that no content can know in advance.
fn boundary() -> String {
    let random = || RandomState::new().build_hasher().finish();
    format!("waypost-form-{:016x}{:016x}", random(), random())
}

/// Reads a name as browsers write it: the three escapes of the HTML standard.
#[cfg(feature = "multipart")]
fn unescape(name: &str) -> String {
    name.replace("%22", "\"")
        .replace("%0D", "\r")
        .replace("%0A", "\n")
}

/// Keeps a name in its quotes.
fn escape(name: &str) -> String {
    name.replace('\r', "%0D")
        .replace('\n', "%0A")
        .replace('"', "%22")
}

#[cfg(feature = "multipart")]
async fn read_field(field: multer::Field<'_>) -> Result<(String, FormValue), RequestError> {
    let Some(name) = field.name().map(unescape) else {
        return Err(RequestError::Form("a part has no name".to_owned()));
    };
    let Some(file_name) = field.file_name().map(unescape) else {
        let bytes = field.bytes().await.map_err(multipart_error)?;
        return Ok((name, FormValue::Text(decode_utf8(&bytes))));
    };
    let media_type = field
        .content_type()
        .map_or("text/plain", |mime| mime.as_ref())
        .to_owned();
    let content = field.bytes().await.map_err(multipart_error)?;
    Ok((
        name,
        FormValue::File(File {
            name: file_name,
            media_type,
            content,
        }),
    ))
}

#[cfg(feature = "multipart")]
fn multipart_error(error: multer::Error) -> RequestError {
    match error {
        multer::Error::StreamSizeExceeded { .. } => RequestError::TooLarge(DEFAULT_BODY_LIMIT),
        error => RequestError::Form(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Request;
    use crate::test::block_on;

    fn read(content_type: &str, body: &'static str) -> Result<FormData, RequestError> {
        block_on(
            Request::post("/", body)
                .with_header("content-type", content_type)
                .form_data(),
        )
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

    #[derive(serde::Deserialize)]
    struct Signup {
        name: String,
        age: Option<u8>,
    }

    #[test]
    fn typed() {
        let form = read("application/x-www-form-urlencoded", "name=Ada&age=36").unwrap();
        let signup: Signup = form.into_typed().unwrap();
        assert_eq!((signup.name.as_str(), signup.age), ("Ada", Some(36)));
        let form = read("application/x-www-form-urlencoded", "name=Ada&age=old").unwrap();
        let error = form.into_typed::<Signup>().err().unwrap();
        assert_eq!(error.status(), 400);
        assert!(
            error
                .to_string()
                .ends_with("`age` is `old`, which is no `u8`"),
            "{error}"
        );
    }

    #[cfg(feature = "multipart")]
    #[test]
    fn multipart() {
        let body = "--X\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n\
            --X\r\nContent-Disposition: form-data; name=\"f\"; filename=\"../x.txt\"\r\n\r\nxyz\r\n\
            --X--\r\n";
        let form = read("multipart/form-data; boundary=X", body).unwrap();
        assert_eq!(form.get("a"), Some("1"));
        let file = form.file("f").unwrap();
        assert_eq!(
            (
                file.name.as_str(),
                file.media_type.as_str(),
                &file.content[..]
            ),
            ("../x.txt", "text/plain", &b"xyz"[..])
        );
        for (content_type, body) in [
            ("multipart/form-data", body),
            (
                "multipart/form-data; boundary=X",
                "--X\r\nContent-Disposition: form-data",
            ),
            ("multipart/form-data; boundary=X", ""),
        ] {
            assert_eq!(
                read(content_type, body).unwrap_err().status(),
                400,
                "{content_type}"
            );
        }
    }

    #[cfg(feature = "multipart")]
    #[test]
    fn a_form_comes_back_as_it_was() {
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
    fn other_types() {
        for content_type in ["text/plain", "application/json"] {
            assert_eq!(read(content_type, "a=1").unwrap_err().status(), 415);
        }
        let error = block_on(Request::post("/", "a=1").form_data()).unwrap_err();
        assert_eq!(error.status(), 415);
    }
}
