//! The file `.env` beside a manifest, which sets variables that the environment lacks.
//!
//! It is read as Spin reads it (`crates/variables-env` of Spin): by the same library, and only if a variable is missing. So quotes,
//! `export`, comments, `$NAME` and line ends of Windows mean the same, and of two lines for one name the last one counts.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::Path;

use dotenvy::Error;

use crate::fault::{Fault, Faults, Place};
use crate::regular_file::read_text_file;

/// The name of the file.
pub(crate) const FILE: &str = ".env";

/// The names and values in a file.
#[derive(Default)]
pub(crate) struct DotEnv(HashMap<String, String>);

impl DotEnv {
    /// Reads the file in a folder. Without a file there are no values.
    ///
    /// # Errors
    ///
    /// Returns a fault if the file can't be read, or for its first line that is not `NAME=value`. The fault quotes nothing of the file,
    /// which may hold secrets.
    pub(crate) fn load(folder: &Path) -> Result<DotEnv, Faults> {
        let path = folder.join(FILE);
        let shown = path.display().to_string();
        let text = match read_text_file(&path) {
            Ok(text) => text,
            // Python keeps programs in a folder of this name.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::IsADirectory) => {
                return Ok(DotEnv::default());
            }
            Err(error) => {
                let fault = Fault::error(format!("cannot be read: {error}"));
                return Err(fault.file(shown).into());
            }
        };
        let lines: Result<_, Error> = dotenvy::from_read_iter(text.as_bytes()).collect();
        lines
            .map(DotEnv)
            .map_err(|error| invalid(&error, &text, &shown).into())
    }

    /// Returns the value of a name.
    pub(crate) fn get(&self, name: &str) -> Option<OsString> {
        self.0.get(name).map(OsString::from)
    }
}

fn invalid(error: &Error, text: &str, shown: &str) -> Fault {
    let line = match error {
        Error::LineParse(line, _) => line_of(text, line),
        _ => None,
    };
    let fault = Fault::error("a line is not `NAME=value`")
        .hint("put a value with spaces, `#`, `$` or quotes into single quotes");
    match line {
        Some(line) => fault.at(Place::line(shown, line)),
        None => fault.file(shown),
    }
}

/// Returns the number of the line, from 1, at which a part of a text begins: a whole line, or the value of one.
fn line_of(text: &str, part: &str) -> Option<usize> {
    let is_line_or_value = |(at, _): &(usize, &str)| {
        let before = text[..*at]
            .rsplit('\n')
            .next()
            .unwrap_or_default()
            .trim_end();
        before.is_empty() || before.ends_with('=')
    };
    let (at, _) = text.match_indices(part).find(is_line_or_value)?;
    Some(text[..at].matches('\n').count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn load(text: &str) -> Result<DotEnv, String> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), text).unwrap();
        let shown = folder.path().join(FILE).display().to_string();
        DotEnv::load(folder.path()).map_err(|faults| faults.to_string().replace(&shown, FILE))
    }

    #[test]
    fn values_are_those_that_spin_reads() {
        let text = "# A comment\r\nPLAIN=one two\nEMPTY=\r\nexport EXPORTED=yes\r\nTAIL=a # b\r\n\
            DOUBLE=\"a \\\"b\\\"\\n# c\"\nSINGLE='a $PLAIN \"b\"'\nUSED=${TWICE}x\nTWICE=1\nTWICE=2\nLAST=\"${TWICE}\"\n\
            LINES=\"one\ntwo\"\nUMLAUT=grün";
        let Err(error) = load(text) else {
            panic!("a value with a space needs quotes");
        };
        assert_eq!(
            error,
            ".env:2: a line is not `NAME=value`; put a value with spaces, `#`, `$` or quotes into single quotes"
        );
        let file = load(&text.replace("one two", "one\\ two")).unwrap();
        for (name, value) in [
            ("PLAIN", Some("one two")),
            ("EMPTY", Some("")),
            ("EXPORTED", Some("yes")),
            ("TAIL", Some("a")),
            ("DOUBLE", Some("a \"b\"\n# c")),
            ("SINGLE", Some("a $PLAIN \"b\"")),
            ("USED", Some("x")),
            ("TWICE", Some("2")),
            ("LAST", Some("2")),
            ("LINES", Some("one\ntwo")),
            ("UMLAUT", Some("grün")),
            ("MISSING", None),
        ] {
            assert_eq!(file.get(name), value.map(OsString::from), "{name}");
        }
    }

    #[test]
    fn a_broken_line_is_named_and_not_quoted() {
        let error = load("A=1\nSECRET='swordfish\nB=2\n").err().unwrap();
        assert!(error.starts_with(".env:2: "), "{error}");
        assert!(!error.contains("swordfish"), "{error}");
    }

    #[test]
    fn a_folder_and_no_file_are_empty() {
        let folder = tempfile::tempdir().unwrap();
        assert!(DotEnv::load(folder.path()).unwrap().0.is_empty());
        fs::create_dir(folder.path().join(FILE)).unwrap();
        assert!(DotEnv::load(folder.path()).unwrap().0.is_empty());
    }
}
