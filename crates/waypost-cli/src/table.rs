//! The table of routes, as text and as JSON.

use serde::Serialize;

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
}

impl Row {
    pub fn new(route: &Route, methods: Option<Vec<String>>) -> Row {
        Row {
            pattern: route.pattern().to_string(),
            methods,
            component: route.id().to_string(),
            file: route.file(),
        }
    }

    fn methods(&self) -> String {
        match &self.methods {
            Some(methods) => methods.join(", "),
            None => UNKNOWN.to_owned(),
        }
    }
}

/// Renders rows in aligned columns below a header.
pub fn render(rows: &[Row]) -> String {
    let cells = rows
        .iter()
        .map(|row| [row.methods(), row.pattern.clone(), row.file.clone()]);
    align(["METHODS", "PATTERN", "FILE"], cells)
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
