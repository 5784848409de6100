//! The bytes of a recorded request.

use crate::recorded::{Base64, Request};

/// The bytes of one request, and how to read its response.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Message {
    pub(crate) bytes: Vec<u8>,
    /// `true` for the method `HEAD`, whose response never has a body.
    pub(crate) is_head: bool,
}

impl Message {
    /// Builds the bytes of a recorded request. Each was sent with `Connection: close`, and with a
    /// `Content-Length` if it has a body and no framing header.
    pub(crate) fn of(request: &Request) -> Self {
        let bytes = match (&request.raw_base64, &request.raw) {
            (Some(Base64(bytes)), _) => bytes.clone(),
            (None, Some(raw)) => raw.as_bytes().to_vec(),
            (None, None) => framed(request),
        };
        let is_head = bytes.starts_with(b"HEAD ");
        Self { bytes, is_head }
    }

    /// Returns the method as it is sent.
    pub(crate) fn method(&self) -> String {
        let method = self
            .bytes
            .split(|byte| *byte == b' ')
            .next()
            .unwrap_or_default();
        String::from_utf8_lossy(method).into_owned()
    }

    /// Returns the request line, shortened for reports.
    pub(crate) fn title(&self) -> String {
        let line = self
            .bytes
            .split(|byte| *byte == b'\r')
            .next()
            .unwrap_or_default();
        let line = String::from_utf8_lossy(line);
        shorten(line.strip_suffix(" HTTP/1.1").unwrap_or(&line), 100)
    }
}

fn framed(request: &Request) -> Vec<u8> {
    let body = body(request);
    let mut bytes = Vec::new();
    bytes.extend_from_slice(request.method.as_deref().unwrap_or("GET").as_bytes());
    bytes.push(b' ');
    bytes.extend_from_slice(&target(request));
    bytes.extend_from_slice(b" HTTP/1.1\r\n");
    let mut header = |name: &str, value: &str| {
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    };
    for (name, value) in &request.headers {
        header(name, &value.text());
    }
    let has = |wanted: &str| {
        request
            .headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case(wanted))
    };
    if let Some(body) = &body
        && !has("content-length")
        && !has("transfer-encoding")
    {
        header("Content-Length", &body.len().to_string());
    }
    if !has("connection") {
        header("Connection", "close");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend(body.unwrap_or_default());
    bytes
}

fn target(request: &Request) -> Vec<u8> {
    match (&request.path_gen, &request.path_base64, &request.path) {
        (Some(repeated), _, _) => repeated.text().into_bytes(),
        (None, Some(Base64(path)), _) => path.clone(),
        (None, None, path) => path.as_deref().unwrap_or("/").as_bytes().to_vec(),
    }
}

fn body(request: &Request) -> Option<Vec<u8>> {
    match (&request.body_gen, &request.body_base64, &request.body) {
        (Some(repeated), _, _) => Some(repeated.text().into_bytes()),
        (None, Some(Base64(body)), _) => Some(body.clone()),
        (None, None, body) => body.as_ref().map(|body| body.as_bytes().to_vec()),
    }
}

/// Shortens a text to `limit` characters. A shortened text ends with its full length.
pub(crate) fn shorten(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], text.len()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(json: &str) -> String {
        let request: Request = serde_json::from_str(json).unwrap();
        String::from_utf8_lossy(&Message::of(&request).bytes).into_owned()
    }

    #[test]
    fn headers_and_target_are_sent_as_recorded() {
        assert_eq!(
            text(
                r#"{"method":"get","path":"/a b","headers":[["Host","x"],["X-A","  é  "],["x-a",""]]}"#
            ),
            "get /a b HTTP/1.1\r\nHost: x\r\nX-A:   é  \r\nx-a: \r\nConnection: close\r\n\r\n"
        );
    }

    #[test]
    fn a_body_gets_a_length_unless_it_is_framed() {
        let sent = text(r#"{"method":"POST","path":"/","headers":[],"body":"é"}"#);
        assert!(
            sent.ends_with("Content-Length: 2\r\nConnection: close\r\n\r\né"),
            "{sent}"
        );
        let sent = text(r#"{"method":"POST","path":"/","headers":[],"body":""}"#);
        assert!(sent.contains("Content-Length: 0"), "{sent}");
        for framing in ["Content-Length", "transfer-encoding"] {
            let json = format!(
                r#"{{"method":"POST","path":"/","headers":[["{framing}","9"]],"body":"a"}}"#
            );
            assert_eq!(
                text(&json).to_lowercase().matches("content-length").count(),
                usize::from(framing == "Content-Length")
            );
        }
        assert!(!text(r#"{"method":"POST","path":"/","headers":[]}"#).contains("Content-Length"));
    }

    #[test]
    fn a_connection_header_is_kept() {
        let sent = text(r#"{"method":"GET","path":"/","headers":[["connection","keep-alive"]]}"#);
        assert_eq!(sent, "GET / HTTP/1.1\r\nconnection: keep-alive\r\n\r\n");
    }

    #[test]
    fn generated_and_encoded_parts() {
        let sent = text(
            r#"{"method":"GET","path":"/x…","path_gen":{"prefix":"/","repeat":"x","count":3},
                "headers":[["c",{"prefix":"a=","repeat":"z","count":2}]],"body_gen":{"repeat":"ab","count":2}}"#,
        );
        assert!(
            sent.starts_with("GET /xxx HTTP/1.1\r\nc: a=zz\r\n") && sent.ends_with("\r\n\r\nabab")
        );
        assert!(
            text(r#"{"method":"GET","path":"?","path_base64":"L2EJYg=="}"#)
                .starts_with("GET /a\tb HTTP")
        );
        assert_eq!(
            text(r#"{"raw":"x","raw_base64":"R0VUIC8NCg0K"}"#),
            "GET /\r\n\r\n"
        );
        assert_eq!(text(r#"{"raw":"GET /é"}"#), "GET /é");
    }

    #[test]
    fn titles() {
        let request: Request = serde_json::from_str(r#"{"method":"HEAD","path":"/a"}"#).unwrap();
        let message = Message::of(&request);
        assert_eq!(
            (message.title(), message.is_head),
            ("HEAD /a".to_owned(), true)
        );
    }
}
