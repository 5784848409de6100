//! Reads a policy from the JSON of a component's description.

use serde_json::{Map, Value};

use super::{Draft, Policy, PolicyError, expected};
use crate::Life;

impl Policy {
    /// Reads the value of `cache` in the description of a component. Returns `None` for `"off"` and `false`.
    ///
    /// Unknown keys are ignored. Times are numbers of seconds or texts such as `"1m"`.
    ///
    /// # Examples
    ///
    /// ```
    /// use waypost_cache::Policy;
    ///
    /// let policy = Policy::from_json(r#"{"revalidate":60,"expire":"1d","tags":["posts","post-{slug}"]}"#, &[]);
    /// assert_eq!(policy.unwrap().unwrap().tags(), ["posts", "post-{slug}"]);
    ///
    /// let errors = Policy::from_json(r#"{"revalidate":"soon"}"#, &[]).unwrap_err();
    /// assert_eq!(
    ///     errors[0].to_string(),
    ///     "`revalidate` is `soon`; write whole seconds, or a whole number and `s`, `m`, `h` or `d`, such as `90s` or \
    ///      `1d`, or `never`"
    /// );
    /// ```
    ///
    /// # Errors
    ///
    /// Returns all errors at once.
    pub fn from_json(
        json: &str,
        profiles: &[(String, Life)],
    ) -> Result<Option<Self>, Vec<PolicyError>> {
        let value = serde_json::from_str(json).map_err(|error| {
            let reason = error.to_string();
            vec![PolicyError::NotJson { reason }]
        })?;
        Self::from_value(&value, profiles)
    }

    /// Reads the value of `cache` that was already parsed, as [`from_json`](Self::from_json) does.
    ///
    /// # Errors
    ///
    /// Returns all errors at once.
    pub fn from_value(
        value: &Value,
        profiles: &[(String, Life)],
    ) -> Result<Option<Self>, Vec<PolicyError>> {
        match value {
            Value::Bool(false) => Ok(None),
            Value::String(text) if text == "off" => Ok(None),
            Value::Object(fields) => draft(fields)?.check(profiles).map(Some),
            other => Err(vec![wrong_type(
                "cache",
                other,
                "an object with `revalidate`, or `off`",
            )]),
        }
    }
}

fn draft(fields: &Map<String, Value>) -> Result<Draft, Vec<PolicyError>> {
    let mut errors = Vec::new();
    let mut text = |name| text(fields, name, &mut errors);
    let (life, revalidate, expire) = (text("life"), text("revalidate"), text("expire"));
    let mut list = |name| list(fields, name, &mut errors);
    let (tags, query, vary) = (list("tags"), list("query"), list("vary"));
    let draft = Draft {
        life,
        revalidate,
        expire,
        tags,
        query,
        vary,
    };
    super::or_errors(draft, errors)
}

fn text(
    fields: &Map<String, Value>,
    name: &'static str,
    errors: &mut Vec<PolicyError>,
) -> Option<String> {
    match fields.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) if number.is_u64() && name != "life" => Some(number.to_string()),
        // As in Next.
        Value::Bool(false) if name == "revalidate" => Some("never".to_owned()),
        other => {
            errors.push(wrong_type(name, other, expected(name)));
            None
        }
    }
}

fn list(
    fields: &Map<String, Value>,
    name: &'static str,
    errors: &mut Vec<PolicyError>,
) -> Vec<String> {
    let texts = match fields.get(name) {
        None => return Vec::new(),
        Some(Value::Array(items)) => {
            let texts = items.iter().map(|item| item.as_str().map(str::to_owned));
            texts.collect::<Option<Vec<_>>>()
        }
        Some(_) => None,
    };
    texts.unwrap_or_else(|| {
        let found = fields.get(name).unwrap_or(&Value::Null);
        errors.push(wrong_type(name, found, expected(name)));
        Vec::new()
    })
}

fn wrong_type(field: &'static str, found: &Value, expected: &'static str) -> PolicyError {
    let found = match found {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_u64() => "a number",
        Value::Number(_) => "a negative or fractional number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list of other values",
        Value::Object(_) => "an object",
    };
    PolicyError::WrongType {
        field,
        found,
        expected,
    }
}
