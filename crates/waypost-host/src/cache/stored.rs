//! [`Stored`]: a response in memory.

use super::tokens::{Slot, TokenTable};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use waypost_cache::retry::retry_after;
use waypost_cache::token::TokenPair;
use waypost_cache::{Life, Tokens, Verdict};

/// What a response costs besides its contents, in bytes: the structures of this module, of the map and of the allocator.
const OVERHEAD: usize = 512;

/// What each header costs besides its text, in bytes.
const OVERHEAD_OF_HEADER: usize = 128;

/// A response that was stored, with what is needed to judge it.
pub(super) struct Stored {
    pub(super) head: StoredHead,
    pub(super) body: Bytes,
    pub(super) life: Life,
    /// When the run began, as a time since the Unix epoch.
    pub(super) made: Duration,
    pub(super) tags: Vec<String>,
    /// The tokens that were read before the run.
    tokens: Arc<SlotTokens>,
    /// The epoch at which the tokens were compared last.
    compared: AtomicU64,
    /// Failed attempts to refresh the response.
    failed: Mutex<FailedRefreshes>,
}

/// Status and headers, without those that are computed for each response.
#[derive(Clone)]
pub(super) struct StoredHead {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
}

/// The tokens of some slots at one time.
pub(super) struct SlotTokens {
    /// The epoch before they were read.
    epoch: u64,
    slots: Vec<Slot>,
    tokens: Tokens,
}

impl SlotTokens {
    /// Reads the current tokens of these slots.
    pub(super) fn read(table: &TokenTable, slots: Vec<Slot>) -> Self {
        let epoch = table.epoch();
        let pairs = table.read(&slots);
        Self {
            epoch,
            slots,
            tokens: Tokens {
                pairs,
                ..Tokens::default()
            },
        }
    }

    /// Returns these tokens and the current ones of further slots, or `None` if anything was invalidated meanwhile.
    pub(super) fn with(&self, table: &TokenTable, more: Vec<Slot>) -> Option<Self> {
        let further = table.read(&more);
        let pairs = [self.tokens.pairs.as_slice(), &further].concat();
        let joined = Self {
            epoch: self.epoch,
            slots: [self.slots.as_slice(), &more].concat(),
            tokens: Tokens {
                pairs,
                ..Tokens::default()
            },
        };
        (table.epoch() == self.epoch).then_some(joined)
    }

    /// Compares these tokens with the current ones.
    pub(super) fn verdict(&self, table: &TokenTable) -> Verdict {
        match table.epoch() == self.epoch {
            true => Verdict::Fresh,
            false => self.tokens.compare(&table.read(&self.slots)),
        }
    }
}

/// Failed attempts to refresh a response.
#[derive(Default)]
struct FailedRefreshes {
    in_a_row: u32,
    /// When the next attempt may begin, as a time since the Unix epoch.
    next: Duration,
}

impl Stored {
    pub(super) fn new(
        head: StoredHead,
        body: Bytes,
        life: Life,
        made: Duration,
        tags: Vec<String>,
        tokens: Arc<SlotTokens>,
    ) -> Self {
        Self {
            head,
            body,
            life,
            made,
            tags,
            compared: AtomicU64::new(tokens.epoch),
            tokens,
            failed: Mutex::default(),
        }
    }

    /// Judges the response by its age and by the current tokens.
    pub(super) fn verdict(&self, table: &TokenTable, now: Duration) -> Verdict {
        let by_age = Verdict::by_age(self.made, now, self.life);
        let epoch = table.epoch();
        if self.compared.load(Ordering::Relaxed) == epoch {
            return by_age;
        }
        let by_tokens = self.tokens.verdict(table);
        if by_tokens == Verdict::Fresh {
            self.compared.store(epoch, Ordering::Relaxed);
        }
        by_age.and(by_tokens)
    }

    pub(super) fn age(&self, now: Duration) -> Duration {
        now.saturating_sub(self.made)
    }

    pub(super) fn etag(&self) -> Option<&HeaderValue> {
        self.head.headers.get(http::header::ETAG)
    }

    /// Returns the memory that the response takes with a key of this length, in bytes.
    pub(super) fn weight(&self, key: usize) -> usize {
        let headers = self.head.headers.iter();
        let headers =
            headers.map(|(name, value)| name.as_str().len() + value.len() + OVERHEAD_OF_HEADER);
        let tags = self.tags.iter().map(|tag| tag.len() + size_of::<String>());
        let tokens = self.tokens.slots.len() * (size_of::<Slot>() + size_of::<TokenPair>());
        let sizes = [key, self.body.len(), tokens, OVERHEAD];
        headers.chain(tags).chain(sizes).sum()
    }

    /// Returns whether a refresh may begin now. It may not for a while after one that failed.
    pub(super) fn may_refresh(&self, now: Duration) -> bool {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.next <= now
    }

    /// Records that a refresh failed.
    pub(super) fn refresh_failed(&self, now: Duration) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.in_a_row = failed.in_a_row.saturating_add(1);
        let mut jitter = [0];
        // Without it, refreshes of many keys begin together.
        let _ = getrandom::fill(&mut jitter);
        failed.next = now.saturating_add(retry_after(failed.in_a_row, jitter[0]));
    }
}
