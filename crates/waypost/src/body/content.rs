//! What a body that is in memory consists of.

use bytes::Bytes;

/// Bytes in memory. They are kept as they were given, so that a component holds only the code for what its handler
/// gives: that of [`Bytes`] alone is 2 kB.
pub(super) enum Full {
    Fixed(&'static [u8]),
    Own(Vec<u8>),
    Shared(Bytes),
}

impl Full {
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

    /// Copies it, at no cost.
    pub(super) fn copy(&mut self) -> Self {
        let bytes = std::mem::take(self).into_bytes();
        *self = Self::Shared(bytes.clone());
        Self::Shared(bytes)
    }
}

impl Default for Full {
    fn default() -> Self {
        Self::Fixed(&[])
    }
}

impl From<&'static [u8]> for Full {
    fn from(bytes: &'static [u8]) -> Self {
        Self::Fixed(bytes)
    }
}

impl From<&'static str> for Full {
    fn from(text: &'static str) -> Self {
        Self::Fixed(text.as_bytes())
    }
}

impl From<String> for Full {
    fn from(text: String) -> Self {
        Self::Own(text.into())
    }
}

impl From<Vec<u8>> for Full {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Own(bytes)
    }
}

impl From<Bytes> for Full {
    fn from(bytes: Bytes) -> Self {
        Self::Shared(bytes)
    }
}
