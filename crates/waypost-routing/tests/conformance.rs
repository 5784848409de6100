//! Checks the result of each path in a table of routes against `tests/cases/*.txt`.
//!
//! A line is `<path> => <pattern> {<params>}`, `<path> => 308 <location>`, `<path> => 404` or
//! `<path> => 400`. The path may contain Rust's escapes `\\`, `\t` and `\0`.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test may panic")]

mod support;

use support::{Fixture, is_content};
use waypost_routing::{ParamValue, Params, Path, Pattern, Resolved, RouteTable};

#[test]
fn every_path_has_its_result() {
    for fixture in Fixture::all("cases") {
        let table = table(fixture.folders());
        let ask = |line: &String| match line.rsplit_once(" => ") {
            Some((path, _)) if is_content(line) => {
                format!("{path} => {}", answer(&table, &unescape(path)))
            }
            _ => line.clone(),
        };
        fixture.check(&fixture.expected.iter().map(ask).collect::<Vec<_>>());
    }
}

#[test]
fn long_paths_work() {
    let table = table(["/[slug]", "/[slug]/[...rest]"]);
    let long = "x".repeat(8000);
    assert_eq!(
        answer(&table, &format!("/{long}")),
        format!("/[slug] {{slug: {long:?}}}")
    );
    let rest = vec!["y"; 499];
    let expected = format!("/[slug]/[...rest] {{slug: \"x\", rest: {rest:?}}}");
    assert_eq!(answer(&table, &format!("/x{}", "/y".repeat(499))), expected);
}

fn table<'a>(folders: impl IntoIterator<Item = &'a str>) -> RouteTable<()> {
    let parse = |folder| (Pattern::parse(folder).unwrap(), ());
    RouteTable::new(folders.into_iter().map(parse)).unwrap()
}

fn answer(table: &RouteTable<()>, raw: &str) -> String {
    match Path::resolve(raw) {
        Ok(Resolved::Redirect(target)) => format!("308 {target}"),
        Ok(Resolved::Path(path)) => match table.find(&path) {
            Some(found) => format!("{}{}", found.pattern, show(&found.params())),
            None => "404".to_owned(),
        },
        Err(_) => "400".to_owned(),
    }
}

fn show(params: &Params) -> String {
    if params.is_empty() {
        return String::new();
    }
    let entries = params.iter().map(|(name, value)| match value {
        ParamValue::One(value) => format!("{name}: {value:?}"),
        ParamValue::Many(values) => format!("{name}: {values:?}"),
    });
    format!(" {{{}}}", entries.collect::<Vec<_>>().join(", "))
}

fn unescape(path: &str) -> String {
    let parts = path
        .split("\\\\")
        .map(|part| part.replace("\\t", "\t").replace("\\0", "\0"));
    parts.collect::<Vec<_>>().join("\\")
}
