//! The table of routes, as text and as JSON.

use std::time::Duration;

use serde::Serialize;
use waypost_cache::Policy;

use crate::route::Route;

/// Shown instead of the methods of a component that is not built.
const UNKNOWN: &str = "?";

/// A route and the methods of its component.
#[derive(Debug, Serialize)]
pub struct Row {
    pattern: String,
    methods: Option<Vec<String>>,
    component: String,
    file: String,
    /// How its responses are cached, if they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    cache: Option<String>,
}

impl Row {
    pub fn new(route: &Route, methods: Option<Vec<String>>, cache: Option<&Policy>) -> Row {
        Row {
            pattern: route.pattern().to_string(),
            methods,
            component: route.id().to_string(),
            file: route.file(),
            cache: cache.map(summary),
        }
    }

    fn methods(&self) -> String {
        match &self.methods {
            Some(methods) => methods.join(", "),
            None => UNKNOWN.to_owned(),
        }
    }
}

/// Renders rows in aligned columns below a header. The column of cache policies is there only if a route has one.
pub fn render(rows: &[Row]) -> String {
    let cells = |row: &Row| [row.methods(), row.pattern.clone(), row.file.clone()];
    if rows.iter().all(|row| row.cache.is_none()) {
        return align(["METHODS", "PATTERN", "FILE"], rows.iter().map(cells));
    }
    let cells = rows.iter().map(|row| {
        let [methods, pattern, file] = cells(row);
        let cache = row.cache.clone().unwrap_or_else(|| "-".to_owned());
        [methods, pattern, cache, file]
    });
    align(["METHODS", "PATTERN", "CACHE", "FILE"], cells)
}

/// Describes a cache policy: `60s/1d #posts ?page`, for how long responses are fresh and served, their tags, and the query
/// parameters and headers in their key.
fn summary(policy: &Policy) -> String {
    let life = policy.life();
    let fresh = life.revalidate().map_or("-".to_owned(), short);
    let mut words = vec![format!("{fresh}/{}", short(life.expire()))];
    words.extend(policy.tags().iter().map(|tag| format!("#{tag}")));
    words.extend(policy.query().iter().map(|name| format!("?{name}")));
    words.extend(policy.vary().iter().map(|name| format!("{name}:")));
    words.join(" ")
}

/// The units of times: their seconds, and their names.
const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];

/// Writes a time in its largest whole unit.
fn short(time: Duration) -> String {
    let seconds = time.as_secs();
    let unit = UNITS.iter().find(|(size, _)| seconds.is_multiple_of(*size));
    let (size, name) = unit.unwrap_or(&(1, "s"));
    format!("{}{name}", seconds / size)
}

/// Writes a time in its largest unit, rounded down.
pub fn largest_unit(time: Duration) -> String {
    let seconds = time.as_secs();
    let unit = UNITS.iter().find(|(size, _)| seconds >= *size);
    let (size, name) = unit.unwrap_or(&(1, "s"));
    format!("{}{name}", seconds / size)
}

/// Aligns cells in columns below a header.
pub fn align<const N: usize>(
    head: [&str; N],
    cells: impl IntoIterator<Item = [String; N]>,
) -> String {
    let head = head.map(str::to_owned);
    let lines: Vec<[String; N]> = [head].into_iter().chain(cells).collect();
    let widths: [usize; N] = std::array::from_fn(|column| {
        let cells = lines.iter().map(|line| line[column].chars().count());
        cells.max().unwrap_or_default()
    });
    let line = |cells: &[String; N]| {
        let padded = cells.iter().zip(widths);
        let padded: Vec<String> = padded
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        padded.join("  ").trim_end().to_owned() + "\n"
    };
    lines.iter().map(line).collect()
}
