//! The expected response: a recorded response in a uniform form.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::answer::{Answer, End};
use crate::client::Leave;
use crate::equivalence;
use crate::recorded::{self, Base64};

/// Headers whose absence is recorded for each response. For a conversation, it follows from the recorded bytes.
const TOLD: [&str; 8] = [
    "content-type",
    "allow",
    "location",
    "set-cookie",
    "cache-control",
    "etag",
    "x-nextjs-cache",
    "access-control-allow-origin",
];

/// The expected response. Headers in neither list are not compared.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Expectation {
    /// The expected status, or `None` if no response is expected.
    pub(crate) status: Option<u16>,
    pub(crate) headers: BTreeMap<String, Vec<String>>,
    pub(crate) absent: BTreeSet<String>,
    pub(crate) body: Body,
    pub(crate) reason: Option<String>,
    /// `true` if the connection is cut before the body's end.
    pub(crate) cut: bool,
    /// The time after its request at which the client goes away, or `None` if it stays.
    pub(crate) left: Option<Duration>,
}

/// The expected body.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Body {
    /// Any body: it was not recorded, or does not matter.
    #[default]
    Any,
    /// A text that may contain symbols. It is compared as JSON if that is the content type.
    Text(String),
    Bytes(Vec<u8>),
    /// Any HTML page.
    HtmlPage,
    /// A long text, given by its length and its beginning.
    Long {
        length: Option<usize>,
        prefix: String,
    },
    /// Any body of this length in bytes.
    Length(usize),
    /// A body of unknown kind, which matches nothing.
    Unknown(String),
}

impl Expectation {
    /// Builds the expectation from a recorded response. `{port}` in it is the port of the server.
    pub(crate) fn of(recorded: &recorded::Answer, port: u16) -> Self {
        let local = |text: &String| text.replace("{port}", &port.to_string());
        let headers = recorded.headers.iter().map(|(name, lines)| {
            let lines = lines.clone().into_vec();
            (name.to_ascii_lowercase(), lines.iter().map(local).collect())
        });
        let mut expectation = Self {
            status: recorded.status,
            headers: headers.collect(),
            absent: recorded
                .absent
                .iter()
                .map(|name| name.to_ascii_lowercase())
                .collect(),
            body: Body::of(recorded, local),
            reason: recorded.wire.reason.clone(),
            cut: recorded.wire.incomplete,
            left: recorded
                .wire
                .outcome
                .as_deref()
                .and_then(client_closed_after),
        };
        expectation.tell_encoding();
        equivalence::tidy(&mut expectation);
        expectation
    }

    /// Builds the expectation from a response that was recorded byte by byte.
    pub(crate) fn of_bytes(answer: &Answer) -> Self {
        let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in &answer.headers {
            headers.entry(name.clone()).or_default().push(value.clone());
        }
        let mut absent: BTreeSet<_> = TOLD.map(str::to_owned).into();
        absent.retain(|name| !headers.contains_key(name) && !answer.is_interim());
        let body = match std::str::from_utf8(&answer.body) {
            Ok(text) => Body::Text(text.to_owned()),
            Err(_) => Body::Bytes(answer.body.clone()),
        };
        let cut = answer.end == End::Cut;
        let mut expectation = Self {
            status: Some(answer.status),
            headers,
            absent,
            body,
            cut,
            ..Self::default()
        };
        expectation.tell_encoding();
        equivalence::tidy(&mut expectation);
        equivalence::tidy_connection(&mut expectation);
        expectation
    }

    /// Returns when the client goes away. It first waits for what it is expected to receive.
    pub(crate) fn leave(&self) -> Leave {
        match (self.left, self.status) {
            (None, _) => Leave::Never,
            (Some(time), None) => Leave::After(time),
            (Some(time), Some(_)) => Leave::AfterBody(time),
        }
    }

    /// Returns `true` if the content type is JSON.
    pub(crate) fn is_json(&self) -> bool {
        let line = self
            .headers
            .get("content-type")
            .and_then(|lines| lines.first());
        let essence = line
            .and_then(|line| line.split(';').next())
            .unwrap_or_default()
            .trim();
        essence == "application/json" || essence.ends_with("+json")
    }

    /// Expects no `content-encoding` unless one was recorded, because a body depends on its encoding.
    fn tell_encoding(&mut self) {
        let name = "content-encoding";
        if self.status.is_some() && !self.headers.contains_key(name) {
            self.absent.insert(name.to_owned());
        }
    }
}

impl Body {
    fn of(recorded: &recorded::Answer, local: impl Fn(&String) -> String) -> Self {
        match (
            &recorded.body_base64,
            &recorded.body,
            recorded.body_kind.as_deref(),
        ) {
            (Some(Base64(bytes)), _, _) => Self::Bytes(bytes.clone()),
            (None, Some(text), _) => Self::Text(local(text)),
            (None, None, None) => Self::Any,
            (None, None, Some("html-error-page")) => Self::HtmlPage,
            (None, None, Some("large")) => Self::Long {
                length: recorded.body_length,
                prefix: recorded.body_prefix.as_ref().map(local).unwrap_or_default(),
            },
            // The length of a compressed text depends on the compressor.
            (None, None, Some("not-recorded")) => {
                match (&recorded.content_encoding, recorded.body_length) {
                    (None, Some(length)) => Self::Length(length),
                    _ => Self::Any,
                }
            }
            (None, None, Some(kind)) => Self::Unknown(kind.to_owned()),
        }
    }
}

/// Parses `client closed after 150 ms`.
fn client_closed_after(outcome: &str) -> Option<Duration> {
    let text = outcome
        .strip_prefix("client closed after ")?
        .strip_suffix(" ms")?;
    text.parse().ok().map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str) -> Expectation {
        Expectation::of(&serde_json::from_str(json).unwrap(), 3000)
    }

    #[test]
    fn bodies() {
        for (json, body) in [
            (
                r#"{"body":"localhost:{port}"}"#,
                Body::Text("localhost:3000".to_owned()),
            ),
            (
                r#"{"body":null,"body_base64":"AAE="}"#,
                Body::Bytes(vec![0, 1]),
            ),
            (r#"{"body":null}"#, Body::Any),
            (
                r#"{"body":null,"body_kind":"html-error-page"}"#,
                Body::HtmlPage,
            ),
            (
                r#"{"body_kind":"large","body_length":9,"body_prefix":"a"}"#,
                Body::Long {
                    length: Some(9),
                    prefix: "a".to_owned(),
                },
            ),
            (
                r#"{"body_kind":"not-recorded","body_length":9,"content_encoding":null}"#,
                Body::Length(9),
            ),
            (
                r#"{"body_kind":"not-recorded","body_length":9,"content_encoding":"gzip"}"#,
                Body::Any,
            ),
            (r#"{"body_kind":"poem"}"#, Body::Unknown("poem".to_owned())),
        ] {
            assert_eq!(of(json).body, body, "{json}");
        }
    }

    #[test]
    fn headers_and_absence() {
        let of = of(
            r#"{"status":200,"headers":{"Allow":["GET","HEAD"],"location":"http://x:{port}/"},"absent":["ETag"]}"#,
        );
        assert_eq!(of.headers["allow"], ["GET", "HEAD"]);
        assert_eq!(of.headers["location"], ["http://x:3000/"]);
        assert!(of.absent.contains("etag") && of.absent.contains("content-encoding"));
    }

    #[test]
    fn a_client_that_leaves() {
        let left = Duration::from_millis(150);
        let wire = r#""wire":{"outcome":"client closed after 150 ms"}"#;
        assert_eq!(
            of(&format!(r#"{{"status":200,{wire}}}"#)).leave(),
            Leave::AfterBody(left)
        );
        assert_eq!(
            of(&format!(r#"{{"status":null,{wire}}}"#)).leave(),
            Leave::After(left)
        );
        assert_eq!(
            of(r#"{"status":null,"wire":{"outcome":"end","raw":""}}"#).leave(),
            Leave::Never
        );
    }

    #[test]
    fn json_by_content_type() {
        for (value, json) in [
            ("application/json", true),
            ("application/problem+json; x=y", true),
            ("text/json-ish", false),
        ] {
            assert_eq!(
                of(&format!(r#"{{"headers":{{"content-type":"{value}"}}}}"#)).is_json(),
                json,
                "{value}"
            );
        }
    }
}
