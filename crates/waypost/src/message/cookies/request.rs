//! The `Cookie` header of a request: parsed and changed.

use std::collections::HashMap;

use http::{HeaderMap, HeaderValue, header};

use super::{Cookie, CookieError, Cookies, encoding};
use crate::message::header_value::latin1;

/// The cookies of a request for changes, which later readers of the request see.
pub struct RequestCookies<'r> {
    cookies: Cookies,
    headers: &'r mut HeaderMap,
}

impl<'r> RequestCookies<'r> {
    pub(crate) fn new(cookies: Cookies, headers: &'r mut HeaderMap) -> Self {
        Self { cookies, headers }
    }

    /// Sets a cookie of the request, and replaces one of the same name.
    ///
    /// # Errors
    ///
    /// [`CookieError`] if the name contains a character that is not allowed.
    pub fn set(&mut self, name: &str, value: &str) -> Result<&mut Self, CookieError> {
        Cookie::new(name, value).check()?;
        let mut jar = self.cookies.jar();
        match jar.sent.iter_mut().find(|(known, _)| known == name) {
            Some(known) => known.1 = value.to_owned(),
            None => jar.sent.push((name.to_owned(), value.to_owned())),
        }
        drop(jar);
        self.write();
        Ok(self)
    }

    /// Removes a cookie from the request.
    pub fn delete(&mut self, name: &str) -> &mut Self {
        self.cookies.jar().sent.retain(|(known, _)| known != name);
        self.write();
        self
    }

    /// Writes the `Cookie` header from the current cookies.
    fn write(&mut self) {
        let jar = self.cookies.jar();
        let pairs = jar.sent.iter().map(|(name, value)| {
            // A name that is not a token was decoded from the client's Latin-1, and is encoded back.
            let name = name.chars().filter_map(|c| u8::try_from(c).ok());
            let value = encoding::encode(value);
            name.chain([b'=']).chain(value.bytes()).collect::<Vec<_>>()
        });
        let line = pairs.collect::<Vec<_>>().join(&b"; "[..]);
        self.headers.remove(header::COOKIE);
        // Names from the client may contain anything. A header that would be invalid is left out.
        if let (false, Ok(line)) = (line.is_empty(), HeaderValue::from_bytes(&line)) {
            self.headers.insert(header::COOKIE, line);
        }
    }
}

/// Parses the cookies of a request. If a name occurs several times, the last value counts, in the position of the
/// first.
pub(super) fn parse(headers: &HeaderMap) -> Vec<(String, String)> {
    let mut cookies: Vec<(String, String)> = Vec::new();
    // A client may send thousands of cookies: comparing each with all before it would take too long.
    let mut indices = HashMap::new();
    let lines = headers.get_all(header::COOKIE).iter();
    for pair in lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b';')) {
        let Some((name, value)) = parse_pair(&latin1(pair)) else {
            continue;
        };
        let index = *indices.entry(name.clone()).or_insert(cookies.len());
        match cookies.get_mut(index) {
            Some(known) => known.1 = value,
            None => cookies.push((name, value)),
        }
    }
    cookies
}

fn parse_pair(pair: &str) -> Option<(String, String)> {
    let pair = pair.trim_start_matches(' ');
    if pair.is_empty() {
        return None;
    }
    match pair.split_once('=') {
        Some((name, value)) => Some((name.to_owned(), encoding::decode(value)?)),
        None => Some((pair.to_owned(), "true".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(line: &str) -> Cookies {
        let mut headers = HeaderMap::new();
        let value = HeaderValue::from_bytes(line.as_bytes()).unwrap();
        headers.insert(header::COOKIE, value);
        Cookies::of(&headers)
    }

    #[test]
    fn request_cookies() {
        let cookies = sent("a=1; b=x%20y;c; d=%ZZ; a=2; e=\"q\"; f=b=c");
        let all = cookies.all();
        let all: Vec<_> = all
            .iter()
            .map(|cookie| (cookie.name(), cookie.value()))
            .collect();
        let expected = [
            ("a", "2"),
            ("b", "x y"),
            ("c", "true"),
            ("e", "\"q\""),
            ("f", "b=c"),
        ];
        assert_eq!(all, expected);
        assert!(!cookies.has("d") && !cookies.has("A"));
    }

    #[test]
    fn cookies_of_a_request_can_be_changed() {
        let cookies = sent("a=1; b=9");
        let mut headers = HeaderMap::new();
        let mut request = RequestCookies::new(cookies.clone(), &mut headers);
        request.set("a", "x y").unwrap().delete("b");
        assert!(request.set("a;b", "1").is_err());
        assert_eq!(headers["cookie"], "a=x%20y");
        assert_eq!(cookies.get("a").unwrap().value(), "x y");
    }

    #[test]
    fn names_of_other_cookies_are_unchanged() {
        let cookies = sent("é=1");
        let mut headers = HeaderMap::new();
        let mut request = RequestCookies::new(cookies, &mut headers);
        request.set("a", "2").unwrap();
        assert_eq!(headers["cookie"].as_bytes(), "é=1; a=2".as_bytes());
    }
}
