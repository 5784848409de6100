//! Checks every message about a tree of folders against `tests/conflicts/*.txt`.
//!
//! `WAYPOST_BLESS=1 cargo test -p waypost-routing --test conflicts` writes the messages into the
//! files.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test may panic")]

mod support;

use support::{Fixture, is_content};
use waypost_routing::{Pattern, RouteTable};

#[test]
fn every_tree_has_its_messages() {
    for fixture in Fixture::all("conflicts") {
        assert!(fixture.expected.iter().all(|line| is_content(line)));
        fixture.check(&outcome(fixture.folders()));
    }
}

/// Returns all messages about a tree, or its patterns in the order of precedence.
fn outcome<'a>(folders: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut messages = Vec::new();
    let mut routes = Vec::new();
    for folder in folders {
        match Pattern::parse(folder) {
            Ok(pattern) => routes.push((pattern, folder)),
            Err(error) => messages.push(format!("{folder}: {error}")),
        }
    }
    match RouteTable::new(routes) {
        Ok(table) if messages.is_empty() => table
            .iter()
            .map(|(pattern, _)| format!("ok {pattern}"))
            .collect(),
        Ok(_) => messages,
        Err(conflicts) => {
            messages.extend(conflicts.iter().map(|conflict| conflict.to_string()));
            messages
        }
    }
}
