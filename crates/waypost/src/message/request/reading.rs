//! Reading the body of a request: once, whole or as a stream.

use std::mem;
use std::sync::PoisonError;

use bytes::Bytes;
use http::header;
use serde::de::DeserializeOwned;

use crate::body::DEFAULT_BODY_LIMIT;
use crate::error::RequestError;
use crate::form::{FormData, FormLimits};
#[cfg(feature = "multipart")]
use crate::multipart::Multipart;
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
        self.body
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// Reads the whole body, up to [`DEFAULT_BODY_LIMIT`] bytes.
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

    /// Reads the whole body as UTF-8 text: a byte order mark is removed, invalid bytes become U+FFFD.
    ///
    /// # Errors
    ///
    /// Like [`Request::bytes`].
    pub async fn text(&self) -> Result<String, RequestError> {
        self.text_with_limit(DEFAULT_BODY_LIMIT).await
    }

    /// Reads the whole body as text, up to `limit` bytes; otherwise like [`Request::text`].
    ///
    /// # Errors
    ///
    /// Like [`Request::bytes`].
    pub async fn text_with_limit(&self, limit: usize) -> Result<String, RequestError> {
        Ok(decode_utf8(&self.bytes_with_limit(limit).await?))
    }

    /// Reads the whole body as JSON, whatever its `Content-Type`.
    ///
    /// # Errors
    ///
    /// [`RequestError::Json`] if it is not JSON or not a `T`; otherwise like [`Request::bytes`].
    pub async fn json<T: DeserializeOwned>(&self) -> Result<T, RequestError> {
        self.json_with_limit(DEFAULT_BODY_LIMIT).await
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
    /// [`Request::bytes`].
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
        let content_type = self.header(header::CONTENT_TYPE.as_str());
        FormData::read(content_type, self.body(), limit.into()).await
    }

    /// Reads the body as `multipart/form-data`, field by field while it arrives. It is never in memory as a whole, so
    /// its size is not limited. The number of fields is limited to 1,000.
    ///
    /// # Errors
    ///
    /// [`RequestError::ContentType`] for any other type, [`RequestError::Form`] if the type has no boundary,
    /// [`RequestError::BodyUsed`] if the body was already read.
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
    use crate::test::block_on;

    #[test]
    fn bodies_are_read_once() {
        let req = Request::post("/", "\u{feff}{\"a\":1}");
        assert_eq!(block_on(req.json::<serde_json::Value>()).unwrap()["a"], 1);
        assert!(matches!(block_on(req.text()), Err(RequestError::BodyUsed)));
        let req = Request::post("/", &b"a\xff"[..]);
        assert_eq!(block_on(req.text()).unwrap(), "a\u{fffd}");
    }
}
