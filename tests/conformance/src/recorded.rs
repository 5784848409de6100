//! The lines of a recording as plain structures, deserialised from JSON.
//!
//! This module does not interpret them. [`crate::request`] builds the bytes of a request, and
//! [`crate::expectation`] the expected response.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer};

/// A request.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Request {
    pub(crate) method: Option<String>,
    pub(crate) path: Option<String>,
    pub(crate) path_base64: Option<Base64>,
    pub(crate) path_gen: Option<Repeated>,
    pub(crate) headers: Vec<(String, Text)>,
    pub(crate) body: Option<String>,
    pub(crate) body_base64: Option<Base64>,
    pub(crate) body_gen: Option<Repeated>,
    pub(crate) raw: Option<String>,
    pub(crate) raw_base64: Option<Base64>,
}

/// A recorded response.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Answer {
    pub(crate) status: Option<u16>,
    pub(crate) headers: BTreeMap<String, Lines>,
    pub(crate) absent: Vec<String>,
    pub(crate) body: Option<String>,
    pub(crate) body_base64: Option<Base64>,
    pub(crate) body_kind: Option<String>,
    pub(crate) body_length: Option<usize>,
    pub(crate) body_prefix: Option<String>,
    pub(crate) content_encoding: Option<String>,
    pub(crate) wire: Wire,
    pub(crate) same_body_as_before_restart: bool,
}

/// Facts about framing. Other recorded facts are never compared; `equivalence` says why.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Wire {
    pub(crate) incomplete: bool,
    pub(crate) outcome: Option<String>,
    pub(crate) reason: Option<String>,
}

/// A request and its response.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Exchange {
    pub(crate) request: Request,
    #[serde(default)]
    pub(crate) expect: Answer,
}

/// A step of a sequence: one exchange, several concurrent ones, or an action on the server.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Step {
    pub(crate) wait_ms: u64,
    pub(crate) request: Option<Request>,
    pub(crate) expect: Answer,
    pub(crate) parallel: Vec<Exchange>,
}

/// Bytes sent on a connection, and the time until the response was received.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Sent {
    pub(crate) raw: Option<String>,
    pub(crate) raw_base64: Option<Base64>,
    pub(crate) wait_ms: u64,
}

/// The bytes received on a connection.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Observed {
    pub(crate) received: Option<String>,
    pub(crate) received_base64: Option<Base64>,
    pub(crate) bytes_after_each_send: Vec<usize>,
}

/// A text, or the rule that generates a long one.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Text {
    Plain(String),
    Repeated(Repeated),
}

/// A prefix, and a text that is repeated after it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Repeated {
    #[serde(default)]
    pub(crate) prefix: String,
    pub(crate) repeat: String,
    pub(crate) count: usize,
}

/// The values of a header: one line, or several.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Lines {
    One(String),
    Several(Vec<String>),
}

/// Bytes that are recorded in base64.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Base64(pub(crate) Vec<u8>);

impl Sent {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        bytes(self.raw_base64.as_ref(), self.raw.as_deref())
    }
}

impl Observed {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        bytes(self.received_base64.as_ref(), self.received.as_deref())
    }
}

impl Text {
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Plain(text) => text.clone(),
            Self::Repeated(repeated) => repeated.text(),
        }
    }
}

impl Repeated {
    pub(crate) fn text(&self) -> String {
        format!("{}{}", self.prefix, self.repeat.repeat(self.count))
    }
}

impl Lines {
    pub(crate) fn into_vec(self) -> Vec<String> {
        match self {
            Self::One(line) => vec![line],
            Self::Several(lines) => lines,
        }
    }
}

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD
            .decode(text)
            .map(Self)
            .map_err(serde::de::Error::custom)
    }
}

/// Returns the recorded bytes. If there is base64, it is exact and the text is only for readers.
fn bytes(exact: Option<&Base64>, text: Option<&str>) -> Vec<u8> {
    match (exact, text) {
        (Some(Base64(bytes)), _) => bytes.clone(),
        (None, text) => text.unwrap_or_default().as_bytes().to_vec(),
    }
}
