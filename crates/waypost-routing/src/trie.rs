//! [`Trie`]: finds the first of many patterns that matches a path.
//!
//! Each node of the tree is a prefix of patterns, so it has one depth, and a search visits it at most
//! once. The number of nodes whose depth the path reaches therefore bounds every search, and no path
//! makes a search exponential. There is no recursion.
//!
//! The trie relies on patterns without conflicts. It knows neither the names nor the values of params.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::{Path, Pattern, Segment};

/// An index of patterns by their segments.
#[derive(Debug, Clone)]
pub(crate) struct Trie {
    nodes: Vec<Node>,
}

#[derive(Debug, Clone, Default)]
struct Node {
    /// The pattern that ends here.
    route: Option<usize>,
    /// The children by static segment.
    statics: Statics,
    /// The child for `[name]`.
    param: Option<usize>,
    /// The pattern that ends with a `[...name]` after this node.
    catch_all: Option<usize>,
    /// The pattern that ends with a `[[...name]]` after this node.
    optional_catch_all: Option<usize>,
}

const ROOT: usize = 0;

impl Trie {
    /// Indexes patterns without conflicts. Each is identified by its position.
    pub(crate) fn new<'a>(patterns: impl IntoIterator<Item = &'a Pattern>) -> Self {
        let mut trie = Self {
            nodes: vec![Node::default()],
        };
        for (route, pattern) in patterns.into_iter().enumerate() {
            trie.insert(pattern, route);
        }
        trie
    }

    /// Finds the first pattern in the order of precedence that matches `path`.
    ///
    /// In each node the static child precedes the param's child, and both precede a catch-all. A
    /// catch-all always matches, so alternatives put off before it can be dropped.
    /// Memory is allocated only if a path has two or more nodes with both a static child and a param's child.
    pub(crate) fn find(&self, path: &Path) -> Option<usize> {
        let mut certain = None;
        let mut put_off = PutOff::default();
        let mut next = Some((ROOT, 0));
        while let Some((node, depth)) = next {
            let node = &self.nodes[node];
            let Some(text) = path.segment(depth) else {
                if let Some(route) = node.route.or(node.optional_catch_all) {
                    return Some(route);
                }
                next = put_off.pop();
                continue;
            };
            if let Some(route) = node.catch_all.or(node.optional_catch_all) {
                certain = Some(route);
                put_off.clear();
            }
            let param = node.param.map(|child| (child, depth + 1));
            next = match node.statics.get(text) {
                Some(child) => {
                    if let Some(alternative) = param {
                        put_off.push(alternative);
                    }
                    Some((child, depth + 1))
                }
                None => param.or_else(|| put_off.pop()),
            };
        }
        certain
    }

    fn insert(&mut self, pattern: &Pattern, route: usize) {
        let mut at = ROOT;
        for segment in pattern.segments() {
            at = match segment {
                Segment::Static(text) => self.static_child(at, text),
                Segment::Param(_) => self.param_child(at),
                Segment::CatchAll(_) => {
                    self.nodes[at].catch_all = Some(route);
                    return;
                }
                Segment::OptionalCatchAll(_) => {
                    self.nodes[at].optional_catch_all = Some(route);
                    return;
                }
            };
        }
        self.nodes[at].route = Some(route);
    }

    fn static_child(&mut self, parent: usize, text: &str) -> usize {
        self.nodes[parent].statics.get(text).unwrap_or_else(|| {
            let child = self.add_node();
            self.nodes[parent].statics.insert(text, child);
            child
        })
    }

    fn param_child(&mut self, parent: usize) -> usize {
        self.nodes[parent].param.unwrap_or_else(|| {
            let child = self.add_node();
            self.nodes[parent].param = Some(child);
            child
        })
    }

    fn add_node(&mut self) -> usize {
        self.nodes.push(Node::default());
        self.nodes.len() - 1
    }
}

/// The children of a node by static segment: a list while it is faster than a hash table.
#[derive(Debug, Clone)]
enum Statics {
    Few(Vec<(String, usize)>),
    Many(HashMap<String, usize, BuildHasherDefault<SegmentHasher>>),
}

/// The longest list that a measurement showed to be faster than a hash table.
const FEW: usize = 6;

impl Statics {
    fn get(&self, text: &str) -> Option<usize> {
        match self {
            Self::Few(children) => {
                let child = children.iter().find(|(known, _)| known == text);
                child.map(|(_, child)| *child)
            }
            Self::Many(children) => children.get(text).copied(),
        }
    }

    /// Adds a child for a segment that has no child yet.
    fn insert(&mut self, text: &str, child: usize) {
        match self {
            Self::Few(children) if children.len() == FEW => {
                let mut many: HashMap<_, _, _> = children.drain(..).collect();
                many.insert(text.to_owned(), child);
                *self = Self::Many(many);
            }
            Self::Few(children) => children.push((text.to_owned(), child)),
            Self::Many(children) => drop(children.insert(text.to_owned(), child)),
        }
    }
}

impl Default for Statics {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

/// The nodes that a search may have to go back to, each with its depth: a stack whose top needs no allocation.
#[derive(Default)]
struct PutOff {
    last: Option<(usize, usize)>,
    others: Vec<(usize, usize)>,
}

impl PutOff {
    fn push(&mut self, alternative: (usize, usize)) {
        self.others.extend(self.last.replace(alternative));
    }

    fn pop(&mut self) -> Option<(usize, usize)> {
        let last = self.last.take()?;
        self.last = self.others.pop();
        Some(last)
    }

    fn clear(&mut self) {
        self.last = None;
        self.others.clear();
    }
}

/// Hashes a short text quickly, a word at a time, with the multiplication of Firefox's hasher.
///
/// It needs no secret key: a client can look up segments, but the table contains only the app's own.
#[derive(Default)]
struct SegmentHasher(u64);

impl SegmentHasher {
    fn add(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
}

impl Hasher for SegmentHasher {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.add(u64::from_le_bytes(*word));
        }
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        self.add(u64::from_le_bytes(last));
    }

    fn write_u8(&mut self, byte: u8) {
        self.add(byte.into());
    }

    /// Moves the high bits, which depend on most of the text, to the low ones, which choose the bucket.
    fn finish(&self) -> u64 {
        self.0.rotate_left(26)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Resolved;

    /// Returns the pattern that the trie finds, after checking that it is the first match in the sorted list.
    fn find(folders: &[String], raw: &str) -> Option<String> {
        let mut patterns: Vec<_> = folders
            .iter()
            .map(|folder| Pattern::parse(folder).unwrap())
            .collect();
        patterns.sort();
        let Ok(Resolved::Path(path)) = Path::resolve(raw) else {
            panic!("`{raw}` is not a normalised path")
        };
        let found = Trie::new(&patterns).find(&path);
        assert_eq!(
            found,
            patterns
                .iter()
                .position(|pattern| pattern.matches(&path).is_some()),
            "{raw}"
        );
        found.map(|route| patterns[route].to_string())
    }

    #[test]
    fn searches_backtrack() {
        let table = [
            "/",
            "/b/[...rest]",
            "/[x]/c",
            "/c/b/d",
            "/c/[x]/e",
            "/[x]/[y]/f",
            "/o/[[...all]]",
            "/o/p/q",
            "/r/[...rest]",
            "/r/[x]/edit",
            "/r/s/t/u",
        ];
        let table = table.map(str::to_owned);
        let cases = [
            ("/", Some("/")),
            ("/b", None),
            ("/b/c", Some("/b/[...rest]")),
            ("/d/c", Some("/[x]/c")),
            ("/c/b/d", Some("/c/b/d")),
            ("/c/b/e", Some("/c/[x]/e")),
            ("/c/b/f", Some("/[x]/[y]/f")),
            ("/c/b/g", None),
            ("/o", Some("/o/[[...all]]")),
            ("/o/p", Some("/o/[[...all]]")),
            ("/o/p/q", Some("/o/p/q")),
            ("/o/p/f", Some("/o/[[...all]]")),
            ("/r/s/t", Some("/r/[...rest]")),
            ("/r/s/f", Some("/r/[...rest]")),
            ("/r/s/edit", Some("/r/[x]/edit")),
            ("/r/s/t/u", Some("/r/s/t/u")),
            ("/r/c", Some("/r/[...rest]")),
            ("/x/y/f", Some("/[x]/[y]/f")),
        ];
        for (raw, expected) in cases {
            assert_eq!(find(&table, raw).as_deref(), expected, "{raw}");
        }
    }

    #[test]
    fn a_full_tree_of_alternatives_is_searched_once() {
        const DEPTH: usize = 10;
        let folder = |bits: usize| -> String {
            let level = |at: usize| {
                if bits >> at & 1 == 0 {
                    "/a".to_owned()
                } else {
                    format!("/[p{at}]")
                }
            };
            (0..DEPTH).map(level).chain(["/end".to_owned()]).collect()
        };
        let table: Vec<_> = (0..1 << DEPTH).map(folder).collect();
        assert_eq!(find(&table, &format!("{}/other", "/a".repeat(DEPTH))), None);
        let all_params = Some(folder((1 << DEPTH) - 1));
        assert_eq!(
            find(&table, &format!("{}/end", "/b".repeat(DEPTH))),
            all_params
        );
    }

    #[test]
    fn a_path_that_fails_late_is_searched_once() {
        const DEPTH: usize = 30;
        let folder = |param: usize| -> String {
            let level = |at: usize| {
                if at == param {
                    format!("/[p{at}]")
                } else {
                    "/a".to_owned()
                }
            };
            (0..DEPTH).map(level).chain(["/end".to_owned()]).collect()
        };
        let table: Vec<_> = (0..DEPTH).map(folder).collect();
        assert_eq!(find(&table, &format!("{}/other", "/a".repeat(DEPTH))), None);
        assert_eq!(find(&table, &"/a".repeat(500)), None);
        assert_eq!(
            find(&table, &format!("{}/end", "/a".repeat(DEPTH))),
            Some(folder(DEPTH - 1))
        );
    }

    #[test]
    fn depth_uses_no_stack() {
        const SEGMENTS: usize = 8 * 1024;
        let search = || {
            let table = [
                "/a".repeat(SEGMENTS),
                format!("{}/[x]", "/a".repeat(SEGMENTS - 1)),
                "/[...all]".to_owned(),
            ];
            assert_eq!(find(&table, &"/a".repeat(SEGMENTS)), Some(table[0].clone()));
            assert_eq!(find(&table, &"/b".repeat(SEGMENTS)), Some(table[2].clone()));
        };
        let small_stack = std::thread::Builder::new().stack_size(64 * 1024);
        small_stack.spawn(search).unwrap().join().unwrap();
    }
}
