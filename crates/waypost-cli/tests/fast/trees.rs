//! Trees of folders and what a scan says of them: `tests/trees/ok` builds, `tests/trees/fail` is
//! refused. `tree` lists the files, `expected` has the routes in order of precedence and every
//! message. Most are the trees of the conformance suite's `build.jsonl` that concern route files.

use std::fs;
use std::path::Path;

use crate::support::{cases, compare, fixtures, settle, write_tree};
use waypost_cli::scan::Scan;
use waypost_cli::{App, Fault};

fn scan(list: &str) -> Scan {
    let folder = tempfile::tempdir().unwrap();
    // A list may have a manifest of its own.
    fs::write(folder.path().join("spin.toml"), "").unwrap();
    write_tree(folder.path(), list);
    Scan::of(&App::at(folder.path()).unwrap())
}

fn render(scan: Scan) -> String {
    let mut text: String = scan
        .faults()
        .iter()
        .map(|fault| report(fault) + "\n")
        .collect();
    for route in scan.into_sound_routes() {
        text += &format!("{}  {}  {}\n", route.pattern(), route.id(), route.file());
    }
    text
}

fn report(fault: &Fault) -> String {
    fault.report().to_string()
}

fn check(kind: &str, is_refused: bool) {
    let mut differences = Vec::new();
    for case in cases(&fixtures("trees").join(kind)) {
        let scan = scan(&fs::read_to_string(case.join("tree")).unwrap());
        let has_errors = scan.errors().next().is_some();
        assert_eq!(has_errors, is_refused, "{}", case.display());
        differences.extend(compare(&case.join("expected"), &render(scan)));
    }
    settle(differences);
}

#[test]
fn sound_trees_become_routes() {
    check("ok", false);
}

#[test]
fn wrong_trees_are_refused_with_all_their_faults() {
    check("fail", true);
}

#[test]
fn order_on_disk_does_not_matter() {
    let list = "handlers/b/route.rs\nhandlers/a/route.rs\nhandlers/(z)/c/route.rs\n";
    let patterns: Vec<String> = scan(list)
        .into_routes()
        .unwrap()
        .iter()
        .map(|route| route.pattern().to_string())
        .collect();
    assert_eq!(patterns, ["/a", "/b", "/c"]);
}

#[test]
fn trees_without_end_are_refused() {
    let deep = format!("handlers/{}route.rs\n", "d/".repeat(80));
    let scan = scan(&deep);
    let faults: Vec<String> = scan.errors().map(report).collect();
    assert_eq!(faults.len(), 1);
    assert!(
        faults[0].contains("folders go deeper than 64 levels here"),
        "{}",
        faults[0]
    );
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_not_utf8_are_refused() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    let folder = tempfile::tempdir().unwrap();
    let handlers = folder.path().join("handlers");
    fs::create_dir_all(handlers.join(OsStr::from_bytes(b"caf\xe9"))).unwrap();
    fs::write(handlers.join(OsStr::from_bytes(b"file\xe9")), "").unwrap();
    fs::write(folder.path().join("spin.toml"), "").unwrap();
    let scan = Scan::of(&App::at(folder.path()).unwrap());
    let faults: Vec<String> = scan.faults().iter().map(report).collect();
    assert_eq!(
        faults,
        [
            "error: the name of this folder is not UTF-8, so it can't be part of a URL\n  \
          --> handlers/caf\u{fffd}\n  \
          hint: rename it; write other bytes as percent-escapes, as in `caf%C3%A9`"
        ]
    );
}

#[test]
fn each_kind_has_its_folder() {
    for entry in fs::read_dir(fixtures("trees")).unwrap() {
        let name = entry.unwrap().file_name();
        assert!(
            name == "ok" || name == "fail",
            "{}",
            Path::new(&name).display()
        );
    }
}
