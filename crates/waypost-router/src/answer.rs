//! [`Answer`]: a response that the router sends itself.

use crate::negotiate::{Format, preferred};

/// A response that the router sends itself. Its body is short and complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers, without `Content-Length`.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

impl Answer {
    /// Builds the 404 for a path without a route. Its short body is text, HTML or JSON, as `accept` prefers.
    pub fn not_found(accept: Option<&str>) -> Self {
        let format = preferred(accept);
        let body = match format {
            Format::Text => "Not Found",
            Format::Html => concat!(
                "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>404 Not Found</title>",
                "<h1>404</h1><p>This page could not be found.</p></html>"
            ),
            Format::Json => "{\"error\":\"Not Found\"}",
        };
        Self {
            status: 404,
            headers: vec![
                ("content-type", format.media_type().to_owned()),
                ("vary", "accept".to_owned()),
            ],
            body: body.to_owned(),
        }
    }

    /// Builds the redirect to the normal form of a path, with the query unchanged: a 308, so that the
    /// client keeps the method.
    pub fn redirect(path: String, query: Option<&str>) -> Self {
        let location = match query {
            Some(query) => format!("{path}?{query}"),
            None => path,
        };
        Self {
            status: 308,
            headers: vec![
                ("location", location.clone()),
                // For a request of another origin it has more headers, and clients keep a 308.
                ("vary", "origin".to_owned()),
            ],
            body: location,
        }
    }

    /// Returns whether it is the redirect to the normal form of a path.
    pub(crate) fn is_redirect(&self) -> bool {
        self.status == 308
    }

    /// Builds the 400 for an invalid request, with the reason as its body.
    pub fn bad_request(why: &str) -> Self {
        Self::text(400, why)
    }

    /// Builds the 500 for a failure of the router or a handler. It does not reveal the cause.
    pub fn internal_error(request_id: &str) -> Self {
        Self {
            status: 500,
            headers: vec![("x-request-id", request_id.to_owned())],
            body: String::new(),
        }
    }

    /// Builds the response to `OPTIONS *` (RFC 9110 section 9.3.7): the methods of the whole server.
    pub(crate) fn options(methods: &str) -> Self {
        Self {
            status: 204,
            headers: vec![("allow", methods.to_owned())],
            body: String::new(),
        }
    }

    fn text(status: u16, body: &str) -> Self {
        let media_type = Format::Text.media_type().to_owned();
        Self {
            status,
            headers: vec![("content-type", media_type)],
            body: body.to_owned(),
        }
    }

    /// Returns the value of a header, or `None` if there is no such header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.as_str())
    }
}
