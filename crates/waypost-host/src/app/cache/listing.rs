//! What the cache holds, for operators: heads and identities, no bodies.

use super::ResponseCache;
use super::stored::Stored;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderName};
use std::sync::Arc;
use std::time::Duration;
use waypost_cache::key::KeyParts;
use waypost_cache::{Key, Life, Verdict};

/// Which stored responses to list.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    /// The beginning of their paths.
    pub(crate) prefix: String,
    /// A tag that they have.
    pub(crate) tag: Option<String>,
    /// How many at most.
    pub(crate) limit: usize,
}

/// Some of the stored responses.
pub(crate) struct Listing {
    /// The first ones by path, at most as many as asked for.
    pub(crate) entries: Vec<ListedEntry>,
    /// How many there are for the filter.
    pub(crate) matching: usize,
}

/// A stored response.
pub(crate) struct ListedEntry {
    pub(crate) id: String,
    /// What the key says.
    pub(crate) parts: KeyParts,
    pub(crate) status: StatusCode,
    pub(crate) verdict: Verdict,
    pub(crate) age: Duration,
    pub(crate) life: Life,
    pub(crate) tags: Vec<String>,
    /// How often it was served.
    pub(crate) hits: u64,
    /// The length of its body, in bytes.
    pub(crate) body: usize,
    /// The memory that it takes, in bytes.
    pub(crate) weight: usize,
    stored: Arc<Stored>,
}

impl ListedEntry {
    /// Returns the headers that concern caching, and the type: other ones may be nobody's business.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&str, String)> {
        const SHOWN: [HeaderName; 3] = [CACHE_CONTROL, CONTENT_TYPE, ETAG];
        let headers = self.stored.head.headers.iter();
        headers
            .filter(|(name, _)| SHOWN.contains(name))
            .map(|(name, value)| {
                let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                (name.as_str(), value)
            })
    }
}

impl ResponseCache {
    /// Lists stored responses, ordered by path. This looks at all of them, so it takes a while if there are many.
    pub(crate) fn list(&self, filter: &Filter) -> Listing {
        let mut first: Vec<(KeyParts, Key, Arc<Stored>)> = Vec::new();
        let mut matching = 0;
        let keep_first = |found: &mut Vec<(KeyParts, Key, Arc<Stored>)>| {
            found.sort_by(|(one, ..), (other, ..)| order(one).cmp(&order(other)));
            found.truncate(filter.limit);
        };
        for (key, stored) in self.memory.iter() {
            let has_tag = |tag: &String| stored.tags.contains(tag);
            let Some(parts) = KeyParts::of(&key) else {
                continue;
            };
            if !parts.path.starts_with(&filter.prefix) || !filter.tag.as_ref().is_none_or(has_tag) {
                continue;
            }
            matching += 1;
            first.push((parts, key, stored));
            // Sorted rarely, and never more than the answer twice over.
            if first.len() > filter.limit.saturating_mul(2) {
                keep_first(&mut first);
            }
        }
        keep_first(&mut first);
        let entries = first.into_iter();
        let entries = entries.map(|(parts, key, stored)| self.listed(parts, &key, stored));
        Listing {
            entries: entries.collect(),
            matching,
        }
    }

    /// Returns the stored response with this id, or `None` if there is none, or not any more.
    pub(crate) fn find(&self, id: &str) -> Option<ListedEntry> {
        let (key, stored) = self.memory.iter().find(|(key, _)| id_of(key) == id)?;
        Some(self.listed(KeyParts::of(&key)?, &key, stored))
    }

    fn listed(&self, parts: KeyParts, key: &Key, stored: Arc<Stored>) -> ListedEntry {
        let now = self.clock.now();
        ListedEntry {
            id: id_of(key),
            parts,
            status: stored.head.status,
            verdict: stored.verdict(&self.invalidations, now),
            age: stored.head.age(now),
            life: stored.head.life,
            tags: stored.tags.to_vec(),
            hits: stored.hits(),
            body: stored.body.len(),
            weight: stored.weight(key.as_bytes().len()),
            stored,
        }
    }
}

fn order(parts: &KeyParts) -> (&str, &str, &str) {
    (&parts.path, &parts.query, &parts.authority)
}

/// Returns the name of an entry for operators.
fn id_of(key: &Key) -> String {
    let digest = key.digest();
    let (start, _) = digest.split_at(8);
    start.iter().map(|byte| format!("{byte:02x}")).collect()
}
