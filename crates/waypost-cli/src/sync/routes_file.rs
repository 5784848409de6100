//! `router/routes.txt`, the table with which the router is compiled.
//!
//! It has a line for each route, in order of precedence: the component's id, its methods joined by commas (`-` for
//! none, `?` if they are unknown), and the pattern, which comes last because it may contain spaces. Lines that begin
//! with `#` are comments.

use waypost_config::ComponentId;
use waypost_routing::Pattern;

use crate::route::Route;

const HEAD: &str =
    "# Made by `waypost build` from the compiled handlers: <component> <methods> <pattern>\n";

/// A line of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteEntry {
    /// The component of the route.
    pub id: ComponentId,
    /// The methods that it implements, or `None` if they are unknown.
    pub methods: Option<Vec<String>>,
    /// The pattern of the paths that it handles.
    pub pattern: Pattern,
}

/// Renders the file. The order of `entries` does not matter.
pub fn render(entries: &[RouteEntry]) -> String {
    let mut entries: Vec<&RouteEntry> = entries.iter().collect();
    entries.sort_by(|a, b| a.pattern.cmp(&b.pattern));
    let mut text = HEAD.to_owned();
    for entry in entries {
        let methods = match entry.methods.as_deref() {
            None => "?".to_owned(),
            Some([]) => "-".to_owned(),
            Some(methods) => methods.join(","),
        };
        text.push_str(&format!("{} {methods} {}\n", entry.id, entry.pattern));
    }
    text
}

/// Returns the differences between a table and the folders. Methods are not compared, because they need compiled
/// handlers.
pub fn out_of_step(text: &str, routes: &[Route]) -> Vec<String> {
    let lines: Vec<(&str, &str)> = text.lines().filter_map(id_and_pattern).collect();
    let wanted: Vec<(&str, String)> = routes
        .iter()
        .map(|route| (route.id().as_str(), route.pattern().to_string()))
        .collect();
    let is_wanted =
        |(id, pattern): &&(&str, &str)| wanted.iter().any(|(i, p)| i == id && p == pattern);
    let is_there =
        |(id, pattern): &&(&str, String)| lines.iter().any(|(i, p)| i == id && p == pattern);
    let missing = wanted.iter().filter(|entry| !is_there(entry));
    let extra = lines.iter().filter(|entry| !is_wanted(entry));
    missing
        .map(|(id, pattern)| format!("add route `{pattern}` of `{id}`"))
        .chain(extra.map(|(id, pattern)| format!("remove route `{pattern}` of `{id}`")))
        .collect()
}

fn id_and_pattern(line: &str) -> Option<(&str, &str)> {
    let mut parts = line.splitn(3, ' ');
    let id = parts
        .next()
        .filter(|id| !id.is_empty() && !id.starts_with('#'))?;
    Some((id, parts.nth(1)?))
}
