//! The change that a deviation makes to a recorded response.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::expectation::{Body, Expectation};
use crate::facts::Facts;
use crate::percent;
use crate::recorded::Lines;

/// A change of an expectation. Its texts may contain `{names}` and symbols.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Change {
    /// Another status. The rest of the recorded response is dropped.
    status: Option<u16>,
    /// Recorded headers that are kept despite another status.
    keep: Vec<String>,
    /// Headers that are not compared.
    ignore: Vec<String>,
    /// Required headers, with their values.
    headers: BTreeMap<String, Lines>,
    /// The body.
    body: Option<String>,
    /// Members of a JSON body.
    json: Map<String, Value>,
    /// No response: the connection is closed.
    closed: bool,
    /// A reason phrase for an unregistered status.
    reason: Option<String>,
    /// Any body, because only the length of the recorded one is known.
    any_body: bool,
    /// Texts in body and headers, and their replacements.
    replace: Vec<(String, String)>,
    /// Headers whose non-ASCII characters are percent-encoded.
    encode: Vec<String>,
}

impl Change {
    /// Returns `true` if it sets another status, and so overrides earlier changes.
    pub(super) fn is_another_answer(&self, expectation: &Expectation) -> bool {
        let is_other = self.status.is_some() && self.status != expectation.status;
        is_other || (self.closed && expectation.status.is_some())
    }

    pub(super) fn apply(&self, before: &Expectation, facts: &Facts) -> Expectation {
        if self.closed {
            return Expectation::default();
        }
        let mut after = if self.is_another_answer(before) {
            let kept = before
                .headers
                .iter()
                .filter(|(name, _)| self.keep.contains(name));
            let headers = kept
                .map(|(name, lines)| (name.clone(), lines.clone()))
                .collect();
            Expectation {
                status: self.status,
                headers,
                ..Expectation::default()
            }
        } else {
            before.clone()
        };
        self.set_headers(&mut after, facts);
        if let Some(body) = &self.body {
            // A response to HEAD has the headers of one to GET, but no body.
            let body = if facts.is_head() { "" } else { body };
            after.body = Body::Text(self.body_text(body, &after, facts));
        }
        if self.any_body {
            after.body = Body::Any;
        }
        if self.reason.is_some() && after.reason.is_some() {
            after.reason.clone_from(&self.reason);
        }
        if !self.json.is_empty() {
            self.set_members(&mut after, facts);
        }
        self.replace_in(&mut after, facts);
        after
    }

    fn replace_in(&self, after: &mut Expectation, facts: &Facts) {
        for (from, to) in &self.replace {
            let (from, to) = (facts.fill(from), facts.fill(to));
            for line in after.headers.values_mut().flatten() {
                *line = line.replace(&from, &to);
            }
            if let Body::Text(text) = &mut after.body {
                *text = text.replace(&from, &to);
            }
        }
        for name in &self.encode {
            for line in after.headers.get_mut(name).into_iter().flatten() {
                *line = percent::encode_non_ascii(line);
            }
        }
    }

    fn set_headers(&self, after: &mut Expectation, facts: &Facts) {
        for name in &self.ignore {
            after.headers.remove(name);
            after.absent.remove(name);
        }
        for (name, lines) in &self.headers {
            let lines = lines
                .clone()
                .into_vec()
                .iter()
                .map(|line| facts.fill(line))
                .collect();
            after.headers.insert(name.clone(), lines);
            after.absent.remove(name);
        }
    }

    /// Fills the body. A JSON body is filled as JSON, so that values are quoted correctly.
    fn body_text(&self, template: &str, after: &Expectation, facts: &Facts) -> String {
        match serde_json::from_str::<Value>(template) {
            Ok(template) if after.is_json() => facts.fill_json(&template).to_string(),
            _ => facts.fill(template),
        }
    }

    fn set_members(&self, after: &mut Expectation, facts: &Facts) {
        let Body::Text(text) = &after.body else {
            return;
        };
        let Ok(Value::Object(mut members)) = serde_json::from_str(text) else {
            return;
        };
        let before = members.clone();
        for (key, template) in &self.json {
            members.insert(key.clone(), facts.fill_json(template));
        }
        if members != before {
            after.body = Body::Text(Value::Object(members).to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn change(change: &str, answer: Value) -> Expectation {
        let change: Change = toml::from_str(change).unwrap();
        let recorded = serde_json::from_value(answer.clone()).unwrap();
        let facts = Facts::of(
            &json!({}),
            &answer,
            b"GET /p?a=\"b HTTP/1.1\r\nHost: h:1\r\n\r\n",
            80,
        );
        change.apply(&Expectation::of(&recorded, 80), &facts)
    }

    fn text(expectation: &Expectation) -> &str {
        match &expectation.body {
            Body::Text(text) => text,
            other => panic!("{other:?} is not a text"),
        }
    }

    #[test]
    fn another_status_drops_the_rest() {
        let recorded = json!({ "status": 303, "headers": { "location": "/é", "x-a": "1" }, "absent": ["allow"], "body": "b" });
        let after = change(
            "status = 307\nkeep = ['location']\nencode = ['location']",
            recorded.clone(),
        );
        assert_eq!(
            (
                after.status,
                &after.headers["location"],
                after.headers.len()
            ),
            (Some(307), &vec!["/%C3%A9".to_owned()], 1)
        );
        assert!(after.absent.is_empty() && after.body == Body::Any);
        let same = change(
            "status = 303\nheaders = { allow = ['a', 'b'] }\nignore = ['x-a']",
            recorded,
        );
        assert_eq!(text(&same), "b");
        assert_eq!(same.headers["allow"], ["a", "b"]);
        assert!(!same.absent.contains("allow") && !same.headers.contains_key("x-a"));
    }

    #[test]
    fn bodies() {
        let json_header = json!({ "content-type": "application/json" });
        let recorded = json!({ "status": 200, "headers": json_header, "body": r#"{"u":"http://x/","n":null}"# });
        let after = change(
            r#"json = { u = "http://{host}{path}", q = "{pairs}" }"#,
            recorded.clone(),
        );
        assert_eq!(
            text(&after),
            r#"{"n":null,"q":[["a","\"b"]],"u":"http://h:1/p"}"#
        );
        let after = change(r#"body = '{"a":["{pairs}",null]}'"#, recorded.clone());
        assert_eq!(text(&after), r#"{"a":[[["a","\"b"]],null]}"#);
        let after = change(
            r#"replace = [["http://x", "http://{host}"]]"#,
            recorded.clone(),
        );
        assert_eq!(text(&after), r#"{"u":"http://h:1/","n":null}"#);
        let same = change(r#"json = { n = "{none}", u = "http://x/" }"#, recorded);
        assert!(text(&same).contains("{none}"));
        assert_eq!(
            text(&change(
                "body = '{path}<*>'",
                json!({ "status": 200, "body": "x" })
            )),
            "/p<*>"
        );
    }

    #[test]
    fn unchanged_members_leave_the_text_unchanged() {
        let headers = json!({ "content-type": "application/json" });
        let recorded =
            json!({ "status": 200, "headers": headers, "body": r#"{"b": 1, "a": "/p"}"# });
        assert_eq!(
            text(&change(r#"json = { a = "{path}" }"#, recorded)),
            r#"{"b": 1, "a": "/p"}"#
        );
    }
}
