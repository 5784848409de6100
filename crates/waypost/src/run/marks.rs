//! The internal headers of a request, in which the host or the router says what it does with a response.

/// What the caller of a component does with its response. Clients can't set these headers, and handlers don't see them.
#[derive(Clone, Copy, Default)]
pub(crate) struct Marks {
    /// It may store the response for all clients, and understands the response's own tags and life.
    pub(crate) fill: bool,
    /// It applies the revalidations in a response.
    pub(crate) revalidate: bool,
}

impl Marks {
    /// Reads a header of a request. Returns whether it is internal.
    pub(crate) fn read(&mut self, name: &str, value: &[u8]) -> bool {
        match name.strip_prefix("x-waypost-") {
            None => return false,
            Some("fill") => self.fill = value == b"1",
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
        assert!(marks.fill && marks.revalidate);
    }
}
