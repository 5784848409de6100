//! A TOML table and its values, with getters that report what is wrong.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Collector, did_you_mean};
use crate::fault::FaultKind;

/// Something read from a file, and the bytes that it was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Located<T> {
    pub(crate) value: T,
    pub(crate) range: Range<usize>,
}

impl<T> Located<T> {
    pub(crate) fn new(value: T, range: Range<usize>) -> Self {
        Self { value, range }
    }
}

/// The keys of a table.
pub(crate) struct Keys {
    /// Those that are read.
    pub(crate) known: &'static [&'static str],
    /// Those that Spin reads and this host refuses, each with what to do instead.
    pub(crate) unsupported: &'static [(&'static str, &'static str)],
}

impl Keys {
    /// Makes the keys of a table that has no refused ones.
    pub(crate) const fn only(known: &'static [&'static str]) -> Self {
        Self {
            known,
            unsupported: &[],
        }
    }
}

/// A table and the header by which messages name it.
#[derive(Clone)]
pub(crate) struct Table<'t> {
    path: String,
    in_list: bool,
    range: Range<usize>,
    entries: &'t DeTable<'t>,
}

impl<'t> Table<'t> {
    pub(super) fn root(root: &'t Spanned<DeTable<'t>>) -> Self {
        Self {
            path: String::new(),
            in_list: false,
            range: 0..0,
            entries: root.get_ref(),
        }
    }

    /// Gives the place of the header.
    pub(crate) fn range(&self) -> &Range<usize> {
        &self.range
    }

    /// Names the table in a message.
    pub(crate) fn title(&self) -> String {
        match (self.path.is_empty(), self.in_list) {
            (true, _) => "the top-level table".to_owned(),
            (false, true) => format!("`[[{}]]`", self.path),
            (false, false) => format!("`[{}]`", self.path),
        }
    }

    /// Reports every key that is unknown, and every one that asks for something unsupported.
    pub(crate) fn check_keys(&self, keys: &Keys, faults: &mut Collector) {
        for (key, value) in self.entries() {
            if keys.known.contains(&key.value) {
                continue;
            }
            match keys.unsupported.iter().find(|(name, _)| *name == key.value) {
                // An empty list or table asks for nothing.
                Some(_) if value.is_empty() => {}
                Some((name, hint)) => {
                    let what = format!("`{name}` in {} is", self.title());
                    faults.add_hinted(&key.range, FaultKind::Unsupported { what }, *hint);
                }
                None => self.report_unknown(&key, keys, faults),
            }
        }
    }

    /// Gives every key with its value, in the order of the keys.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (Located<&'t str>, Value<'t>)> {
        let (path, title) = (self.path.clone(), self.title());
        self.entries.iter().map(move |(key, value)| {
            let name = key.get_ref().as_ref();
            let located = Located::new(name, key.span());
            (located, Value::new(&path, &title, name, value))
        })
    }

    /// Gives the value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<Value<'t>> {
        let value = self.entries.get(key)?;
        Some(Value::new(&self.path, &self.title(), key, value))
    }

    /// Gives the value of a key that must be there.
    pub(crate) fn require(&self, key: &str, faults: &mut Collector) -> Option<Value<'t>> {
        let value = self.get(key);
        if value.is_none() {
            let (key, table) = (key.to_owned(), self.title());
            faults.add(&self.range, FaultKind::Missing { key, table });
        }
        value
    }

    /// Gives a string.
    pub(crate) fn string(&self, key: &str, faults: &mut Collector) -> Option<Located<String>> {
        self.get(key)?.string(faults)
    }

    /// Gives a list of strings; nothing is an empty one.
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

    /// Gives a boolean; nothing is `false`.
    pub(crate) fn flag(&self, key: &str, faults: &mut Collector) -> bool {
        self.get(key)
            .and_then(|value| value.boolean(faults))
            .unwrap_or(false)
    }

    /// Gives a table.
    pub(crate) fn table(&self, key: &str, faults: &mut Collector) -> Option<Table<'t>> {
        self.get(key)?.table(faults)
    }

    /// Gives the keys of the table at `key`, if there is one, and reports nothing.
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

/// A value, and the key and table by which messages name it.
#[derive(Clone)]
pub(crate) struct Value<'t> {
    path: String,
    table: String,
    key: String,
    range: Range<usize>,
    value: &'t DeValue<'t>,
}

impl<'t> Value<'t> {
    fn new(parent: &str, table: &str, key: &str, value: &'t Spanned<DeValue<'t>>) -> Self {
        Self {
            path: join(parent, key),
            table: table.to_owned(),
            key: key.to_owned(),
            range: value.span(),
            value: value.get_ref(),
        }
    }

    pub(crate) fn range(&self) -> &Range<usize> {
        &self.range
    }

    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// Names the table that the value stands in.
    pub(crate) fn table_title(&self) -> &str {
        &self.table
    }

    pub(crate) fn is_string(&self) -> bool {
        self.value.is_str()
    }

    pub(crate) fn is_list(&self) -> bool {
        self.value.is_array()
    }

    pub(crate) fn is_table(&self) -> bool {
        self.value.is_table()
    }

    /// Says whether this is a list or a table without entries.
    pub(crate) fn is_empty(&self) -> bool {
        match self.value {
            DeValue::Array(items) => items.is_empty(),
            DeValue::Table(entries) => entries.is_empty(),
            _ => false,
        }
    }

    /// Gives the number of an integer; one that is too great for 64 bits becomes the greatest
    /// that isn't, and one that is too small the smallest.
    pub(crate) fn as_integer(&self) -> Option<i64> {
        let integer = self.value.as_integer()?;
        let nearest = match integer.as_str().starts_with('-') {
            true => i64::MIN,
            false => i64::MAX,
        };
        Some(i64::from_str_radix(integer.as_str(), integer.radix()).unwrap_or(nearest))
    }

    /// Gives an integer as it is written.
    pub(crate) fn integer_text(&self) -> String {
        self.value
            .as_integer()
            .map(ToString::to_string)
            .unwrap_or_default()
    }

    /// Gives the text of a string.
    pub(crate) fn as_str(&self) -> Option<&'t str> {
        self.value.as_str()
    }

    pub(crate) fn string(&self, faults: &mut Collector) -> Option<Located<String>> {
        match self.value.as_str() {
            Some(text) => Some(Located::new(text.to_owned(), self.range.clone())),
            None => self.wrong("a string", faults),
        }
    }

    pub(crate) fn boolean(&self, faults: &mut Collector) -> Option<bool> {
        match self.value.as_bool() {
            Some(value) => Some(value),
            None => self.wrong("`true` or `false`", faults),
        }
    }

    pub(crate) fn table(&self, faults: &mut Collector) -> Option<Table<'t>> {
        match self.value.as_table() {
            Some(entries) => Some(self.as_table(entries, false)),
            None => self.wrong("a table", faults),
        }
    }

    /// Gives the values of a list, which messages name by the list's key and their place in it.
    pub(crate) fn items(&self, expected: &'static str, faults: &mut Collector) -> Vec<Value<'t>> {
        let Some(items) = self.value.as_array() else {
            return self.wrong(expected, faults).unwrap_or_default();
        };
        items
            .iter()
            .enumerate()
            .map(|(index, item)| Value {
                key: format!("{}[{index}]", self.key),
                range: item.span(),
                value: item.get_ref(),
                ..self.clone()
            })
            .collect()
    }

    /// Gives the tables of a `[[list]]`.
    pub(crate) fn tables(&self, faults: &mut Collector) -> Vec<Table<'t>> {
        let items = self.items("a list of tables", faults);
        items
            .into_iter()
            .filter_map(|item| match item.value.as_table() {
                Some(entries) => Some(item.as_table(entries, true)),
                None => item.wrong("a table", faults),
            })
            .collect()
    }

    /// Gives this item of a list as a table.
    pub(crate) fn item_table(&self, faults: &mut Collector) -> Option<Table<'t>> {
        self.table(faults).map(|table| Table {
            in_list: true,
            ..table
        })
    }

    /// Reports that the value is not of the expected type.
    pub(crate) fn wrong<T>(&self, expected: &'static str, faults: &mut Collector) -> Option<T> {
        faults.add(&self.range, self.wrong_type(expected));
        None
    }

    /// Gives the fault that the value is not of the expected type.
    pub(crate) fn wrong_type(&self, expected: &'static str) -> FaultKind {
        FaultKind::WrongType {
            key: self.key.clone(),
            table: self.table.clone(),
            expected,
            found: self.type_name(),
        }
    }

    fn as_table(&self, entries: &'t DeTable<'t>, in_list: bool) -> Table<'t> {
        Table {
            path: self.path.clone(),
            in_list,
            range: self.range.clone(),
            entries,
        }
    }

    fn type_name(&self) -> &'static str {
        match self.value {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a float",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        }
    }
}

/// Writes the dotted path of a key as TOML would have it.
fn join(parent: &str, key: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let key = if !key.is_empty() && key.chars().all(is_bare) {
        key.to_owned()
    } else {
        format!("{key:?}")
    };
    if parent.is_empty() {
        key
    } else {
        format!("{parent}.{key}")
    }
}
