//! Checks the invariants with generated inputs. `tests/invariants` of the workspace checks them with the seeds of the
//! fuzz targets.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test may panic")]

#[path = "support/invariants.rs"]
mod invariants;

use proptest::{collection::vec, prelude::*, sample::select};

/// Parts of paths, some of them special to the normaliser.
const PATH_PIECES: [&str; 24] = [
    "/", "/", "/", "/", "/a", "/b", "/c", "a", ".", "..", "%2e", "%2E", "\\", "%2F", "%5C", "%61",
    "%25", "%", "%00", "%C3%BC", "%FF", "?", " ", "//",
];

/// Names of folders, many of them special. `#` stands for the depth.
const FOLDERS: [&str; 18] = [
    "a",
    "a",
    "b",
    "b",
    "c",
    "%61",
    "ü",
    "(g)",
    "@s",
    "_p",
    "[x#]",
    "[x#]",
    "[x#]",
    "[y#]",
    "[...r#]",
    "[[...r#]]",
    "[a",
    "a%2Fb",
];

/// Generates a path from [`PATH_PIECES`].
fn raw_path() -> impl Strategy<Value = String> {
    vec(select(&PATH_PIECES[..]), 0..12).prop_map(|pieces| format!("/{}", pieces.concat()))
}

/// Generates a path from segments that occur in [`folder`]s.
fn plain_path() -> impl Strategy<Value = String> {
    vec(select(&["a", "b", "c", "d", "%C3%BC", "a%2Fb"][..]), 0..6)
        .prop_map(|segments| format!("/{}", segments.join("/")))
}

/// Generates a folder. The names of its params contain their depth, so that most are valid and few conflict.
fn folder() -> impl Strategy<Value = String> {
    vec(select(&FOLDERS[..]), 0..5).prop_map(|names| {
        let numbered = names
            .iter()
            .enumerate()
            .map(|(depth, name)| name.replace('#', &depth.to_string()));
        numbered.collect::<Vec<_>>().join("/")
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn special_paths_resolve(raw in raw_path()) {
        invariants::resolve(&raw);
    }

    #[test]
    fn any_text_resolves(raw in "/?\\PC*") {
        invariants::resolve(&raw);
    }

    #[test]
    fn tables_find_the_first(folders in vec(folder(), 0..14), paths in vec(plain_path(), 1..8)) {
        let paths = paths.iter().map(|path| format!("?{path}"));
        let lines: Vec<_> = folders.iter().cloned().chain(paths).collect();
        invariants::table(&lines.join("\n"));
    }

    #[test]
    fn any_text_is_a_table(text in "[\\PC\n]*") {
        invariants::table(&text);
    }
}
