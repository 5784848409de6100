//! A TOML value, with getters that report faults.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::table::Header;
use super::{Collector, Table};
use crate::fault::FaultKind;

/// A value that was read from a file, and its bytes there.
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

/// A value, with its key and table for messages.
#[derive(Clone)]
pub(crate) struct Value<'t> {
    path: String,
    table: String,
    key: String,
    range: Range<usize>,
    value: &'t DeValue<'t>,
}

impl<'t> Value<'t> {
    pub(super) fn new(
        parent: &str,
        table: &str,
        key: &str,
        value: &'t Spanned<DeValue<'t>>,
    ) -> Self {
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

    /// Returns the name of the table of this value in messages.
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

    /// Returns whether this is an empty list or table.
    pub(crate) fn is_empty(&self) -> bool {
        match self.value {
            DeValue::Array(items) => items.is_empty(),
            DeValue::Table(entries) => entries.is_empty(),
            _ => false,
        }
    }

    /// Returns an integer, or `None` if this is not an integer. One that doesn't fit into 64 bits becomes
    /// the nearest that does.
    pub(crate) fn as_integer(&self) -> Option<i64> {
        let integer = self.value.as_integer()?;
        let nearest = match integer.as_str().starts_with('-') {
            true => i64::MIN,
            false => i64::MAX,
        };
        Some(i64::from_str_radix(integer.as_str(), integer.radix()).unwrap_or(nearest))
    }

    /// Returns an integer as it is written in the file.
    pub(crate) fn integer_text(&self) -> String {
        self.value
            .as_integer()
            .map(ToString::to_string)
            .unwrap_or_default()
    }

    /// Returns the text of a string, or `None` if this is not a string.
    pub(crate) fn as_str(&self) -> Option<&'t str> {
        self.value.as_str()
    }

    /// Returns a boolean, or `None` if this is not a boolean.
    pub(crate) fn as_bool(&self) -> Option<bool> {
        self.value.as_bool()
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
            Some(entries) => Some(self.as_table(entries, Header::Table)),
            None => self.wrong("a table", faults),
        }
    }

    /// Returns the values of a list. Messages name them by the key of the list and their index.
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

    /// Returns the tables of a `[[list]]`.
    pub(crate) fn tables(&self, faults: &mut Collector) -> Vec<Table<'t>> {
        let items = self.items("a list of tables", faults);
        items
            .into_iter()
            .filter_map(|item| item.item_table(faults))
            .collect()
    }

    /// Returns this item of a list as a table.
    pub(crate) fn item_table(&self, faults: &mut Collector) -> Option<Table<'t>> {
        match self.value.as_table() {
            Some(entries) => Some(self.as_table(entries, Header::Item)),
            None => self.wrong("a table", faults),
        }
    }

    /// Reports that the value is not of the expected type. Returns `None`.
    pub(crate) fn wrong<T>(&self, expected: &'static str, faults: &mut Collector) -> Option<T> {
        faults.add(&self.range, self.wrong_type(expected));
        None
    }

    /// Returns the fault that the value is not of the expected type.
    pub(crate) fn wrong_type(&self, expected: &'static str) -> FaultKind {
        FaultKind::WrongType {
            key: self.key.clone(),
            table: self.table.clone(),
            expected,
            found: self.type_name(),
        }
    }

    fn as_table(&self, entries: &'t DeTable<'t>, header: Header) -> Table<'t> {
        Table::new(&self.path, header, &self.range, entries)
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

/// Returns the dotted path of a key, as in TOML.
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
