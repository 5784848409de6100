//! Forms: the data that a form in a browser sends.

mod encode;
mod limits;
mod read;

use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::error::RequestError;
pub use limits::FormLimits;
#[cfg(feature = "multipart")]
pub(crate) use read::essence;

/// The fields of a form in order, like [`FormData`](https://xhr.spec.whatwg.org/#interface-formdata) on the Web.
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
    /// Text that was typed or chosen.
    Text(String),
    /// A file that was picked.
    File(File),
}

/// A file of a form.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct File {
    /// The file name that the client sent. It may contain anything: never use it as a path.
    pub name: String,
    /// The media type that the client sent, or `text/plain` if it sent none.
    pub media_type: String,
    /// The bytes.
    pub content: Bytes,
}

impl FormData {
    /// Creates an empty form.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a text field.
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

    /// Returns the first text of a name, or `None` if there is none.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_all(name).find_map(|value| match value {
            FormValue::Text(text) => Some(text.as_str()),
            FormValue::File(_) => None,
        })
    }

    /// Returns the first file of a name, or `None` if there is none.
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

    /// Deserializes the texts into a `T`, field by field. Files are ignored.
    ///
    /// # Errors
    ///
    /// [`RequestError::Form`] if a field is missing or invalid, [`RequestError::UnsupportedType`] if text can't become a
    /// `T`.
    pub fn into_typed<T: DeserializeOwned>(self) -> Result<T, RequestError> {
        let texts = self.0.into_iter().filter_map(|(name, value)| match value {
            FormValue::Text(text) => Some((name, text)),
            FormValue::File(_) => None,
        });
        crate::extract::de::from_pairs(texts)
            .map_err(|error| RequestError::of_type::<T>(error, RequestError::Form))
    }
}

impl File {
    /// Creates a file.
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

    /// Returns the media type, or the default of the Fetch standard if there is none. One that is not ASCII counts as
    /// none ([File API](https://w3c.github.io/FileAPI/#constructorBlob)).
    fn sent_media_type(&self) -> &str {
        let is_ascii = |text: &str| text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        match self.media_type.trim() {
            media_type if !media_type.is_empty() && is_ascii(media_type) => media_type,
            _ => "application/octet-stream",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Signup {
        name: String,
        age: Option<u8>,
    }

    #[test]
    fn typed() {
        let form = FormData::new().with("name", "Ada").with("age", "36");
        let signup: Signup = form.into_typed().unwrap();
        assert_eq!((signup.name.as_str(), signup.age), ("Ada", Some(36)));
        let form = FormData::new().with("name", "Ada").with("age", "old");
        let error = form.into_typed::<Signup>().err().unwrap();
        assert_eq!(error.status(), 400);
        assert!(
            error
                .to_string()
                .ends_with("`age` is `old`, which is not a valid `u8`"),
            "{error}"
        );
    }
}
