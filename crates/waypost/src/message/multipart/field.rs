//! A field of a form that is read while it arrives.

use std::cell::RefCell;
use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt};
use http::{HeaderMap, header};

use super::reading::{Head, Reading};
use crate::Body;
use crate::error::RequestError;
use crate::request::decode_utf8;

/// A field of a [`Multipart`](super::Multipart) body. Its headers were read, its content is read on demand.
///
/// As a [`Stream`] it yields chunks of bytes as they arrive. It converts into a [`Body`], for passing it on.
///
/// # Examples
///
/// ```
/// use waypost::multipart::Multipart;
/// use waypost::{Error, Result};
///
/// async fn post(mut form: Multipart) -> Result<String> {
///     let mut title = String::new();
///     let mut lines = 0;
///     while let Some(mut field) = form.next_field().await? {
///         match field.name() {
///             "title" => title = field.text_with_limit(200).await?,
///             "log" => {
///                 while let Some(chunk) = field.chunk().await? {
///                     lines += chunk.iter().filter(|byte| **byte == b'\n').count();
///                 }
///             }
///             other => return Err(Error::new(400, format!("`{other}` is not expected"))),
///         }
///     }
///     Ok(format!("{title}: {lines} lines"))
/// }
/// ```
pub struct Field {
    head: Head,
    reading: Rc<RefCell<Reading>>,
}

impl Field {
    pub(super) fn new(head: Head, reading: Rc<RefCell<Reading>>) -> Self {
        Self { head, reading }
    }

    /// Returns the name of the field.
    pub fn name(&self) -> &str {
        &self.head.name
    }

    /// Returns the file name that the client sent, or `None` if the field is not a file. It may contain anything:
    /// never use it as a path.
    pub fn file_name(&self) -> Option<&str> {
        self.head.file_name.as_deref()
    }

    /// Returns the media type that the client sent, or `None` if it sent none.
    pub fn content_type(&self) -> Option<&str> {
        let content_type = self.head.headers.get(header::CONTENT_TYPE)?;
        content_type.to_str().ok()
    }

    /// Returns the headers of the part.
    pub fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// Waits for the next chunk of the content, or returns `None` after the last one.
    ///
    /// # Errors
    ///
    /// [`RequestError::Form`] if the form is malformed, [`RequestError::TooLarge`] if the whole body exceeds its limit,
    /// [`RequestError::Incomplete`] if the client disconnected, [`RequestError::BodyUsed`] after the next field was
    /// asked for.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, RequestError> {
        self.next().await.transpose()
    }

    /// Reads the whole content: of a file up to [`DEFAULT_BODY_LIMIT`](crate::body::DEFAULT_BODY_LIMIT) bytes,
    /// of any other field up to the limit of a [text](crate::form::FormLimits::text).
    ///
    /// # Errors
    ///
    /// [`RequestError::FieldTooLarge`] beyond the limit; otherwise like [`Field::chunk`].
    pub async fn bytes(self) -> Result<Bytes, RequestError> {
        let limit = self.head.limit;
        self.bytes_with_limit(limit).await
    }

    /// Reads the whole content, up to `limit` bytes; otherwise like [`Field::bytes`].
    ///
    /// # Errors
    ///
    /// Like [`Field::bytes`].
    pub async fn bytes_with_limit(mut self, limit: usize) -> Result<Bytes, RequestError> {
        let mut whole = BytesMut::new();
        while let Some(chunk) = self.chunk().await? {
            if chunk.len() > limit - whole.len() {
                let name = self.head.name;
                return Err(RequestError::FieldTooLarge { name, limit });
            }
            whole.extend_from_slice(&chunk);
        }
        Ok(whole.freeze())
    }

    /// Reads the whole content as UTF-8 text, like [`Request::text`](crate::Request::text); otherwise like
    /// [`Field::bytes`].
    ///
    /// # Errors
    ///
    /// Like [`Field::bytes`].
    pub async fn text(self) -> Result<String, RequestError> {
        Ok(decode_utf8(&self.bytes().await?))
    }

    /// Reads the whole content as text, up to `limit` bytes; otherwise like [`Field::text`].
    ///
    /// # Errors
    ///
    /// Like [`Field::bytes`].
    pub async fn text_with_limit(self, limit: usize) -> Result<String, RequestError> {
        Ok(decode_utf8(&self.bytes_with_limit(limit).await?))
    }
}

impl Stream for Field {
    type Item = Result<Bytes, RequestError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let chunk = self.reading.borrow_mut().poll_chunk(self.head.number, cx);
        chunk.map(Result::transpose)
    }
}

/// The content as a streamed body, with the media type that the client sent.
impl From<Field> for Body {
    fn from(field: Field) -> Self {
        let media_type = field.content_type().map(str::to_owned);
        let body = Self::from_stream(field);
        match media_type {
            Some(media_type) => body.of_type(media_type),
            None => body,
        }
    }
}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Field")
            .field("name", &self.head.name)
            .field("file_name", &self.head.file_name)
            .field("headers", &self.head.headers)
            .finish_non_exhaustive()
    }
}
