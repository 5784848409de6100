//! The types that a body can be made of: text and bytes, whole or as the chunks of a stream.

use bytes::Bytes;

use super::{Body, BoxError, Content, MediaType};

/// A chunk of a streamed body: bytes, text, or a `Result` whose error breaks the stream off.
pub trait Chunk {
    /// Converts the chunk into bytes.
    ///
    /// # Errors
    ///
    /// The error that breaks the stream off. Before the first byte was sent the response becomes a 500, afterwards
    /// the connection is cut.
    fn into_bytes(self) -> Result<Bytes, BoxError>;
}

impl<C: Chunk, E: Into<BoxError>> Chunk for Result<C, E> {
    fn into_bytes(self) -> Result<Bytes, BoxError> {
        self.map_err(Into::into)?.into_bytes()
    }
}

macro_rules! from_bytes {
    ($media_type:expr => $($from:ty),*) => {$(
        impl From<$from> for Body {
            fn from(content: $from) -> Self {
                let body = Self::of(Content::InMemory(content.into()));
                Self { media_type: $media_type, ..body }
            }
        }

        impl Chunk for $from {
            fn into_bytes(self) -> Result<Bytes, BoxError> {
                Ok(Bytes::from(self))
            }
        }
    )*};
}

from_bytes!(Some(MediaType::TEXT) => &'static str, String);
from_bytes!(None => &'static [u8], Vec<u8>, Bytes);

impl<const N: usize> From<&'static [u8; N]> for Body {
    fn from(content: &'static [u8; N]) -> Self {
        Self::of(Content::InMemory(content.as_slice().into()))
    }
}

impl From<()> for Body {
    fn from((): ()) -> Self {
        Self::empty()
    }
}
