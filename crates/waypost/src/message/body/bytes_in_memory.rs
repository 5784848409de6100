//! The bytes of a body that is in memory.

use bytes::Bytes;

/// Bytes in the form in which the handler passed them, so that a component contains only the code for that form.
pub(super) enum InMemory {
    Fixed(&'static [u8]),
    Own(Vec<u8>),
    Shared(Bytes),
}

impl InMemory {
    pub(super) fn as_slice(&self) -> &[u8] {
        match self {
            Self::Fixed(bytes) => bytes,
            Self::Own(bytes) => bytes,
            Self::Shared(bytes) => bytes,
        }
    }

    #[cfg(all(target_arch = "wasm32", target_env = "p2"))]
    pub(super) fn into_vec(self) -> Vec<u8> {
        match self {
            Self::Fixed(bytes) => bytes.to_vec(),
            Self::Own(bytes) => bytes,
            Self::Shared(bytes) => bytes.into(),
        }
    }

    pub(super) fn into_bytes(self) -> Bytes {
        match self {
            Self::Fixed(bytes) => Bytes::from_static(bytes),
            Self::Own(bytes) => bytes.into(),
            Self::Shared(bytes) => bytes,
        }
    }

    /// Returns a second handle on the same bytes, without copying them.
    pub(super) fn copy(&mut self) -> Self {
        let bytes = std::mem::take(self).into_bytes();
        *self = Self::Shared(bytes.clone());
        Self::Shared(bytes)
    }
}

impl Default for InMemory {
    fn default() -> Self {
        Self::Fixed(&[])
    }
}

impl From<&'static [u8]> for InMemory {
    fn from(bytes: &'static [u8]) -> Self {
        Self::Fixed(bytes)
    }
}

impl From<&'static str> for InMemory {
    fn from(text: &'static str) -> Self {
        Self::Fixed(text.as_bytes())
    }
}

impl From<String> for InMemory {
    fn from(text: String) -> Self {
        Self::Own(text.into())
    }
}

impl From<Vec<u8>> for InMemory {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Own(bytes)
    }
}

impl From<Bytes> for InMemory {
    fn from(bytes: Bytes) -> Self {
        Self::Shared(bytes)
    }
}
