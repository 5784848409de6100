//! Measures look-ups, compared with `matchit` and `path-tree`: `cargo bench --package waypost-routing`.
//!
//! All three have the same tables, of 10, 1,000 and 10,000 patterns, and look up the same paths. Patterns that only
//! `waypost-routing` supports (`[slug]` beside `[...rest]`, an optional catch-all) are a table of their own. The other
//! two take a raw path, while `waypost-routing` takes one that [`Path::resolve`] normalised and decoded. So it has
//! three columns: the look-up alone, the look-up with copies of the params, and both with `resolve`.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its figures, and stops where a table is wrong"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use waypost_routing::{Path, Pattern, Resolved, RouteTable};

/// The duration of a slice. A figure is the fastest of several slices, which is the least disturbed one.
const SLICE: Duration = Duration::from_millis(20);
const SLICES: usize = 15;

fn main() {
    // `cargo test` runs this program too, without an argument. One slice then shows that it works.
    let full = std::env::args().any(|argument| argument == "--bench");
    let slices = if full { SLICES } else { 1 };
    println!(
        "{:<26}{:>10}{:>14}{:>16}{:>12}{:>12}",
        "ns for each look-up", "find", "with params", "with resolve", "matchit", "path-tree"
    );
    for size in [10, 1_000, 10_000] {
        let table = Tables::new(&folders(size));
        for kind in ["static", "dynamic", "missing"] {
            let paths = paths(size, kind);
            println!(
                "{}",
                table.row(&format!("{size} patterns, {kind}"), &paths, slices)
            );
        }
    }
    for size in [10, 1_000, 10_000] {
        let ours = table(&siblings(size));
        for kind in ["static", "dynamic", "missing"] {
            let paths = paths(size, kind);
            let name = format!("{size} of Waypost's own, {kind}");
            println!("{name:<26}{}", ours_row(&ours, &paths, slices));
        }
    }
}

/// The same table for each of the three crates.
struct Tables {
    ours: RouteTable<usize>,
    matchit: matchit::Router<usize>,
    path_tree: path_tree::PathTree<usize>,
}

impl Tables {
    fn new(folders: &[String]) -> Self {
        let mut matchit = matchit::Router::new();
        let mut path_tree = path_tree::PathTree::new();
        for (index, folder) in folders.iter().enumerate() {
            matchit
                .insert(folder.replace('[', "{").replace(']', "}"), index)
                .unwrap();
            let _ = path_tree.insert(&folder.replace('[', ":").replace(']', ""), index);
        }
        Self {
            ours: table(folders),
            matchit,
            path_tree,
        }
    }

    fn row(&self, name: &str, paths: &[String], slices: usize) -> String {
        let found = |path: &String| self.matchit.at(path).is_ok();
        assert!(
            paths
                .iter()
                .all(|path| found(path) == self.path_tree.find(path).is_some())
        );
        assert!(
            paths
                .iter()
                .all(|path| found(path) == self.ours.find(&resolved(path)).is_some())
        );
        let matchit = nanoseconds(paths, slices, |path| self.matchit.at(path).is_ok());
        let path_tree = nanoseconds(paths, slices, |path| self.path_tree.find(path).is_some());
        format!(
            "{name:<26}{}{matchit:>12.1}{path_tree:>12.1}",
            ours_row(&self.ours, paths, slices)
        )
    }
}

fn ours_row(table: &RouteTable<usize>, paths: &[String], slices: usize) -> String {
    let normal: Vec<_> = paths.iter().map(|path| resolved(path)).collect();
    let find = nanoseconds(&normal, slices, |path| table.find(path).is_some());
    let params = |path: &Path| table.find(path).map(|found| found.params());
    let with_params = nanoseconds(&normal, slices, |path| params(path).is_some());
    let from_raw = nanoseconds(paths, slices, |path| params(&resolved(path)).is_some());
    format!("{find:>10.1}{with_params:>14.1}{from_raw:>16.1}")
}

fn table(folders: &[String]) -> RouteTable<usize> {
    let patterns = folders.iter().map(|folder| Pattern::parse(folder).unwrap());
    RouteTable::new(patterns.zip(0..)).unwrap()
}

fn resolved(path: &str) -> Path {
    match Path::resolve(path) {
        Ok(Resolved::Path(path)) => path,
        other => panic!("`{path}` resolves to {other:?}"),
    }
}

/// Returns patterns like those of an app: for each resource a list, a page, an item and its children.
fn folders(size: usize) -> Vec<String> {
    let of_resource = |index: usize| {
        let resource = resource(index);
        [
            format!("/api/v1/{resource}"),
            format!("/api/v1/{resource}/new"),
            format!("/api/v1/{resource}/[id]"),
            format!("/api/v1/{resource}/[id]/comments"),
            format!("/api/v1/{resource}/[id]/comments/[comment]"),
        ]
    };
    (0..size / 5).flat_map(of_resource).collect()
}

/// Returns patterns with siblings that the other crates do not support.
fn siblings(size: usize) -> Vec<String> {
    let of_resource = |index: usize| {
        let resource = resource(index);
        [
            format!("/api/v1/{resource}/new"),
            format!("/api/v1/{resource}/[id]"),
            format!("/api/v1/{resource}/[id]/comments/[[...comment]]"),
            format!("/api/v1/{resource}/[...rest]"),
            format!("/docs/{resource}/[[...page]]"),
        ]
    };
    (0..size / 5).flat_map(of_resource).collect()
}

fn resource(index: usize) -> String {
    const WORDS: [&str; 8] = [
        "orders", "users", "items", "invoices", "carts", "tags", "sessions", "teams",
    ];
    format!("{}-{index}", WORDS[index % WORDS.len()])
}

/// Returns paths across the whole table, in an order that a branch predictor can't learn.
fn paths(size: usize, kind: &str) -> Vec<String> {
    let resources = size / 5;
    let path = |step: usize| {
        let resource = resource(step * 7_919 % resources);
        match (kind, step % 2) {
            ("static", _) => format!("/api/v1/{resource}/new"),
            ("dynamic", 0) => format!("/api/v1/{resource}/{step}"),
            ("dynamic", _) => format!("/api/v1/{resource}/{step}/comments/{}", step * 3),
            _ => format!("/api/v2/{resource}/{step}"),
        }
    };
    (0..997).map(path).collect()
}

/// Measures the time of one look-up in the fastest slice.
fn nanoseconds<T>(paths: &[T], slices: usize, find: impl Fn(&T) -> bool) -> f64 {
    let slice = || {
        let (start, mut rounds) = (Instant::now(), 0);
        while start.elapsed() < SLICE {
            for path in paths {
                black_box(find(black_box(path)));
            }
            rounds += 1;
        }
        let lookups = (rounds * paths.len()) as f64;
        start.elapsed().as_nanos() as f64 / lookups
    };
    (0..slices).map(|_| slice()).fold(f64::INFINITY, f64::min)
}
