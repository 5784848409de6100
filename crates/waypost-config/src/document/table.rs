//! A TOML table, with getters that report faults.

use std::ops::Range;

use toml::Spanned;
use toml::de::DeTable;

use super::{Collector, Located, Value, did_you_mean};
use crate::fault::FaultKind;

/// The valid keys of a table.
pub(crate) struct Keys {
    /// The keys that are read.
    pub(crate) known: &'static [&'static str],
    /// The keys that Spin supports and Waypost does not, each with advice.
    pub(crate) unsupported: &'static [(&'static str, &'static str)],
}

impl Keys {
    /// Creates the keys of a table without unsupported ones.
    pub(crate) const fn only(known: &'static [&'static str]) -> Self {
        Self {
            known,
            unsupported: &[],
        }
    }
}

/// The form of a table's header.
#[derive(Clone, Copy)]
pub(super) enum Header {
    /// `[table]`
    Table,
    /// `[[list]]`
    Item,
}

/// A table, with its header for messages.
#[derive(Clone)]
pub(crate) struct Table<'t> {
    path: String,
    header: Header,
    range: Range<usize>,
    entries: &'t DeTable<'t>,
}

impl<'t> Table<'t> {
    pub(super) fn root(root: &'t Spanned<DeTable<'t>>) -> Self {
        Self {
            path: String::new(),
            header: Header::Table,
            range: 0..0,
            entries: root.get_ref(),
        }
    }

    /// Creates a table below the top level; `path` is its dotted path.
    pub(super) fn new(
        path: &str,
        header: Header,
        range: &Range<usize>,
        entries: &'t DeTable<'t>,
    ) -> Self {
        Self {
            path: path.to_owned(),
            header,
            range: range.clone(),
            entries,
        }
    }

    /// Returns the place of the header.
    pub(crate) fn range(&self) -> &Range<usize> {
        &self.range
    }

    /// Returns the name of the table in messages.
    pub(crate) fn title(&self) -> String {
        match (self.path.is_empty(), self.header) {
            (true, _) => "the top-level table".to_owned(),
            (false, Header::Item) => format!("`[[{}]]`", self.path),
            (false, Header::Table) => format!("`[{}]`", self.path),
        }
    }

    /// Reports every key that is unknown or unsupported.
    pub(crate) fn check_keys(&self, keys: &Keys, faults: &mut Collector) {
        for (key, value) in self.entries() {
            if keys.known.contains(&key.value) {
                continue;
            }
            match keys.unsupported.iter().find(|(name, _)| *name == key.value) {
                // An empty list or table has no effect.
                Some(_) if value.is_empty() => {}
                Some((name, hint)) => {
                    let what = format!("`{name}` in {} is", self.title());
                    faults.add_hinted(&key.range, FaultKind::Unsupported { what }, *hint);
                }
                None => self.report_unknown(&key, keys, faults),
            }
        }
    }

    /// Returns every key with its value, in the order of the keys.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (Located<&'t str>, Value<'t>)> {
        let (path, title) = (self.path.clone(), self.title());
        self.entries.iter().map(move |(key, value)| {
            let name = key.get_ref().as_ref();
            let located = Located::new(name, key.span());
            (located, Value::new(&path, &title, name, value))
        })
    }

    /// Returns the value of a key, or `None` if the key is absent.
    pub(crate) fn get(&self, key: &str) -> Option<Value<'t>> {
        let value = self.entries.get(key)?;
        Some(Value::new(&self.path, &self.title(), key, value))
    }

    /// Returns the value of a required key. Reports it if it is absent.
    pub(crate) fn require(&self, key: &str, faults: &mut Collector) -> Option<Value<'t>> {
        let value = self.get(key);
        if value.is_none() {
            let (key, table) = (key.to_owned(), self.title());
            faults.add(&self.range, FaultKind::Missing { key, table });
        }
        value
    }

    /// Returns the string at a key.
    pub(crate) fn string(&self, key: &str, faults: &mut Collector) -> Option<Located<String>> {
        self.get(key)?.string(faults)
    }

    /// Returns the list of strings at a key, empty if the key is absent.
    pub(crate) fn strings(&self, key: &str, faults: &mut Collector) -> Vec<Located<String>> {
        let Some(value) = self.get(key) else {
            return Vec::new();
        };
        let items = value.items("a list of strings", faults);
        items
            .into_iter()
            .filter_map(|item| item.string(faults))
            .collect()
    }

    /// Returns the boolean at a key, `false` if the key is absent.
    pub(crate) fn flag(&self, key: &str, faults: &mut Collector) -> bool {
        self.get(key)
            .and_then(|value| value.boolean(faults))
            .unwrap_or(false)
    }

    /// Returns the table at a key.
    pub(crate) fn table(&self, key: &str, faults: &mut Collector) -> Option<Table<'t>> {
        self.get(key)?.table(faults)
    }

    /// Returns the keys of the table at `key`, if there is one. Reports nothing.
    pub(crate) fn names_in(&self, key: &str) -> Vec<&'t str> {
        let table = self
            .entries
            .get(key)
            .and_then(|value| value.get_ref().as_table());
        let names = table.into_iter().flat_map(|table| table.keys());
        names.map(|name| name.get_ref().as_ref()).collect()
    }

    fn report_unknown(&self, key: &Located<&str>, keys: &Keys, faults: &mut Collector) {
        let names = keys.unsupported.iter().map(|(name, _)| *name);
        let hint = did_you_mean(key.value, keys.known.iter().copied().chain(names));
        let kind = FaultKind::UnknownKey {
            key: key.value.to_owned(),
            table: self.title(),
        };
        faults.push(&key.range, kind, hint);
    }
}
