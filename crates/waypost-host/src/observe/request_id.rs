//! The id that a response shares with its log lines and with the requests that handlers made for it.

use http::HeaderValue;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Identifies one request of a client, inside the host and in the log.
///
/// Written as 32 lowercase hex digits, the form of a W3C trace id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct RequestId(u128);

/// Keys drawn from the operating system once per process: ids of two runs differ.
static KEYS: LazyLock<(RandomState, RandomState)> =
    LazyLock::new(|| (RandomState::new(), RandomState::new()));
static COUNTER: AtomicU64 = AtomicU64::new(0);

impl RequestId {
    /// Returns an id that no other request of this process has.
    ///
    /// A counter under two keyed hashes: unique for all practical purposes, and a client cannot tell
    /// from its id how many requests others sent.
    pub(crate) fn unique() -> Self {
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        let high = KEYS.0.hash_one(count);
        let low = KEYS.1.hash_one(count);
        Self(u128::from(high) << 64 | u128::from(low))
    }

    /// Returns the id as the value of a header.
    #[expect(
        clippy::expect_used,
        reason = "hexadecimal digits are a valid header value"
    )]
    pub(crate) fn header_value(self) -> HeaderValue {
        let digits = self.0.to_be_bytes().map(|byte| {
            let digit = |half: u8| b"0123456789abcdef"[usize::from(half)];
            [digit(byte >> 4), digit(byte & 0xf)]
        });
        HeaderValue::from_bytes(digits.as_flattened()).expect("hex digits make a header value")
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::RequestId;
    use std::collections::HashSet;

    #[test]
    fn ids_are_hex_and_differ() {
        let ids: HashSet<String> = (0..1_000)
            .map(|_| RequestId::unique().to_string())
            .collect();
        assert_eq!(ids.len(), 1_000);
        let id = RequestId::unique();
        assert_eq!(id.header_value(), id.to_string());
        let hex = |id: &String| id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit());
        assert!(ids.iter().all(hex));
    }
}
