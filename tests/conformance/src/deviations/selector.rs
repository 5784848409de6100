//! [`Selector`]: the cases that an entry matches.
//!
//! A text is a glob for ids. A table has the shape of a case, and its values must match those at the same place. A list
//! matches if one of its items does.

use serde::Deserialize;
use serde_json::Value;

use crate::glob;

/// A predicate on the facts about an exchange.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Selector(Value);

impl Selector {
    pub(super) fn fits(&self, view: &Value) -> bool {
        match &self.0 {
            Value::Array(items) => items.iter().any(|item| Self(item.clone()).fits(view)),
            Value::String(id) => holds(&Value::String(id.clone()), &view["id"]),
            wanted => holds(wanted, view),
        }
    }
}

/// Returns `true` if `wanted` matches a fact. `not` in a table negates its value.
fn holds(wanted: &Value, fact: &Value) -> bool {
    match (wanted, fact) {
        (Value::Object(members), _) => members.iter().all(|(key, wanted)| match key.as_str() {
            "not" => !holds(wanted, fact),
            key => holds(wanted, &fact[key]),
        }),
        (Value::Array(items), _) => items.iter().any(|item| holds(item, fact)),
        (Value::Bool(there), _) => *there != fact.is_null(),
        (_, Value::Array(facts)) => facts.iter().any(|fact| holds(wanted, fact)),
        (Value::String(glob), Value::String(text)) => glob::fits(glob, text),
        (wanted, fact) => wanted == fact,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn selectors() {
        let view = json!({
            "id": "routing-12",
            "area": "routing",
            "is": ["nul", "absolute-form"],
            "request": { "method": "PUT", "path": "/a/b?c", "body": null, "headers": { "accept": "text/html, */*" } },
            "expect": { "status": 405, "headers": { "set-cookie": ["a=1", "b=2"] } },
        });
        for (selector, expected) in [
            (r#""routing-*""#, true),
            (r#"["x", "routing-12"]"#, true),
            (r#""routing""#, false),
            ("{ expect.status = 405 }", true),
            ("{ expect.status = [404, 400] }", false),
            ("{ area = ['x', 'routing'], request.method = 'PUT' }", true),
            ("{ area = 'routing', request.method = 'GET' }", false),
            ("[{ area = 'x' }, { request.path = '/a/*' }]", true),
            ("{ is = 'nul' }", true),
            ("{ is = ['x', 'nul'] }", true),
            ("{ not = { is = 'nul' } }", false),
            ("{ not.request.path = '/x*', request.path = '/a*' }", true),
            ("{ request.not.path = '/a*' }", false),
            ("{ request.headers.accept = '*html*' }", true),
            ("{ request.headers.cookie = true }", false),
            (
                "{ request.headers.cookie = false, request.body = false }",
                true,
            ),
            ("{ expect.headers.set-cookie = 'b=*' }", true),
            ("{ request.path.x.y = 'z' }", false),
        ] {
            let table: toml::Table = toml::from_str(&format!("s = {selector}")).unwrap();
            let parsed = Selector::deserialize(table["s"].clone()).unwrap();
            assert_eq!(parsed.fits(&view), expected, "{selector}");
        }
    }
}
