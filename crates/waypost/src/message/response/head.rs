//! The head of a response: its status and its headers.
//!
//! The headers are a list until a map of the crate `http` is needed. The code for the map is reached through
//! [`AsMap`], so that a component that never needs it does not contain it: 25.8 kB of `/hello`.

use std::borrow::Cow;
use std::cell::OnceCell;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::response::Parts;
use http::{Response, StatusCode};

use crate::extract::Exchange;
use crate::message::connection::ConnectionHeaders;
use crate::response::caching;

/// The name of a header, in lower case.
pub(crate) type Name = Cow<'static, str>;

/// The value of a header.
#[derive(Clone)]
pub(crate) enum Value {
    /// Text that is known to be valid.
    Text(Cow<'static, [u8]>),
    Header(HeaderValue),
}

impl Value {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text,
            Self::Header(value) => value.as_bytes(),
        }
    }

    fn into_header_value(self) -> HeaderValue {
        match self {
            #[expect(clippy::expect_used, reason = "it is the invariant of `Text`")]
            Self::Text(text) => HeaderValue::from_bytes(&text).expect("the text is valid"),
            Self::Header(value) => value,
        }
    }
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        text.as_bytes().into()
    }
}

impl From<&'static [u8]> for Value {
    fn from(text: &'static [u8]) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<Vec<u8>> for Value {
    fn from(text: Vec<u8>) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<HeaderValue> for Value {
    fn from(value: HeaderValue) -> Self {
        Self::Header(value)
    }
}

/// Headers in the form that hosts accept.
pub(crate) type HeaderList = Vec<(String, Vec<u8>)>;

/// A header.
pub(crate) type Line = (Name, Value);

/// The status and the headers of a response.
pub(crate) struct Head {
    pub(crate) status: StatusCode,
    /// The headers, until they are a map.
    lines: Vec<Line>,
    map: OnceCell<Box<dyn AsMap>>,
    /// Set once the handler sets a header. The SDK's own headers need no checks when they are sent.
    custom: Option<&'static CustomHeaders>,
}

/// The functions for headers that a handler sets. They are pointers, so that a component whose handler sets none does
/// not contain them: 3.0 kB of `/hello`.
struct CustomHeaders {
    list: fn(&Head) -> HeaderList,
    length: fn(&Head) -> Option<u64>,
    /// Removes the headers that the caller of the component does not understand.
    finish: Option<fn(&mut Head, Option<&Exchange>)>,
    #[cfg(all(target_arch = "wasm32", target_env = "p2"))]
    refused: crate::sys::Refused,
}

const CUSTOM: &CustomHeaders = &CustomHeaders {
    list: list_custom,
    length: declared_length,
    finish: None,
    #[cfg(all(target_arch = "wasm32", target_env = "p2"))]
    refused: crate::sys::refused,
};

/// The functions for headers of which some are for a cache.
const FOR_CACHE: &CustomHeaders = &CustomHeaders {
    finish: Some(caching::finish),
    ..*CUSTOM
};

impl Head {
    /// Creates the head of a 200.
    pub(crate) fn new() -> Self {
        Self {
            status: StatusCode::OK,
            lines: Vec::new(),
            map: OnceCell::new(),
            custom: None,
        }
    }

    /// Adds a header that is not set yet, and whose value is known to be valid.
    pub(crate) fn add(&mut self, name: &'static str, value: Value) {
        debug_assert!(self.map.get().is_none(), "the headers are a map");
        self.lines.push((Cow::Borrowed(name), value));
    }

    /// Adds a header like [`Head::add`], unless a handler has asked for the map.
    pub(crate) fn add_to_list(&mut self, name: &'static str, value: Value) {
        if self.map.get().is_none() {
            self.add(name, value);
        }
    }

    /// Sets a header, and replaces any values that it had.
    pub(crate) fn insert(&mut self, name: impl Into<Name>, value: impl Into<Value>) {
        self.custom.get_or_insert(CUSTOM);
        let line = (name.into(), value.into());
        match self.map.get_mut() {
            Some(map) => map.insert(line),
            None => insert(&mut self.lines, line),
        }
    }

    /// Adds a value to a header, and keeps the values that it has.
    pub(crate) fn append(&mut self, name: impl Into<Name>, value: impl Into<Value>) {
        self.custom.get_or_insert(CUSTOM);
        let line = (name.into(), value.into());
        match self.map.get_mut() {
            Some(map) => map.append(line),
            None => append(&mut self.lines, line),
        }
    }

    /// Sets a header for a cache, whose value is known to be valid.
    pub(crate) fn insert_for_cache(&mut self, name: &'static str, value: String) {
        self.custom = Some(FOR_CACHE);
        self.insert(name, value.into_bytes());
    }

    /// Removes the headers that the caller of the component does not understand, or all that are for a cache if there is
    /// no caller.
    pub(crate) fn finish(&mut self, exchange: Option<&Exchange>) {
        if let Some(finish) = self.custom.and_then(|custom| custom.finish) {
            finish(self, exchange);
        }
    }

    /// Removes a header.
    pub(super) fn remove(&mut self, name: &str) {
        match self.map.get_mut() {
            Some(map) => drop(map.parts_mut().headers.remove(name)),
            None => self.lines.retain(|(known, _)| known != name),
        }
    }

    /// Returns all headers. Values of the same name are adjacent.
    pub(crate) fn lines(&self) -> Cow<'_, [Line]> {
        match self.map.get() {
            Some(map) => Cow::Owned(map.lines()),
            None => Cow::Borrowed(&self.lines),
        }
    }

    /// Returns the headers as they are sent, without `Content-Length`.
    pub(crate) fn list(&self) -> HeaderList {
        match self.custom {
            Some(custom) => (custom.list)(self),
            None => self.lines.iter().map(listed).collect(),
        }
    }

    /// Returns the length of the body that the handler declares, or `None` if it declares none or an invalid one.
    pub(crate) fn declared_length(&self) -> Option<u64> {
        self.custom.and_then(|custom| (custom.length)(self))
    }

    /// Returns the function that explains why the host refuses the headers, or `None` if it can't refuse them.
    #[cfg(all(target_arch = "wasm32", target_env = "p2"))]
    pub(crate) fn refused(&self) -> Option<crate::sys::Refused> {
        self.custom.map(|custom| custom.refused)
    }

    /// Returns the first value of a header, or `None` if it is not set.
    pub(crate) fn get(&self, name: &str) -> Option<Value> {
        let lines = self.lines();
        let mut named = lines.iter().filter(|(known, _)| known == name);
        named.next().map(|(_, value)| value.clone())
    }

    /// Returns the headers as a map.
    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.map().parts().headers
    }

    /// Returns the headers as a map, for changes.
    pub(crate) fn headers_mut(&mut self) -> &mut HeaderMap {
        self.custom.get_or_insert(CUSTOM);
        self.map();
        let map = self.map.get_mut();
        #[expect(clippy::expect_used, reason = "the line before makes them a map")]
        let map = map.expect("the headers are a map");
        &mut map.parts_mut().headers
    }

    /// Converts into the head of the crate `http`.
    pub(crate) fn into_parts(self) -> Parts {
        let mut parts = match self.map.into_inner() {
            Some(map) => map.into_parts(),
            None => parts(&self.lines),
        };
        parts.status = self.status;
        parts
    }

    fn map(&self) -> &dyn AsMap {
        let map = || Box::new(parts(&self.lines)) as Box<dyn AsMap>;
        &**self.map.get_or_init(map)
    }
}

impl From<Parts> for Head {
    fn from(parts: Parts) -> Self {
        let map: Box<dyn AsMap> = Box::new(parts);
        Self {
            status: map.parts().status,
            lines: Vec::new(),
            map: OnceCell::from(map),
            custom: Some(CUSTOM),
        }
    }
}

/// A head whose headers are a map. Its status does not count.
trait AsMap {
    fn parts(&self) -> &Parts;
    fn parts_mut(&mut self) -> &mut Parts;
    fn into_parts(self: Box<Self>) -> Parts;
    fn insert(&mut self, line: Line);
    fn append(&mut self, line: Line);
    fn lines(&self) -> Vec<Line>;
}

impl AsMap for Parts {
    fn parts(&self) -> &Parts {
        self
    }

    fn parts_mut(&mut self) -> &mut Parts {
        self
    }

    fn into_parts(self: Box<Self>) -> Parts {
        *self
    }

    fn insert(&mut self, (name, value): Line) {
        let value = value.into_header_value();
        self.headers.insert(header_name(&name), value);
    }

    fn append(&mut self, (name, value): Line) {
        let value = value.into_header_value();
        self.headers.append(header_name(&name), value);
    }

    fn lines(&self) -> Vec<Line> {
        let line = |(name, value): (&HeaderName, &HeaderValue)| {
            (
                Cow::Owned(name.as_str().to_owned()),
                Value::Header(value.clone()),
            )
        };
        self.headers.iter().map(line).collect()
    }
}

fn parts(lines: &[Line]) -> Parts {
    let mut parts = Response::new(()).into_parts().0;
    for (name, value) in lines {
        let value = value.clone().into_header_value();
        parts.headers.append(header_name(name), value);
    }
    parts
}

const CONTENT_LENGTH: &str = "content-length";

/// Returns the headers as they are sent. Lines of the same name are joined, as the Fetch standard reads them, except
/// for `Set-Cookie`.
fn list_custom(head: &Head) -> HeaderList {
    let lines = head.lines();
    let connection = lines.iter().filter(|(name, _)| name == "connection");
    let of_connection = ConnectionHeaders::of(connection.map(|(_, value)| value.as_bytes()));
    let mut list: HeaderList = Vec::new();
    for line in lines.iter() {
        let name = &*line.0;
        // The length is computed from the body, or checked against it.
        if name == CONTENT_LENGTH || of_connection.contain(name) {
            continue;
        }
        match list.last_mut() {
            Some((last, joined)) if last == name && name != "set-cookie" => {
                joined.extend_from_slice(b", ");
                joined.extend_from_slice(line.1.as_bytes());
            }
            _ => list.push(listed(line)),
        }
    }
    list
}

/// Parses the `Content-Length` that a handler set. Several lines have to be equal. Over HTTP/1.1 trailers are sent only
/// after a body without it (RFC 9112 section 6.5), so a response that lists trailers has none.
fn declared_length(head: &Head) -> Option<u64> {
    let lines = head.lines();
    if lines.iter().any(|(name, _)| name == "trailer") {
        return None;
    }
    let lines = lines.iter().filter(|(name, _)| name == CONTENT_LENGTH);
    parse_length(lines.map(|(_, value)| value.as_bytes()))
}

/// Parses the lines of a `Content-Length` (RFC 9110 section 8.6). Returns `None` if there is none, if one is invalid, or
/// if they differ.
pub(crate) fn parse_length<'v>(mut lines: impl Iterator<Item = &'v [u8]>) -> Option<u64> {
    let parse = |line: &[u8]| {
        let digits = std::str::from_utf8(line).ok()?;
        // `u64` would accept a `+`.
        digits
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then_some(())?;
        digits.parse::<u64>().ok()
    };
    let length = parse(lines.next()?)?;
    lines
        .all(|line| parse(line) == Some(length))
        .then_some(length)
}

fn listed((name, value): &Line) -> (String, Vec<u8>) {
    (String::from(&**name), value.as_bytes().to_vec())
}

fn header_name(name: &str) -> HeaderName {
    #[expect(
        clippy::expect_used,
        reason = "names of the list are literals, or were a `HeaderName`"
    )]
    let name = HeaderName::from_bytes(name.as_bytes()).expect("the name is valid");
    name
}

fn insert(lines: &mut Vec<Line>, (name, value): Line) {
    match lines.iter().position(|(known, _)| *known == name) {
        Some(first) => {
            lines[first].1 = value;
            let mut index = 0;
            lines.retain(|(known, _)| {
                index += 1;
                index <= first + 1 || *known != name
            });
        }
        None => lines.push((name, value)),
    }
}

fn append(lines: &mut Vec<Line>, line: Line) {
    match lines.iter().rposition(|(known, _)| *known == line.0) {
        Some(last) => lines.insert(last + 1, line),
        None => lines.push(line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The headers as they go out, from the list and from the map.
    fn both(fill: impl Fn(&mut Head)) -> [Vec<String>; 2] {
        [false, true].map(|is_map| {
            let mut head = Head::new();
            if is_map {
                head.headers_mut();
            }
            fill(&mut head);
            let line = |(name, value)| format!("{name}: {}", String::from_utf8(value).unwrap());
            head.list().into_iter().map(line).collect()
        })
    }

    #[test]
    fn the_list_behaves_like_the_map() {
        let lines = both(|head| {
            head.insert("x-a", "1");
            head.append("x-b", "1");
            head.append("x-a", "2");
            head.insert("x-b", "2");
            head.append("set-cookie", "a");
            head.append("x-b", "3");
            head.append("set-cookie", "b");
            head.append("x-c", "1");
            head.append("x-c", "2");
            head.insert("x-c", "3");
        });
        let expected = [
            "x-a: 1, 2",
            "x-b: 2, 3",
            "set-cookie: a",
            "set-cookie: b",
            "x-c: 3",
        ];
        assert_eq!(lines, [expected; 2]);
    }

    #[test]
    fn the_map_contains_the_list() {
        let mut head = Head::new();
        head.add("content-type", "text/css".into());
        head.append("x-a", "1");
        head.append("x-a", "2");
        assert_eq!(head.headers()["content-type"], "text/css");
        assert_eq!(head.headers().get_all("x-a").iter().count(), 2);
        head.headers_mut().remove("content-type");
        assert!(head.get("content-type").is_none());
        assert_eq!(head.into_parts().headers.len(), 2);
    }

    #[test]
    fn headers_of_the_connection_are_left_out() {
        let lines = both(|head| {
            for name in [
                "host",
                "keep-alive",
                "upgrade",
                "proxy-authenticate",
                "content-length",
            ] {
                head.append(name, "1");
            }
            head.append("connection", "close, X-Hop");
            head.append("x-hop", "1");
            head.append("x-a", "1");
        });
        assert_eq!(lines, [["x-a: 1"]; 2]);
    }

    #[test]
    fn a_declared_length() {
        let declared = |lines: &[&'static str]| {
            let mut head = Head::new();
            for line in lines {
                head.append("content-length", *line);
            }
            head.declared_length()
        };
        assert_eq!(declared(&[]), None);
        assert_eq!(declared(&["0"]), Some(0));
        assert_eq!(declared(&["4294967296", "4294967296"]), Some(1 << 32));
        for invalid in [
            &["5", "6"][..],
            &["+5"],
            &[""],
            &["5, 5"],
            &["99999999999999999999"],
        ] {
            assert_eq!(declared(invalid), None, "{invalid:?}");
        }
    }
}
