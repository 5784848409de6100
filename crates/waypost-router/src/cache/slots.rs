//! What the store holds, under a fixed number of keys.
//!
//! | key | value |
//! | --- | --- |
//! | `epoch` | the token that changes with every invalidation |
//! | `s` and a number below [`SUBJECTS`] | the token of the subjects of this slot that changes when responses become stale |
//! | `h` and a number below [`SUBJECTS`] | the one that changes when they must not be served any more |
//! | `e` and a number below [`ENTRIES`] | the last response that was stored for a key of this slot, which it contains |
//! | `v` and a number below [`ENTRIES`] | which entry of the slot was found valid, and at which epoch |
//! | `l` and a number below [`ENTRIES`] | which entry of the slot is refreshed, by whom, and until when others leave it to them |
//!
//! Two keys of one slot drive each other out. Two subjects of one slot are invalidated together. Both are safe.
//! Only get, set and delete are used, because no more works alike on all stores of Spin.

use std::num::NonZeroU32;
use std::time::Duration;

use waypost_cache::token::TokenPair;
use waypost_cache::{Entry, Key, Subject, Token};

use super::concurrent::{all, both};
use super::{KeyValue, Platform, ResponseCache};

/// The number of slots for responses.
const ENTRIES: NonZeroU32 = NonZeroU32::new(512).unwrap();

/// The number of slots for what is invalidated.
const SUBJECTS: NonZeroU32 = NonZeroU32::new(256).unwrap();

/// The key of the epoch.
const EPOCH: &str = "epoch";

/// How long a refresh of one instance keeps others from the same. Then it has failed, or the handler is slow.
const LEASE: Duration = Duration::from_secs(3);

/// Stands for one entry: the checksum at its end.
pub(super) type EntryId = [u8; 16];

/// A response from the store.
pub(super) struct Stored {
    pub(super) entry: Entry,
    pub(super) body: Vec<u8>,
    pub(super) id: EntryId,
}

impl Stored {
    /// Decodes the value of a slot, if it is an entry for this key.
    fn decode(value: &[u8], key: &Key) -> Option<Self> {
        // Bytes that are damaged, or of another version of Waypost, are a miss.
        let (entry, body) = Entry::from_bytes(value).ok()?;
        let id = *value.last_chunk()?;
        (entry.key == *key).then(|| Self {
            body: body.concat(),
            entry,
            id,
        })
    }
}

/// Returns the slot of a key.
pub(super) fn slot(key: &Key) -> u32 {
    key.slot(ENTRIES)
}

impl<P: Platform> ResponseCache<P> {
    /// Reads the epoch and the entry of a key, at once.
    pub(super) async fn read(&self, key: &Key) -> Result<(Token, Option<Stored>), String> {
        let store = self.platform.store();
        let (epoch, value) = both(self.epoch(), store.get(&format!("e{}", slot(key)))).await;
        let stored = value?.and_then(|value| Stored::decode(&value, key));
        Ok((epoch?, stored))
    }

    pub(super) async fn epoch(&self) -> Result<Token, String> {
        self.token(EPOCH).await
    }

    /// Reads the tokens of subjects, all at once.
    pub(super) async fn tokens(&self, of: &[Subject]) -> Result<Vec<TokenPair>, String> {
        let pairs = of.iter().map(|subject| {
            let slot = subject.slot(SUBJECTS);
            async move {
                let (soft, hard) = (format!("s{slot}"), format!("h{slot}"));
                let (soft, hard) = both(self.token(&soft), self.token(&hard)).await;
                Ok(TokenPair {
                    soft: soft?,
                    hard: hard?,
                })
            }
        });
        all(pairs).await
    }

    async fn token(&self, key: &str) -> Result<Token, String> {
        let value = self.platform.store().get(key).await?;
        // What is no token was not written by this cache. It is like one that was never written.
        let token = value.and_then(|value| value.try_into().ok());
        Ok(token.map_or(Token::NEVER, Token))
    }

    /// Replaces the tokens of subjects, and then the epoch. Each subject has whether its hard token is replaced.
    pub(super) async fn change(
        &self,
        subjects: impl Iterator<Item = (Subject, bool)>,
    ) -> Result<(), String> {
        let mut keys: Vec<String> = Vec::new();
        for (subject, is_hard) in subjects {
            let kind = if is_hard { 'h' } else { 's' };
            let key = format!("{kind}{}", subject.slot(SUBJECTS));
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        all(keys.iter().map(|key| self.renew(key))).await?;
        self.renew(EPOCH).await
    }

    /// Replaces a token, with a second attempt: a lost invalidation would leave old responses.
    async fn renew(&self, key: &str) -> Result<(), String> {
        let (store, value) = (self.platform.store(), self.platform.random().to_vec());
        match store.set(key, value.clone()).await {
            Ok(()) => Ok(()),
            Err(_) => store.set(key, value).await,
        }
    }

    /// Returns whether another instance has found an entry valid at this epoch.
    pub(super) async fn is_seen(
        &self,
        slot: u32,
        id: EntryId,
        epoch: Token,
    ) -> Result<bool, String> {
        let value = self.platform.store().get(&format!("v{slot}")).await?;
        Ok(value.is_some_and(|value| value == seen(id, epoch)))
    }

    /// Tells other instances that an entry was valid at this epoch.
    pub(super) async fn see(&self, slot: u32, id: EntryId, epoch: Token) -> Result<(), String> {
        let store = self.platform.store();
        store.set(&format!("v{slot}"), seen(id, epoch)).await
    }

    /// Asks for the right to refresh an entry. Several instances may get it at once, which is harmless.
    pub(super) async fn lease(&self, slot: u32, id: EntryId) -> Result<bool, String> {
        let (store, key) = (self.platform.store(), format!("l{slot}"));
        let now = self.platform.now();
        let is_taken = store.get(&key).await?.is_some_and(|value| {
            let parts = value.split_at_checked(id.len() + 8);
            let until = parts.and_then(|(head, _)| head.last_chunk().copied());
            let until = Duration::from_millis(u64::from_le_bytes(until.unwrap_or_default()));
            // A clock that was set back must not keep all from refreshing.
            value.starts_with(&id) && now < until && until <= now.saturating_add(2 * LEASE)
        });
        if is_taken {
            return Ok(false);
        }
        let until = now.saturating_add(LEASE).as_millis();
        let until = u64::try_from(until).unwrap_or(u64::MAX).to_le_bytes();
        let own = [&id[..], &until, &self.platform.random()].concat();
        store.set(&key, own.clone()).await?;
        Ok(store.get(&key).await?.is_some_and(|value| value == own))
    }

    pub(super) async fn write(&self, slot: u32, value: Vec<u8>) -> Result<(), String> {
        self.platform.store().set(&format!("e{slot}"), value).await
    }

    pub(super) async fn remove(&self, slot: u32) -> Result<(), String> {
        self.platform.store().delete(&format!("e{slot}")).await
    }
}

fn seen(id: EntryId, epoch: Token) -> Vec<u8> {
    [id, epoch.0].concat()
}
