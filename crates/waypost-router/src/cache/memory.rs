//! [`Memory`]: a store in the memory of one instance, for compositions.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::KeyValue;

/// A store in the memory of one instance, within a bound.
pub struct Memory {
    inner: RefCell<Inner>,
    /// In bytes.
    capacity: usize,
}

#[derive(Default)]
struct Inner {
    values: BTreeMap<String, Value>,
    size: usize,
    /// The number of reads and writes so far.
    uses: u64,
}

struct Value {
    bytes: Vec<u8>,
    /// When it was used last.
    used: u64,
}

/// What a value costs besides its bytes.
const OVERHEAD: usize = 128;

impl Memory {
    /// Makes an empty store of `capacity` bytes.
    pub fn new(capacity: usize) -> Self {
        Self {
            inner: RefCell::default(),
            capacity,
        }
    }
}

impl Inner {
    fn remove(&mut self, key: &str) {
        if let Some(value) = self.values.remove(key) {
            self.size -= value.bytes.len() + OVERHEAD;
        }
    }

    /// Removes the entries that were used longest ago. There are few, as the number of slots is fixed. Tokens stay: without
    /// them, something that was invalidated would be served again.
    fn shrink(&mut self, capacity: usize) {
        while self.size > capacity {
            let entries = self.values.iter().filter(|(key, _)| key.starts_with('e'));
            let entries = entries.filter(|(key, _)| key.as_str() != "epoch");
            let oldest = entries.min_by_key(|(_, value)| value.used);
            let Some(oldest) = oldest.map(|(key, _)| key.clone()) else {
                return;
            };
            self.remove(&oldest);
        }
    }
}

impl KeyValue for Memory {
    const IS_SHARED: bool = false;

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, String> {
        let inner = &mut *self.inner.borrow_mut();
        inner.uses += 1;
        Ok(inner.values.get_mut(key).map(|value| {
            value.used = inner.uses;
            value.bytes.clone()
        }))
    }

    async fn set(&self, key: &str, bytes: Vec<u8>) -> Result<(), String> {
        let inner = &mut *self.inner.borrow_mut();
        inner.uses += 1;
        inner.remove(key);
        if bytes.len() > self.capacity / 2 {
            // It would drive all others out.
            return Ok(());
        }
        inner.size += bytes.len() + OVERHEAD;
        let used = inner.uses;
        inner.values.insert(key.to_owned(), Value { bytes, used });
        inner.shrink(self.capacity);
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<(), String> {
        self.inner.borrow_mut().remove(key);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;

    #[test]
    fn the_entry_that_was_used_longest_ago_makes_room() {
        let memory = Memory::new(3000);
        let has = |key: &str| block_on(memory.get(key)).unwrap().is_some();
        let set = |key: &str, size: usize| block_on(memory.set(key, vec![0; size])).unwrap();
        set("epoch", 16);
        set("h1", 16);
        set("e1", 800);
        set("e2", 800);
        assert!(has("e1"));
        set("e3", 800);
        assert!(has("e1") && !has("e2") && has("e3"));
        set("e1", 900);
        assert!(has("e1") && has("e3"));
        // One that is too large is not kept.
        set("e4", 1501);
        assert!(has("e1") && !has("e4") && has("epoch") && has("h1"));
        for entry in ["e1", "e2", "e3"] {
            block_on(memory.delete(entry)).unwrap();
        }
        block_on(memory.delete("h1")).unwrap();
        assert!(!has("h1"));
        assert_eq!(memory.inner.borrow().size, 16 + OVERHEAD);
    }
}
