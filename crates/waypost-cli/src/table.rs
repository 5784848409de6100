//! The table of routes as people and programs read it.

use serde::Serialize;

use crate::scan::Route;

/// What is shown where a component is not built, so its methods are not known.
const UNKNOWN: &str = "?";

/// One route and the methods that its component names.
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

/// The rows in aligned columns under a head.
pub fn render(rows: &[Row]) -> String {
    let cells = rows
        .iter()
        .map(|row| [row.methods(), row.pattern.clone(), row.file.clone()]);
    align(["METHODS", "PATTERN", "FILE"], cells)
}

/// Cells in aligned columns under a head.
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
