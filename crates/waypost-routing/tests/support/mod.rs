//! Reads fixture files: a tree of folders, `---`, and the expected lines. Lines that start with `#`
//! are comments.

use std::{env, fs, path::PathBuf};

/// One fixture file.
pub struct Fixture {
    file: PathBuf,
    /// The text above `---`.
    head: String,
    /// The lines below `---`, including comments.
    pub expected: Vec<String>,
}

impl Fixture {
    /// Reads all fixtures of a folder below `tests/`.
    pub fn all(folder: &str) -> Vec<Self> {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("tests")
            .join(folder);
        let entries = fs::read_dir(folder).unwrap();
        let fixtures: Vec<_> = entries
            .map(|entry| Self::read(entry.unwrap().path()))
            .collect();
        assert!(!fixtures.is_empty());
        fixtures
    }

    fn read(file: PathBuf) -> Self {
        let text = fs::read_to_string(&file).unwrap();
        let (head, tail) = text
            .split_once("---\n")
            .expect("a fixture has a line `---`");
        Self {
            head: head.to_owned(),
            expected: tail.lines().map(str::to_owned).collect(),
            file,
        }
    }

    /// Iterates over the folders that hold a route.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        self.head.lines().filter(|line| is_content(line))
    }

    /// Compares the expected lines with `actual`. If `WAYPOST_BLESS` is set, writes `actual` into the file instead.
    pub fn check(&self, actual: &[String]) {
        if env::var_os("WAYPOST_BLESS").is_some() {
            let text = format!("{}---\n{}\n", self.head, actual.join("\n"));
            fs::write(&self.file, text).unwrap();
            return;
        }
        let file = self.file.display();
        for (actual, expected) in actual.iter().zip(&self.expected) {
            assert_eq!(actual, expected, "{file}; WAYPOST_BLESS=1 accepts it");
        }
        let lines = (actual.len(), self.expected.len());
        assert_eq!(lines.0, lines.1, "{file} has another number of lines");
    }
}

/// Returns `true` if a line is neither empty nor a comment.
pub fn is_content(line: &str) -> bool {
    !line.is_empty() && !line.starts_with('#')
}
