//! A case: one line of a recording.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::recorded::{Exchange, Observed, Sent, Step};

/// One recorded case.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) plan: Plan,
    /// The line as JSON, for the selectors of deviations.
    pub(crate) line: Value,
}

/// How a case is replayed.
#[derive(Clone, Debug)]
pub(crate) enum Plan {
    Single(Box<Exchange>),
    Sequence(Vec<Step>),
    Connection(Connection),
    /// The case is not replayed, for this reason.
    Skip(&'static str),
    /// The case is invalid, for this reason. It fails.
    Unknown(String),
}

/// Bytes sent on one connection, and the bytes received.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Connection {
    pub(crate) send: Vec<Sent>,
    pub(crate) observed: Observed,
}

#[derive(Deserialize)]
struct Steps {
    steps: Vec<Step>,
}

impl Case {
    /// Parses a line. An invalid line becomes a case that fails.
    pub(crate) fn read(line: &str, place: &str) -> Self {
        let value: Value = match serde_json::from_str(line) {
            Ok(value) => value,
            Err(error) => {
                let plan = Plan::Unknown(format!("the line is not JSON: {error}"));
                return Self {
                    id: place.to_owned(),
                    plan,
                    line: Value::Null,
                };
            }
        };
        let id = value["id"].as_str().unwrap_or(place).to_owned();
        let plan = Plan::read(&value).unwrap_or_else(Plan::Unknown);
        Self {
            id,
            plan,
            line: value,
        }
    }
}

impl Plan {
    fn read(value: &Value) -> Result<Self, String> {
        match value["kind"].as_str() {
            Some("single") => Ok(Self::Single(typed(value)?)),
            Some("sequence") => Ok(Self::sequence(typed::<Steps>(value)?.steps)),
            Some("connection") => Ok(Self::Connection(typed(value)?)),
            Some("build" | "mini-app") => Ok(Self::Skip("run by `waypost check`")),
            Some(kind) => Err(format!("a case of unknown kind `{kind}`")),
            None => Err("a case without a kind".to_owned()),
        }
    }

    fn sequence(steps: Vec<Step>) -> Self {
        let restarts = |step: &Step| step.request.is_none() && step.parallel.is_empty();
        if steps
            .iter()
            .any(|step| restarts(step) || step.expect.same_body_as_before_restart)
        {
            return Self::Skip("needs a restart of the server between two steps");
        }
        Self::Sequence(steps)
    }
}

fn typed<T: DeserializeOwned>(value: &Value) -> Result<T, String> {
    T::deserialize(value).map_err(|error| format!("the case is malformed: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(line: &str) -> Plan {
        Case::read(line, "f.jsonl:1").plan
    }

    #[test]
    fn kinds() {
        assert!(matches!(
            plan(
                r#"{"id":"a","kind":"single","request":{"method":"GET"},"expect":{"status":200}}"#
            ),
            Plan::Single(_)
        ));
        assert!(
            matches!(plan(r#"{"id":"a","kind":"sequence","steps":[{"request":{},"expect":{}}]}"#), Plan::Sequence(steps) if steps.len() == 1)
        );
        assert!(matches!(
            plan(r#"{"id":"a","kind":"connection","send":[],"observed":{}}"#),
            Plan::Connection(_)
        ));
        assert!(matches!(
            plan(r#"{"id":"a","kind":"mini-app"}"#),
            Plan::Skip(_)
        ));
        assert!(matches!(
            plan(r#"{"id":"a","kind":"sequence","steps":[{"note":"restarted"}]}"#),
            Plan::Skip(_)
        ));
    }

    #[test]
    fn an_invalid_line_is_a_case_that_fails() {
        for line in [
            "",
            "{",
            "[]",
            r#"{"kind":"dance"}"#,
            r#"{"kind":"single","request":7}"#,
            r#"{"kind":"single","request":{"raw_base64":"!"}}"#,
        ] {
            assert!(matches!(plan(line), Plan::Unknown(_)), "{line}");
        }
        assert_eq!(Case::read("{", "f.jsonl:1").id, "f.jsonl:1");
    }
}
