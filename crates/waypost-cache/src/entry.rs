//! [`Entry`]: a stored response without its body.

mod bytes;

use std::time::Duration;

pub use bytes::EntryError;

use crate::{Key, Life, Token, Tokens, Verdict, token::TokenPair};

/// A stored response without its body, and what is needed to judge it.
///
/// The body is separate, so that a host can share its bytes: see [`to_bytes`](Self::to_bytes).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key of the request. A store with slots compares it, because several keys may have the same slot.
    pub key: Key,
    /// The status.
    pub status: u16,
    /// The headers from [`stored_headers`](crate::headers::stored_headers): lowercase names, and values.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The tags, from which [`Subject::of_response`](crate::Subject::of_response) computes the subjects of the tokens.
    pub tags: Vec<String>,
    /// The tokens that were read before the run.
    pub tokens: Tokens,
    /// How long the response is fresh, and how long it is served.
    pub life: Life,
    /// When the run began, as a time since the Unix epoch. It is stored in whole milliseconds.
    pub made: Duration,
}

/// What an entry costs besides its contents, in bytes: the structures of this crate, of a map and of an allocator.
const OVERHEAD: usize = 512;

/// What each header, tag and pair of tokens costs besides its text, in bytes.
const OVERHEAD_OF_ITEM: usize = 64;

impl Entry {
    /// Returns the age of the response. It is zero if `now`, a time since the Unix epoch, is before the run.
    pub fn age(&self, now: Duration) -> Duration {
        now.saturating_sub(self.made)
    }

    /// Judges the entry by the epoch alone. Returns `None` if something was invalidated since the entry was last compared.
    /// Then [`verdict`](Self::verdict) needs the current tokens.
    pub fn verdict_of_epoch(&self, epoch: Token, now: Duration) -> Option<Verdict> {
        (self.tokens.epoch == epoch).then(|| Verdict::by_age(self.made, now, self.life))
    }

    /// Judges the entry by its age and by the current tokens of its subjects.
    pub fn verdict(&self, current: &[TokenPair], now: Duration) -> Verdict {
        self.tokens
            .compare(current)
            .and(Verdict::by_age(self.made, now, self.life))
    }

    /// Returns the memory that the entry takes, in bytes, with its key, all overhead and a body of this length.
    pub fn weight(&self, body: usize) -> usize {
        let headers = self
            .headers
            .iter()
            .map(|(name, value)| name.len() + value.len());
        let tags = self.tags.iter().map(String::len);
        let items = headers.chain(tags).map(|size| size + OVERHEAD_OF_ITEM);
        let pairs = self.tokens.pairs.len() * size_of::<TokenPair>();
        let sizes = [self.key.as_bytes().len(), pairs, body, OVERHEAD];
        items.chain(sizes).fold(0, usize::saturating_add)
    }
}

#[cfg(test)]
mod tests;
