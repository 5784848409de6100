//! The internal headers of a request, in which the host or the router says what it does with a response.
//!
//! A host that does not know them passes on those of a client. So they count only if the environment says that the host
//! sets them, which no client can.

use waypost_cache::internal::REDUCED;

use crate::sys;

/// What the caller of a component does with its response. Handlers don't see these headers.
#[derive(Clone, Copy, Default)]
pub(crate) struct Marks {
    /// It may store the response for all clients, and understands the response's own tags and life.
    pub(crate) fill: bool,
    /// It has reduced the request to what is in the key of the response.
    pub(crate) is_reduced: bool,
    /// It applies the revalidations in a response.
    pub(crate) revalidate: bool,
}

impl Marks {
    /// Returns what counts of them.
    pub(crate) fn trusted(self) -> Self {
        let is_set = self.fill || self.revalidate;
        match is_set && sys::is_behind_a_cache() {
            true => self,
            false => Self::default(),
        }
    }

    /// Reads a header of a request. Returns whether it is internal.
    pub(crate) fn read(&mut self, name: &str, value: &[u8]) -> bool {
        match name.strip_prefix("x-waypost-") {
            None => return false,
            Some("fill") => {
                self.is_reduced = value == REDUCED.as_bytes();
                self.fill = self.is_reduced || value == b"1";
            }
            Some("revalidate") => self.revalidate = value == b"1",
            Some(_) => {}
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use waypost_cache::internal::X_WAYPOST_FILL;
    use waypost_cache::revalidation::X_WAYPOST_REVALIDATE;

    use super::*;

    #[test]
    fn internal_headers_are_recognised() {
        let mut marks = Marks::default();
        assert!(!marks.read("x-waypos", b"1") && !marks.read("accept", b"1"));
        assert!(marks.read("x-waypost-other", b"1") && marks.read(X_WAYPOST_FILL, b"0"));
        assert!(!marks.fill && !marks.revalidate);
        assert!(marks.read(X_WAYPOST_FILL, b"1") && marks.read(X_WAYPOST_REVALIDATE, b"1"));
        assert!(marks.fill && marks.revalidate && !marks.is_reduced);
        assert!(marks.read(X_WAYPOST_FILL, b"reduced"));
        assert!(marks.fill && marks.is_reduced);
    }
}
