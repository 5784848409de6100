//! Where in an app's files a fault is.

use std::fmt;
use std::ops::Range;
use std::path::Path;

/// A file, or a range of bytes in it.
///
/// `Display` writes `spin.toml`, or `spin.toml:12` with the line of the range.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    file: String,
    line: Option<usize>,
    /// Start and end of the range; a `Range` has no order.
    bytes: Option<(usize, usize)>,
}

impl Place {
    /// Creates the place of a whole file.
    pub fn file(file: impl Into<String>) -> Place {
        Place {
            file: file.into(),
            line: None,
            bytes: None,
        }
    }

    /// Creates the place of a line, counted from 1.
    pub fn line(file: impl Into<String>, line: usize) -> Place {
        Place {
            file: file.into(),
            line: Some(line),
            bytes: None,
        }
    }

    /// Creates the place of some bytes of a file, which begin in `line`, counted from 1.
    pub fn span(file: impl Into<String>, line: usize, bytes: Range<usize>) -> Place {
        Place {
            file: file.into(),
            line: Some(line),
            bytes: Some((bytes.start, bytes.end)),
        }
    }

    /// Returns the path of the file, as it is named in messages.
    pub fn path(&self) -> &str {
        &self.file
    }

    /// Returns the line, counted from 1, or `None` if the whole file is at fault.
    pub fn line_number(&self) -> Option<usize> {
        self.line
    }

    /// Returns the bytes of the file that are at fault, or `None` if they are not known.
    pub fn range(&self) -> Option<Range<usize>> {
        self.bytes.map(|(start, end)| start..end)
    }

    /// Shortens the path to the part below `folder`, if the file is there.
    pub(super) fn make_relative_to(&mut self, folder: &Path) {
        if let Ok(below) = Path::new(&self.file).strip_prefix(folder) {
            self.file = below.display().to_string();
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        match self.line {
            Some(line) => write!(f, ":{line}"),
            None => Ok(()),
        }
    }
}
