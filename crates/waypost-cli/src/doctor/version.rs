//! The version that a program says of itself.

use std::fmt;
use std::str::FromStr;

/// `4.1.0` of `spin 4.1.0 (f1b7c4b 2026-05-01)`.
///
/// What follows the numbers, as `-rc.1`, is no part of it: a release candidate counts as its release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    major: u32,
    minor: u32,
    patch: u32,
}

impl Version {
    /// Finds the first version in what a program prints.
    pub fn find(text: &str) -> Option<Version> {
        let is_of_a_word = |c: char| c.is_ascii_alphanumeric() || c == '.';
        text.split(|c| !is_of_a_word(c))
            .find_map(|word| word.parse().ok())
    }
}

/// The text is no version.
#[derive(Debug)]
pub struct NoVersion;

impl FromStr for Version {
    type Err = NoVersion;

    fn from_str(text: &str) -> Result<Version, NoVersion> {
        let numbers = text.strip_prefix('v').unwrap_or(text);
        let mut numbers = numbers.split('.');
        let mut number = || match numbers.next() {
            Some(number) => leading(number).ok_or(NoVersion).map(Some),
            None => Ok(None),
        };
        Ok(Version {
            major: number()?.ok_or(NoVersion)?,
            minor: number()?.ok_or(NoVersion)?,
            patch: number()?.unwrap_or(0),
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Version {
            major,
            minor,
            patch,
        } = self;
        write!(f, "{major}.{minor}.{patch}")
    }
}

/// The number that a text begins with: 0 of `0rc1`.
fn leading(text: &str) -> Option<u32> {
    let end = text.find(|c: char| !c.is_ascii_digit());
    text.get(..end.unwrap_or(text.len()))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_programs_print() {
        for (text, version) in [
            ("rustc 1.95.0 (59807616e 2026-04-14)", "1.95.0"),
            ("spin 4.0.2 (f1b7c4b 2026-05-01)", "4.0.2"),
            ("spin 4.1.0-pre0 (94a8fc8 2026-08-21)\n", "4.1.0"),
            ("wasmtime 48.0.8", "48.0.8"),
            ("wasmtime-cli v48.1", "48.1.0"),
            ("cc (Debian 12.2.0-14+deb12u1) 12.2.0\nCopyright", "12.2.0"),
            ("Debian clang version 14.0.6", "14.0.6"),
            ("cargo-component-component 0.21.1 (wasi:040ec92)", "0.21.1"),
            ("rustup 1.28.2rc1 (e4f3ad6f8 2025-04-28)", "1.28.2"),
        ] {
            let found = Version::find(text).map(|version| version.to_string());
            assert_eq!(found.as_deref(), Some(version), "{text}");
        }
    }

    #[test]
    fn other_text_has_no_version() {
        for text in [
            "",
            "command not found",
            "4",
            "2026-05-01",
            "v.1",
            "99999999999.1",
            "\u{fffd}\0.1",
            "a.1.b",
        ] {
            assert_eq!(Version::find(text), None, "{text}");
        }
    }

    #[test]
    fn versions_are_ordered_by_their_numbers() {
        let version = |text| Version::find(text).unwrap();
        assert!(version("4.10.0") > version("4.9.9"));
        assert!(version("4.0.2") < version("4.1"));
        assert!(version("4.1.0-rc.1") >= version("4.1"));
    }
}
