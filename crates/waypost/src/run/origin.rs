//! Which request and route a line of the log is about. Waypost's host knows, but hosts such as Spin write the lines of all
//! requests as they are.

use std::fmt::{self, Display};
use std::rc::Rc;

use crate::sys;

/// The header in which a handler receives the id of its request: of the host, or of the router.
pub(crate) const X_REQUEST_ID: &str = "x-request-id";

/// The most bytes of an id. The ids of Waypost have 32.
const LONGEST_ID: usize = 64;

/// Which request and route a line of the log is about. Displayed, it is the end of that line. Waypost's host removes it
/// there, because its fields say the same.
#[derive(Clone)]
pub(crate) struct Origin {
    request_id: Option<Rc<str>>,
    route: &'static str,
}

impl Origin {
    pub(crate) fn new(request_id: Option<Vec<u8>>, route: &'static str) -> Self {
        let request_id = request_id.and_then(|id| String::from_utf8(id).ok());
        Self {
            // Without a router before it, a client may send what it likes.
            request_id: request_id.filter(|id| is_plain(id)).map(Rc::from),
            route,
        }
    }

    /// Returns the id of the request, or `None` if the host sent none.
    pub(crate) fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }
}

/// Returns whether an id can be logged as it is.
fn is_plain(id: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(is_plain)
}

impl Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.request_id {
            Some(id) => write!(f, " (request {id}, route {})", self.route),
            None => write!(f, " (route {})", self.route),
        }
    }
}

/// Logs an error of a request, on one line. Its origin is unknown in tests.
pub(crate) fn log_error(error: impl Display, origin: Option<&Origin>) {
    match origin {
        Some(origin) => sys::log(&format!("{error}{origin}")),
        None => sys::log(&error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_its_request_and_route() {
        let shown = |id: Option<&str>| {
            let id = id.map(|id| id.as_bytes().to_vec());
            Origin::new(id, "/items/[slug]").to_string()
        };
        let long = "a".repeat(65);
        for (id, expected) in [
            (
                Some("9e44-A_b.1"),
                " (request 9e44-A_b.1, route /items/[slug])",
            ),
            (None, " (route /items/[slug])"),
            (Some(""), " (route /items/[slug])"),
            (Some("1, route /admin)"), " (route /items/[slug])"),
            (Some("ü"), " (route /items/[slug])"),
            (Some(&long), " (route /items/[slug])"),
        ] {
            assert_eq!(shown(id), expected);
        }
    }
}
