//! Reading the body of a request: once, as a whole or as a stream.

use std::sync::PoisonError;

use bytes::Bytes;
use http::header;
use serde::de::DeserializeOwned;

use crate::body::DEFAULT_BODY_LIMIT;
use crate::{Body, FormData, Request, RequestError};

impl Request {
    /// Tells whether the body was read or taken out.
    pub fn body_used(&self) -> bool {
        self.body
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_used()
    }

    /// Takes the body out, as a stream of chunks. What is left behind counts as read.
    pub fn body(&self) -> Body {
        self.body
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .claim()
    }

    /// Reads the whole body.
    ///
    /// # Errors
    ///
    /// [`RequestError::TooLarge`] beyond [`DEFAULT_BODY_LIMIT`], [`RequestError::Incomplete`],
    /// [`RequestError::BodyUsed`]. For a larger one, `req.body().bytes(limit)`.
    pub async fn bytes(&self) -> Result<Bytes, RequestError> {
        self.body().bytes(DEFAULT_BODY_LIMIT).await
    }

    /// Reads the whole body as UTF-8 text: a byte order mark is removed, invalid bytes become U+FFFD.
    ///
    /// # Errors
    ///
    /// As [`Request::bytes`].
    pub async fn text(&self) -> Result<String, RequestError> {
        Ok(decode_utf8(&self.bytes().await?))
    }

    /// Reads the whole body as JSON, whatever its `Content-Type`.
    ///
    /// # Errors
    ///
    /// [`RequestError::Json`] where it is not JSON or no `T`; otherwise as [`Request::bytes`].
    pub async fn json<T: DeserializeOwned>(&self) -> Result<T, RequestError> {
        serde_json::from_str(&self.text().await?).map_err(RequestError::Json)
    }

    /// Reads the whole body as a form: `application/x-www-form-urlencoded`, or
    /// `multipart/form-data` with files.
    ///
    /// # Errors
    ///
    /// [`RequestError::ContentType`] for any other type, [`RequestError::Form`] where it is not
    /// well formed; otherwise as [`Request::bytes`].
    pub async fn form_data(&self) -> Result<FormData, RequestError> {
        let content_type = self
            .header(header::CONTENT_TYPE.as_str())
            .map(str::to_owned);
        FormData::read(content_type.as_deref(), self.body()).await
    }
}

/// Decodes as the encoding standard's "UTF-8 decode" does: without a byte order mark, and never failing.
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
