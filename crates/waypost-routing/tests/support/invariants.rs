//! Invariants that hold for every input. The property tests call them with generated inputs, and the fuzz targets
//! through `tests/invariants` of the workspace.

use waypost_routing::{ConflictKind, Conflicts, Path, Pattern, Resolved, RouteTable};

/// Checks the guarantees of [`Path::resolve`] for one path, and for the paths that it redirects to.
pub fn resolve(raw: &str) {
    let mut raw = raw.to_owned();
    for _ in 0..MOST_REQUESTS {
        match Path::resolve(&raw) {
            Ok(Resolved::Redirect(target)) => {
                assert_is_harmless(&target);
                raw = target;
            }
            Ok(Resolved::Path(path)) => return assert_is_normal(&path),
            Err(_) => return,
        }
    }
    panic!("`{raw}` is still redirected");
}

/// Checks a table. Each line of `text` is a folder with a route or, if it starts with `?`, a path to look up.
pub fn table(text: &str) {
    let (paths, folders): (Vec<_>, Vec<_>) = text.lines().partition(|line| line.starts_with('?'));
    let patterns: Vec<_> = folders
        .iter()
        .filter_map(|folder| Pattern::parse(folder).ok())
        .collect();
    patterns.iter().for_each(assert_reads_back);
    assert_order_of_insertion_is_void(&patterns);
    let compatible = largest_valid(&patterns);
    for raw in paths {
        if let Ok(Resolved::Path(path)) = Path::resolve(&raw[1..]) {
            assert_finds_the_first(&compatible, &path);
        }
    }
}

/// The first request, one with single slashes, and one without the trailing slash.
const MOST_REQUESTS: usize = 3;

/// Checks that a redirect stays on its host and can't break out of a header.
fn assert_is_harmless(target: &str) {
    assert!(
        target.starts_with('/') && !target.starts_with("//"),
        "{target}"
    );
    assert!(
        target
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'\\'),
        "{target}"
    );
}

fn assert_is_normal(path: &Path) {
    for segment in path.segments() {
        assert!(
            !["", ".", ".."].contains(&segment) && !segment.contains('\0'),
            "{path:?}"
        );
    }
    assert_eq!(
        Path::resolve(&path.to_string()),
        Ok(Resolved::Path(path.clone()))
    );
}

fn assert_reads_back(pattern: &Pattern) {
    assert_eq!(Pattern::parse(&pattern.to_string()).as_ref(), Ok(pattern));
}

fn assert_order_of_insertion_is_void(patterns: &[Pattern]) {
    let reversed: Vec<_> = patterns.iter().rev().cloned().collect();
    match (build(patterns), build(&reversed)) {
        (Ok(one), Ok(other)) => assert!(one.iter().eq(other.iter())),
        (Err(one), Err(other)) => assert_eq!(kinds(&one), kinds(&other)),
        (one, other) => panic!("{one:?} but {other:?}"),
    }
}

fn kinds(conflicts: &Conflicts<()>) -> Vec<(ConflictKind, Pattern, Pattern)> {
    assert_ne!(conflicts.iter().len(), 0);
    let owned = conflicts
        .iter()
        .map(|it| (it.kind, it.first.0.clone(), it.second.0.clone()));
    owned.collect()
}

/// Builds a table without the patterns that conflict with an earlier one. A table is valid if all its pairs are.
fn largest_valid(patterns: &[Pattern]) -> RouteTable<()> {
    let mut kept: Vec<Pattern> = Vec::new();
    for pattern in patterns {
        let fits = |other: &Pattern| build(&[pattern.clone(), other.clone()]).is_ok();
        if kept.iter().all(fits) {
            kept.push(pattern.clone());
        }
    }
    assert_eq!(build(patterns).is_ok(), kept.len() == patterns.len());
    build(&kept).expect("a table without conflicting pairs is valid")
}

/// Compares the table with its oracle: the first of the sorted patterns that matches by itself.
fn assert_finds_the_first(table: &RouteTable<()>, path: &Path) {
    let expected = table
        .iter()
        .find_map(|(pattern, ())| Some((pattern, pattern.matches(path)?)));
    let found = table
        .find(path)
        .map(|found| (found.pattern, found.params()));
    assert_eq!(found, expected, "{path:?}");
    if let Some((pattern, _)) = found {
        assert!(
            table.unreachable().all(|(dead, ())| dead != pattern),
            "{pattern} on {path:?}"
        );
    }
}

fn build(patterns: &[Pattern]) -> Result<RouteTable<()>, Conflicts<()>> {
    RouteTable::new(patterns.iter().map(|pattern| (pattern.clone(), ())))
}
