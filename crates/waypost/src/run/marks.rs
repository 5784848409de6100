//! The internal headers of a request, in which the host or the router says what it does with a response.

use waypost_cache::internal::X_WAYPOST_FILL;
use waypost_cache::revalidation::X_WAYPOST_REVALIDATE;

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
        if !name.starts_with("x-waypost-") {
            return false;
        }
        let is_set = value == b"1";
        self.fill |= is_set && name == X_WAYPOST_FILL;
        self.revalidate |= is_set && name == X_WAYPOST_REVALIDATE;
        true
    }
}
