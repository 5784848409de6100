//! The answers of an app, and how they are printed.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::table::{align, largest_unit};

/// The answer to a request for stored responses.
#[derive(Deserialize)]
pub(super) struct Listing {
    pub(super) entries: Vec<Entry>,
    matching: u64,
    stored: u64,
    bytes: u64,
    capacity: u64,
    development: bool,
}

/// A stored response in a list.
#[derive(Deserialize)]
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) path: String,
    query: String,
    status: u16,
    state: String,
    age: u64,
    revalidate: Option<u64>,
    size: u64,
    hits: u64,
    tags: Vec<String>,
}

/// The answer to a revalidation.
#[derive(Deserialize)]
pub(super) struct Revalidated {
    pub(super) revalidated: Vec<Count>,
    pub(super) warnings: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct Count {
    pub(super) what: String,
    pub(super) entries: u64,
}

impl Entry {
    /// Returns the cells of its line in the table.
    pub(super) fn row(&self) -> [String; 9] {
        let path = match self.query.as_str() {
            "" => self.path.clone(),
            query => format!("{}?{query}", self.path),
        };
        [
            self.id.clone(),
            self.status.to_string(),
            self.state.clone(),
            time(self.age),
            self.revalidate.map_or("-".to_owned(), time),
            size(self.size),
            self.hits.to_string(),
            path,
            self.tags.join(" "),
        ]
    }
}

impl Listing {
    /// Returns the line below the table: how many of the stored responses it shows, and how much memory all of them take.
    pub(super) fn summary(&self) -> String {
        if self.development {
            return "Nothing is stored during development (`up --watch`)".to_owned();
        }
        let (shown, used) = (self.entries.len(), size(self.bytes));
        let capacity = size(self.capacity);
        let (matching, stored) = (self.matching, self.stored);
        format!(
            "{shown} of {matching} that match, of {stored} stored responses; {used} of {capacity}"
        )
    }
}

/// Writes all fields of a stored response, one a line.
pub(super) fn details(entry: &Value) -> String {
    const FIELDS: [&str; 15] = [
        "id",
        "origin",
        "path",
        "query",
        "vary",
        "route",
        "component",
        "status",
        "state",
        "age",
        "revalidate",
        "expire",
        "size",
        "memory",
        "hits",
    ];
    let text = |name: &str, value: &Value| match (name, value) {
        ("age" | "revalidate" | "expire", Value::Number(seconds)) => {
            time(seconds.as_u64().unwrap_or_default())
        }
        ("size" | "memory", Value::Number(bytes)) => size(bytes.as_u64().unwrap_or_default()),
        (_, Value::String(text)) => text.clone(),
        (_, Value::Array(items)) => {
            let items = items.iter().filter_map(Value::as_str);
            items.collect::<Vec<_>>().join(" ")
        }
        (_, Value::Null) => "-".to_owned(),
        (_, other) => other.to_string(),
    };
    let fields = FIELDS.into_iter().chain(["tags"]);
    let fields = fields.filter_map(|name| Some((name.to_owned(), text(name, entry.get(name)?))));
    let headers = entry["headers"].as_object().into_iter().flatten();
    let headers = headers.map(|(name, value)| (format!("{name}:"), text("", value)));
    let rows = fields.chain(headers).filter(|(_, value)| !value.is_empty());
    align(["FIELD", "VALUE"], rows.map(|(name, value)| [name, value]))
}

/// Writes a time in its largest unit, rounded down.
fn time(seconds: u64) -> String {
    largest_unit(Duration::from_secs(seconds))
}

/// Writes a size in its largest unit, rounded down.
fn size(bytes: u64) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let unit = units.into_iter().find(|(size, _)| bytes >= *size);
    let (size, name) = unit.unwrap_or((1, "B"));
    format!("{} {name}", bytes / size)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn sizes_and_times_are_short() {
        let sizes = [0, 1023, 1024, 5 << 20, (3 << 30) - 1].map(size);
        assert_eq!(sizes, ["0 B", "1023 B", "1 KiB", "5 MiB", "2 GiB"]);
        let times = [0, 59, 60, 3599, 3600, 200_000].map(time);
        assert_eq!(times, ["0s", "59s", "1m", "59m", "1h", "2d"]);
    }

    #[test]
    fn what_is_empty_is_left_out() {
        let entry = json!({
            "id": "1f", "path": "/a", "query": "", "age": 61, "revalidate": null, "size": 2048,
            "tags": ["a", "b"], "headers": { "etag": "\"x\"" },
        });
        let text = details(&entry);
        let lines: Vec<_> = text.lines().collect();
        for line in [
            "age         1m",
            "revalidate  -",
            "size        2 KiB",
            "tags        a b",
            "etag:       \"x\"",
        ] {
            assert!(lines.contains(&line), "{line} in\n{text}");
        }
        assert!(!text.contains("query"), "{text}");
    }
}
