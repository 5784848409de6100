//! What the router answers by itself.

use crate::negotiate::{Format, preferred};

/// A response of the router itself: small, and whole from the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers, `Content-Length` not among them.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

impl Answer {
    /// Makes the answer to a path without a route: a 404 with a short body in what the client accepts.
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

    /// Makes the answer that sends a client to the normal form of a path, with the query as it was:
    /// a 308, which keeps the method.
    pub fn redirect(path: String, query: Option<&str>) -> Self {
        let location = match query {
            Some(query) => format!("{path}?{query}"),
            None => path,
        };
        Self {
            status: 308,
            headers: vec![("location", location.clone())],
            body: location,
        }
    }

    /// Makes the answer to a request that can't be understood.
    pub fn bad_request(why: &str) -> Self {
        Self::text(400, why)
    }

    /// Makes the answer where the router or a handler failed; it says nothing of the cause.
    pub fn internal_error(request_id: &str) -> Self {
        Self {
            status: 500,
            headers: vec![("x-request-id", request_id.to_owned())],
            body: String::new(),
        }
    }

    /// Makes the answer to `OPTIONS *` (RFC 9110 section 9.3.7): the methods of the whole server.
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

    /// Returns the value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.as_str())
    }
}
