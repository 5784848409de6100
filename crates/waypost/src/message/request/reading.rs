//! Reading the body of a request: once, whole or as a stream.

use std::mem;
use std::sync::PoisonError;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use serde::de::DeserializeOwned;

use crate::body::DEFAULT_BODY_LIMIT;
use crate::body::coding::{self, CodingError};
use crate::error::RequestError;
use crate::form::{FormData, FormLimits};
#[cfg(feature = "multipart")]
use crate::multipart::Multipart;
use crate::response::head::parse_length;
use crate::sys::Incoming;
use crate::{Body, Request};

/// The place from which the body of a request is read.
#[allow(
    clippy::large_enum_variant,
    reason = "only native tests hold a whole request in place of the host's handle"
)]
pub(crate) enum Source {
    /// The host's request. It is read when the handler asks for the body, so that other components don't contain that
    /// code.
    Host(Incoming),
    /// A body that was taken from the host, or that a test passed in.
    Body(Body),
}

impl Source {
    fn take(&mut self) -> Body {
        match mem::replace(self, Self::Body(Body::used())) {
            Self::Host(incoming) => incoming.into_body(),
            Self::Body(body) => body,
        }
    }

    fn is_used(&self) -> bool {
        matches!(self, Self::Body(body) if body.is_used())
    }
}

impl Request {
    /// Returns whether the body was already read or taken out.
    pub fn body_used(&self) -> bool {
        self.body
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_used()
    }

    /// Takes the body out, as a stream of chunks. The request's own body counts as read from then on.
    pub fn body(&self) -> Body {
        let mut body = self
            .body
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let length = self.headers().get_all(header::CONTENT_LENGTH).iter();
        body.announce(parse_length(length.map(HeaderValue::as_bytes)));
        body
    }

    /// Reads the whole body, up to [`DEFAULT_BODY_LIMIT`] bytes. A compressed body is returned as it is, so that a
    /// signature of it can be checked.
    ///
    /// # Errors
    ///
    /// [`RequestError::TooLarge`] beyond the limit, [`RequestError::Incomplete`],
    /// [`RequestError::BodyUsed`].
    pub async fn bytes(&self) -> Result<Bytes, RequestError> {
        self.bytes_with_limit(DEFAULT_BODY_LIMIT).await
    }

    /// Reads the whole body, up to `limit` bytes; otherwise like [`Request::bytes`].
    ///
    /// # Errors
    ///
    /// Like [`Request::bytes`].
    pub async fn bytes_with_limit(&self, limit: usize) -> Result<Bytes, RequestError> {
        self.body().bytes(limit).await
    }

    /// Reads the whole body as UTF-8 text: a byte order mark is removed, invalid bytes become U+FFFD. A body whose
    /// `Content-Encoding` is gzip or deflate is decoded; the limit applies to both forms. No other encoding is, not even
    /// one that [`Response::text`](crate::Response::text) decodes.
    ///
    /// # Errors
    ///
    /// [`RequestError::ContentEncoding`] for any other encoding, [`RequestError::Encoding`] if it can't be decoded;
    /// otherwise like [`Request::bytes`].
    pub async fn text(&self) -> Result<String, RequestError> {
        self.text_with_limit(DEFAULT_BODY_LIMIT).await
    }

    /// Reads the whole body as text, up to `limit` bytes; otherwise like [`Request::text`].
    ///
    /// # Errors
    ///
    /// Like [`Request::bytes`].
    pub async fn text_with_limit(&self, limit: usize) -> Result<String, RequestError> {
        Ok(decode_utf8(&self.decoded(limit).await?.bytes(limit).await?))
    }

    /// Reads the whole body as JSON, whatever its `Content-Type`.
    ///
    /// # Errors
    ///
    /// [`RequestError::Json`] if it is not JSON or not a `T`; otherwise like [`Request::text`].
    pub async fn json<T: DeserializeOwned>(&self) -> Result<T, RequestError> {
        self.json_with_limit(DEFAULT_BODY_LIMIT).await
    }

    /// Returns the body without its content coding. An encoded body is read whole, and has at most `limit` bytes in
    /// either form.
    async fn decoded(&self, limit: usize) -> Result<Body, RequestError> {
        if !coding::is_encoded(self.headers()) {
            return Ok(self.body());
        }
        let bytes = self.bytes_with_limit(limit).await?;
        let decoded = coding::decode_request(bytes, self.headers(), limit);
        decoded.map(Body::from).map_err(|error| match error {
            CodingError::Unknown(found) => RequestError::ContentEncoding(found),
            CodingError::Invalid(coding) | CodingError::Window(coding) => {
                RequestError::Encoding(coding)
            }
            CodingError::TooLarge => RequestError::TooLarge(limit as u64),
        })
    }

    /// Reads the whole body as JSON, up to `limit` bytes; otherwise like [`Request::json`].
    ///
    /// # Errors
    ///
    /// Like [`Request::json`].
    ///
    /// # Examples
    ///
    /// ```
    /// use waypost::{Request, Response, Result};
    ///
    /// async fn post(req: Request) -> Result {
    ///     let names: Vec<String> = req.json_with_limit(64 << 10).await?; // 64 KiB
    ///     Response::json(&names)
    /// }
    /// ```
    pub async fn json_with_limit<T>(&self, limit: usize) -> Result<T, RequestError>
    where
        T: DeserializeOwned,
    {
        serde_json::from_str(&self.text_with_limit(limit).await?).map_err(RequestError::Json)
    }

    /// Reads the whole body as a form: `application/x-www-form-urlencoded`, or
    /// `multipart/form-data` with files. Its limits are those of [`FormLimits::new`].
    ///
    /// # Errors
    ///
    /// [`RequestError::ContentType`] for any other type, [`RequestError::Form`] if the form is malformed,
    /// [`RequestError::FieldTooLarge`] and [`RequestError::TooManyFields`] beyond the limits; otherwise like
    /// [`Request::text`].
    pub async fn form_data(&self) -> Result<FormData, RequestError> {
        self.form_data_with_limit(FormLimits::new()).await
    }

    /// Reads the whole body as a form, within these limits or up to this number of bytes; otherwise like
    /// [`Request::form_data`].
    ///
    /// # Errors
    ///
    /// Like [`Request::form_data`].
    pub async fn form_data_with_limit(
        &self,
        limit: impl Into<FormLimits>,
    ) -> Result<FormData, RequestError> {
        let limits: FormLimits = limit.into();
        let body = self.decoded(limits.in_memory()).await?;
        let content_type = self.header(header::CONTENT_TYPE.as_str());
        FormData::read(content_type, body, limits).await
    }

    /// Reads the body as `multipart/form-data`, field by field while it arrives. It is never in memory as a whole, so
    /// its size is not limited. The number of fields is limited to 1,000.
    ///
    /// # Errors
    ///
    /// [`RequestError::ContentType`] for any other type, [`RequestError::ContentEncoding`] if it is compressed,
    /// [`RequestError::Form`] if the type has no boundary, [`RequestError::BodyUsed`] if the body was already read.
    ///
    /// # Examples
    ///
    /// ```
    /// use waypost::{Request, Result};
    ///
    /// async fn post(req: Request) -> Result<String> {
    ///     let mut form = req.multipart()?;
    ///     let mut size = 0;
    ///     while let Some(mut field) = form.next_field().await? {
    ///         while let Some(chunk) = field.chunk().await? {
    ///             size += chunk.len();
    ///         }
    ///     }
    ///     Ok(format!("{size} bytes"))
    /// }
    /// ```
    #[cfg(feature = "multipart")]
    pub fn multipart(&self) -> Result<Multipart, RequestError> {
        self.multipart_with_limit(FormLimits::new().body(u64::MAX))
    }

    /// Reads the body as `multipart/form-data`, field by field, within these limits or up to this number of bytes;
    /// otherwise like [`Request::multipart`].
    ///
    /// # Errors
    ///
    /// Like [`Request::multipart`].
    #[cfg(feature = "multipart")]
    pub fn multipart_with_limit(
        &self,
        limit: impl Into<FormLimits>,
    ) -> Result<Multipart, RequestError> {
        if coding::is_encoded(self.headers()) {
            // It is read while it arrives, and never whole.
            let found = self.header(header::CONTENT_ENCODING.as_str());
            return Err(RequestError::ContentEncoding(
                found.unwrap_or_default().to_owned(),
            ));
        }
        let content_type = self.header(header::CONTENT_TYPE.as_str());
        Multipart::new(content_type, self.body(), limit.into())
    }
}

/// Decodes UTF-8 like "UTF-8 decode" of the Encoding standard: removes a byte order mark, replaces invalid bytes by
/// U+FFFD.
pub(crate) fn decode_utf8(bytes: &[u8]) -> String {
    const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::response::IntoResponse;
    use crate::test::block_on;

    fn gzipped(content_type: &str, text: &str) -> Request {
        use std::io::Write;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        Request::post("/", encoder.finish().unwrap())
            .with_header("content-encoding", "gzip")
            .with_header("content-type", content_type)
    }

    #[test]
    fn compressed_bodies_are_decoded_within_the_limit() {
        let json = || gzipped("application/json", "[1, 2]");
        assert_eq!(block_on(json().json::<Vec<u8>>()).unwrap(), [1, 2]);
        assert!(block_on(json().bytes()).unwrap().starts_with(&[0x1f, 0x8b]));
        let form = gzipped("application/x-www-form-urlencoded", "a=1&b=2");
        assert_eq!(block_on(form.form_data()).unwrap().get("b"), Some("2"));
        let large = gzipped("text/plain", &"a".repeat(1_000));
        let error = block_on(large.text_with_limit(999)).unwrap_err();
        assert!(matches!(error, RequestError::TooLarge(999)), "{error}");
    }

    #[cfg(feature = "multipart")]
    #[test]
    fn a_compressed_multipart_form_is_read_whole_only() {
        let part = "--X\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--X--\r\n";
        let form = || gzipped("multipart/form-data; boundary=X", part);
        assert_eq!(block_on(form().form_data()).unwrap().get("a"), Some("1"));
        assert_eq!(form().multipart().unwrap_err().status(), 415);
    }

    #[test]
    fn encodings_that_are_not_decoded_are_refused() {
        let request = |coding| Request::post("/", "{}").with_header("content-encoding", coding);
        let error = block_on(request("gzip").text()).unwrap_err();
        assert_eq!(error.status(), 400);
        for coding in ["br", "zstd", "compress"] {
            let error = block_on(request(coding).json::<u8>()).unwrap_err();
            let response = crate::Error::from(error).into_response();
            assert_eq!(response.status(), 415);
            assert_eq!(response.headers()["accept-encoding"], "gzip, deflate");
        }
        assert_eq!(block_on(request("br").bytes()).unwrap(), "{}");
    }

    #[test]
    fn a_body_has_the_length_that_its_request_announced() {
        let request = |length| {
            Request::post("/", Body::from_iter(["ab", "c"])).with_header("content-length", length)
        };
        assert_eq!(request("3").body().content_length(), Some(3));
        assert_eq!(request("x").body().content_length(), None);
    }

    #[test]
    fn bodies_are_read_once() {
        let req = Request::post("/", "\u{feff}{\"a\":1}");
        assert_eq!(block_on(req.json::<serde_json::Value>()).unwrap()["a"], 1);
        assert!(matches!(block_on(req.text()), Err(RequestError::BodyUsed)));
        let req = Request::post("/", &b"a\xff"[..]);
        assert_eq!(block_on(req.text()).unwrap(), "a\u{fffd}");
    }
}
