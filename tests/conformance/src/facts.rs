//! The facts about one exchange, for the selectors of deviations and the `{names}` in expected texts.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use url::{Url, form_urlencoded};

use crate::percent;

/// Methods that a route handler may implement.
const HANDLER_METHODS: [&str; 7] = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH"];

/// The facts about one exchange. They are read from the sent bytes, so that they also work for raw requests.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    view: Value,
    names: BTreeMap<String, Value>,
    parameters: Vec<(String, String)>,
    recorded: Value,
}

/// A request, parsed from its bytes.
struct Head {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Facts {
    /// Collects the facts. `line` is the case, and `expect` the recorded response to `sent`.
    pub(crate) fn of(line: &Value, expect: &Value, sent: &[u8], port: u16) -> Self {
        let head = Head::read(sent);
        let path = head.path();
        let query = head.query();
        let url = Url::parse(&format!("http://localhost/?{}", query.unwrap_or_default())).ok();
        let encoded_query = url.as_ref().and_then(Url::query).unwrap_or_default();
        let pairs: Vec<_> = form_urlencoded::parse(query.unwrap_or_default().as_bytes())
            .into_owned()
            .collect();
        let decoded = percent::decode(path.as_bytes())
            .map(|path| String::from_utf8_lossy(&path).into_owned());
        let body = String::from_utf8_lossy(&head.body);
        let mut names = BTreeMap::from([
            ("port", json!(port.to_string())),
            ("path", json!(path)),
            ("decoded", json!(decoded)),
            (
                "query",
                json!(
                    query
                        .map(|_| format!("?{encoded_query}"))
                        .unwrap_or_default()
                ),
            ),
            (
                "search",
                json!(if encoded_query.is_empty() {
                    String::new()
                } else {
                    format!("?{encoded_query}")
                }),
            ),
            ("pairs", json!(pairs)),
            (
                "form",
                json!(
                    form_urlencoded::Serializer::new(String::new())
                        .extend_pairs(&pairs)
                        .finish()
                ),
            ),
            ("body", json!(body)),
            ("body-length", json!(body.encode_utf16().count())),
            ("body-json", serde_json::from_str(&body).unwrap_or_default()),
        ]);
        if let Some(url) = head.authority() {
            let port = url.port().map(|port| port.to_string()).unwrap_or_default();
            let host = url.host_str().unwrap_or_default();
            names.insert(
                "host",
                json!(if port.is_empty() {
                    host.to_owned()
                } else {
                    format!("{host}:{port}")
                }),
            );
            names.insert("hostname", json!(host));
            names.insert("host-port", json!(port));
        }
        let names = names
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        let recorded = expect["body"]
            .as_str()
            .and_then(|body| serde_json::from_str(body).ok());
        Self {
            view: head.view(line, expect),
            names,
            parameters: pairs,
            recorded: recorded.unwrap_or_default(),
        }
    }

    /// Adds the position of the exchange in a sequence.
    pub(crate) fn at_step(mut self, step: Option<usize>) -> Self {
        self.view["step"] = json!(step);
        self
    }

    /// Returns the case in the shape of a selector.
    pub(crate) fn view(&self) -> &Value {
        &self.view
    }

    /// Returns `true` if the method is `HEAD`.
    pub(crate) fn is_head(&self) -> bool {
        self.view["request"]["method"] == "HEAD"
    }

    /// Replaces each `{name}` with its value. Unknown names stay.
    pub(crate) fn fill(&self, template: &str) -> String {
        let mut filled = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            match after
                .split_once('}')
                .and_then(|(name, after)| Some((self.named(name)?, after)))
            {
                Some((value, after)) => {
                    filled.push_str(
                        &value
                            .as_str()
                            .map_or_else(|| value.to_string(), str::to_owned),
                    );
                    rest = after;
                }
                None => {
                    filled.push('{');
                    rest = after;
                }
            }
        }
        filled + rest
    }

    /// Fills the texts within a JSON value. A text that is only a name is replaced with its JSON value.
    pub(crate) fn fill_json(&self, template: &Value) -> Value {
        match template {
            Value::String(text) => {
                let name = text
                    .strip_prefix('{')
                    .and_then(|text| text.strip_suffix('}'));
                name.and_then(|name| self.named(name))
                    .unwrap_or_else(|| json!(self.fill(text)))
            }
            Value::Array(items) => items.iter().map(|item| self.fill_json(item)).collect(),
            Value::Object(members) => {
                let filled = members
                    .iter()
                    .map(|(key, value)| (key.clone(), self.fill_json(value)));
                Value::Object(filled.collect())
            }
            other => other.clone(),
        }
    }

    fn named(&self, name: &str) -> Option<Value> {
        if let Some(parameter) = name.strip_prefix("query.") {
            let (_, value) = self
                .parameters
                .iter()
                .find(|(known, _)| known == parameter)?;
            return Some(json!(percent::encode_non_ascii(value)));
        }
        match name.strip_prefix("recorded.") {
            Some(member) => self.recorded.get(member).cloned(),
            None => self.names.get(name).cloned(),
        }
    }
}

impl Head {
    fn read(sent: &[u8]) -> Self {
        let end = sent
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
            .unwrap_or(sent.len());
        let head = String::from_utf8_lossy(&sent[..end]);
        let mut lines = head.split("\r\n");
        let line = lines.next().unwrap_or_default();
        let (method, target) = line.split_once(' ').unwrap_or((line, ""));
        let target = target
            .rsplit_once(" HTTP/")
            .map_or(target, |(target, _)| target);
        let headers = lines.filter_map(|line| line.split_once(':'));
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: headers
                .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
                .collect(),
            body: sent.get(end + 4..).unwrap_or_default().to_vec(),
        }
    }

    fn absolute(&self) -> Option<(&str, &str)> {
        let (scheme, rest) = self.target.split_once("://")?;
        let is_scheme = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
        is_scheme.then(|| rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len())))
    }

    /// Returns the raw path.
    fn path(&self) -> &str {
        let target = self
            .absolute()
            .map_or(self.target.as_str(), |(_, rest)| rest);
        target.split(['?', '#']).next().unwrap_or_default()
    }

    /// Returns the raw query without its question mark, or `None` if there is none.
    fn query(&self) -> Option<&str> {
        let target = self.target.split('#').next().unwrap_or_default();
        target.split_once('?').map(|(_, query)| query)
    }

    /// Returns the authority as a URL, or `None` if it is missing or invalid. It is that of an absolute-form target, or
    /// of the only `Host` (RFC 9112 section 3.2.2).
    fn authority(&self) -> Option<Url> {
        let mut hosts = self
            .headers
            .iter()
            .filter(|(name, _)| name == "host")
            .map(|(_, value)| value.as_str());
        let authority = match (self.absolute(), hosts.next(), hosts.next()) {
            (Some((authority, _)), _, _) => authority,
            (None, Some(host), None) => host,
            _ => return None,
        };
        let plain =
            !authority.is_empty() && !authority.contains(['/', '?', '#', '@', '\\', ' ', '\t']);
        plain
            .then(|| Url::parse(&format!("http://{authority}/")).ok())
            .flatten()
    }

    /// Returns the properties of the request that selectors match with `is`.
    fn classes(&self) -> Vec<&'static str> {
        let path = percent::decode(self.path().as_bytes());
        let query = form_urlencoded::parse(self.query().unwrap_or_default().as_bytes());
        let values: Vec<_> = query.map(|(_, value)| value.into_owned()).collect();
        let foreign = values.iter().any(|value| !value.is_ascii());
        let control = values
            .iter()
            .any(|value| value.chars().any(|c| c.is_ascii_control()));
        let is_token = |method: &str| {
            !method.is_empty()
                && method
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
        };
        let classes = [
            ("bad-escape", path.is_none()),
            (
                "bad-utf-8",
                path.as_ref()
                    .is_some_and(|path| std::str::from_utf8(path).is_err()),
            ),
            ("nul", path.as_ref().is_some_and(|path| path.contains(&0))),
            ("foreign-query", foreign && !control),
            ("foreign-target", !self.target.is_ascii()),
            ("absolute-form", self.absolute().is_some()),
            ("asterisk-form", self.target == "*"),
            ("bad-host", self.authority().is_none()),
            (
                "other-method",
                is_token(&self.method) && !HANDLER_METHODS.contains(&self.method.as_str()),
            ),
        ];
        classes
            .into_iter()
            .filter(|(_, holds)| *holds)
            .map(|(name, _)| name)
            .collect()
    }

    fn view(&self, line: &Value, expect: &Value) -> Value {
        let mut view = Map::new();
        for key in ["id", "area", "app", "kind", "route", "note"] {
            view.insert(key.to_owned(), line[key].clone());
        }
        let headers: Map<_, _> = self
            .headers
            .iter()
            .rev()
            .map(|(name, value)| (name.clone(), json!(value)))
            .collect();
        let body =
            (!self.body.is_empty()).then(|| String::from_utf8_lossy(&self.body).into_owned());
        let request =
            json!({ "method": self.method, "path": self.target, "headers": headers, "body": body });
        view.insert("request".to_owned(), request);
        view.insert("expect".to_owned(), expect.clone());
        view.insert("is".to_owned(), json!(self.classes()));
        Value::Object(view)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(sent: &str) -> Facts {
        let expect = json!({ "status": 200, "body": r#"{"pathname":"/q/url","n":1}"# });
        Facts::of(&json!({ "id": "a-1" }), &expect, sent.as_bytes(), 3000)
    }

    fn classes(line: &str, host: &str) -> String {
        let facts = facts(&format!("{line} HTTP/1.1\r\n{host}\r\n\r\n"));
        facts.view["is"]
            .as_array()
            .unwrap()
            .iter()
            .map(|class| class.as_str().unwrap())
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn names() {
        let facts = facts(
            "POST /a%2Fb/%C3%BC?x=1&to=/%E2%9C%93&x=%20#f HTTP/1.1\r\nHost: EXAMPLE.com:80\r\nA: b\r\n\r\n[1]",
        );
        for (template, filled) in [
            (
                "{host}|{hostname}|{host-port}|{port}",
                "example.com|example.com||3000",
            ),
            ("{path}|{decoded}", "/a%2Fb/%C3%BC|/a/b/ü"),
            ("{search}", "?x=1&to=/%E2%9C%93&x=%20"),
            ("{form}", "x=1&to=%2F%E2%9C%93&x=+"),
            ("{query.to}|{query.none}", "/%E2%9C%93|{query.none}"),
            ("{recorded.pathname}{recorded.n}", "/q/url1"),
            ("{\"a\":{body}}", "{\"a\":[1]}"),
            ("{", "{"),
        ] {
            assert_eq!(facts.fill(template), filled, "{template}");
        }
        let filled = facts.fill_json(
            &json!({ "pairs": "{pairs}", "n": ["{body-length}", "{body-json}"], "t": "x{path}" }),
        );
        assert_eq!(
            filled,
            json!({ "pairs": [["x", "1"], ["to", "/✓"], ["x", " "]], "n": [3, [1]], "t": "x/a%2Fb/%C3%BC" })
        );
    }

    #[test]
    fn queries_follow_the_url_standard() {
        for (target, search, query) in [
            ("/", "", ""),
            ("/?", "", "?"),
            ("/?a=\"b'", "?a=%22b%27", "?a=%22b%27"),
            ("/?&&a", "?&&a", "?&&a"),
        ] {
            let facts = facts(&format!("GET {target} HTTP/1.1\r\n\r\n"));
            assert_eq!(
                (facts.fill("{search}"), facts.fill("{query}")),
                (search.to_owned(), query.to_owned()),
                "{target}"
            );
        }
    }

    #[test]
    fn properties_of_requests() {
        for (line, host, expected) in [
            ("GET /a%20b", "Host: x", ""),
            ("GET /%ZZ?a=%ZZ", "Host: x", "bad-escape"),
            ("GET /%C3", "Host: x", "bad-utf-8"),
            ("GET /%00", "Host: x", "nul"),
            ("GET /?a=%C3%A9", "Host: x", "foreign-query"),
            ("GET /?a=%C3%A9%0A", "Host: x", ""),
            (
                "GET http://x.example/%ZZ",
                "Host: y",
                "bad-escape absolute-form",
            ),
            ("OPTIONS *", "Host: x", "asterisk-form"),
            ("GET /é", "Host: x", "foreign-target"),
            ("PROPFIND /a b", "Host: x", "other-method"),
            ("get /", "Host: x", "other-method"),
            ("GET /", "Host: exa mple", "bad-host"),
            ("GET /", "Host: a/b", "bad-host"),
            ("GET /", "Host: a\r\nHost: b", "bad-host"),
            ("GET /", "Host:", "bad-host"),
            ("GET /", "Host: [::1]:80", ""),
        ] {
            assert_eq!(classes(line, host), expected, "{line} {host}");
        }
    }

    #[test]
    fn views() {
        let facts = facts("PUT /x HTTP/1.1\r\nX-A: 1\r\nx-a: 2\r\n\r\nb");
        let view = facts.view();
        assert_eq!(
            view["request"],
            json!({ "method": "PUT", "path": "/x", "headers": { "x-a": "1" }, "body": "b" })
        );
        assert_eq!(
            (&view["id"], &view["expect"]["status"]),
            (&json!("a-1"), &json!(200))
        );
    }
}
