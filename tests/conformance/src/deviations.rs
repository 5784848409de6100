//! The table of deviations: the deliberate differences, and the responses to expect instead.

mod change;
mod selector;

use serde::Deserialize;
use thiserror::Error;

use crate::expectation::Expectation;
use crate::facts::Facts;
use change::Change;
use selector::Selector;

/// The numbers of the rules that allow a deviation: those of `docs/differences.md`.
const RULES: std::ops::RangeInclusive<u8> = 1..=17;

/// Waypost's own table.
const BUILT_IN: &str = include_str!("../deviations.toml");

/// A table of deviations. A rule allows each of them, or a host causes it.
#[derive(Clone, Debug, Default)]
pub struct Deviations {
    entries: Vec<Entry>,
}

/// A table as it is written in TOML.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(default, rename = "deviation")]
    of_rules: Vec<Deviation>,
    #[serde(default, rename = "host")]
    of_hosts: Vec<HostDifference>,
}

/// A deviation that a rule allows.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Deviation {
    rule: u8,
    reason: String,
    cases: Selector,
    answer: Change,
    /// Whether the recorded response is correct, too.
    #[serde(default)]
    or_recorded: bool,
}

/// A deviation that a host causes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HostDifference {
    cause: String,
    cases: Selector,
    answer: Change,
    #[serde(default)]
    or_recorded: bool,
}

/// One entry of either kind.
#[derive(Clone, Debug)]
struct Entry {
    /// The rule that allows the deviation, or `None` if a host causes it.
    rule: Option<u8>,
    /// The reason of the deviation.
    reason: String,
    cases: Selector,
    answer: Change,
    /// Whether the response without this entry is correct, too.
    is_optional: bool,
}

impl From<Table> for Deviations {
    fn from(table: Table) -> Self {
        let of_rules = table.of_rules.into_iter().map(|entry| Entry {
            rule: Some(entry.rule),
            reason: entry.reason,
            cases: entry.cases,
            answer: entry.answer,
            is_optional: entry.or_recorded,
        });
        let of_hosts = table.of_hosts.into_iter().map(|entry| Entry {
            rule: None,
            reason: entry.cause,
            cases: entry.cases,
            answer: entry.answer,
            is_optional: entry.or_recorded,
        });
        Self {
            entries: of_rules.chain(of_hosts).collect(),
        }
    }
}

/// Why a text is not a valid table of deviations.
#[derive(Debug, Error)]
#[error("the table of deviations is malformed: {0}")]
pub struct DeviationError(#[from] toml::de::Error);

/// A recorded response after the table has been applied.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    pub(crate) expectation: Expectation,
    /// The entries that changed it.
    pub(crate) entries: Vec<usize>,
    /// The entries that changed it before a host's entry replaced the response.
    pub(crate) overridden: Vec<usize>,
}

impl Deviations {
    /// Returns Waypost's own table.
    ///
    /// # Panics
    ///
    /// Never: a test parses this table.
    #[expect(
        clippy::expect_used,
        reason = "the text is compiled in, and a test parses it"
    )]
    pub fn built_in() -> Self {
        Self::parse(BUILT_IN).expect("the table in the repository is well-formed")
    }

    /// Returns an empty table, for servers that should answer as recorded.
    pub fn none() -> Self {
        Self::default()
    }

    /// Parses a table.
    ///
    /// # Errors
    ///
    /// [`DeviationError`] if the text is not TOML, or does not have the format in the crate's documentation.
    pub fn parse(text: &str) -> Result<Self, DeviationError> {
        Ok(toml::from_str::<Table>(text)?.into())
    }

    /// Adds the entries of another table. This adds a host's entries to Waypost's.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.entries.extend(other.entries);
        self
    }

    /// Applies all entries that match an exchange, in order.
    pub(crate) fn apply(&self, recorded: &Expectation, facts: &Facts) -> Expected {
        self.apply_but(recorded, facts, &[])
    }

    /// Applies all entries that match an exchange except some.
    pub(crate) fn apply_but(
        &self,
        recorded: &Expectation,
        facts: &Facts,
        without: &[usize],
    ) -> Expected {
        let mut expected = Expected {
            expectation: recorded.clone(),
            entries: Vec::new(),
            overridden: Vec::new(),
        };
        for (index, entry) in self.entries.iter().enumerate() {
            if without.contains(&index) || !entry.cases.fits(facts.view()) {
                continue;
            }
            let changed = entry.answer.apply(&expected.expectation, facts);
            if changed == expected.expectation {
                continue;
            }
            if entry.answer.is_another_answer(&expected.expectation) {
                let moot = std::mem::take(&mut expected.entries);
                if entry.rule.is_none() {
                    expected.overridden.extend(moot);
                }
            }
            expected.expectation = changed;
            expected.entries.push(index);
        }
        expected
    }

    /// Returns the title of an entry, for reports.
    pub(crate) fn title(&self, index: usize) -> String {
        let entry = &self.entries[index];
        let (number, reason) = (index + 1, &entry.reason);
        match entry.rule {
            Some(rule) => format!("deviation {number} (rule {rule}: {reason})"),
            None => format!("deviation {number} (the host: {reason})"),
        }
    }

    /// Returns the entries whose rule does not exist.
    pub(crate) fn without_rule(&self) -> impl Iterator<Item = usize> {
        let unknown = |rule: &u8| !RULES.contains(rule);
        (0..self.entries.len())
            .filter(move |index| self.entries[*index].rule.as_ref().is_some_and(unknown))
    }

    /// Returns those of some entries without which a response is correct, too.
    pub(crate) fn optional(&self, entries: &[usize]) -> Vec<usize> {
        let entries = entries.iter().copied();
        entries
            .filter(|entry| self.entries[*entry].is_optional)
            .collect()
    }

    /// Returns the entries that must be needed for a response.
    ///
    /// If a host's entries changed the response, only these are checked here. The others are needed on a server without
    /// this host's entries.
    pub(crate) fn on_trial(&self, entries: &[usize]) -> Vec<usize> {
        let of_host = |entry: &&usize| self.entries[**entry].rule.is_none();
        match entries.iter().any(|entry| of_host(&entry)) {
            true => entries.iter().filter(of_host).copied().collect(),
            false => entries.to_vec(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn apply(table: &str, line: &str, answer: serde_json::Value) -> Expected {
        let table = Deviations::parse(table).unwrap();
        let recorded = serde_json::from_value(answer.clone()).unwrap();
        let sent = format!("{line} HTTP/1.1\r\nHost: x\r\n\r\n");
        let facts = Facts::of(&json!({ "id": "a-1" }), &answer, sent.as_bytes(), 80);
        table.apply(&Expectation::of(&recorded, 80), &facts)
    }

    const TABLE: &str = r#"
        [[deviation]]
        rule = 15
        reason = "no house"
        cases = "*"
        answer = { replace = [["next", "waypost"]] }

        [[deviation]]
        rule = 2
        reason = "bad escapes"
        cases = [{ is = "bad-escape" }, "b-*"]
        answer = { status = 400 }

        [[deviation]]
        rule = 4
        reason = "verbatim"
        cases = { expect.status = 400 }
        answer = { headers = { x-a = "1" } }
    "#;

    #[test]
    fn entries_apply_in_order() {
        let expected = apply(TABLE, "GET /", json!({ "status": 400, "body": "next" }));
        assert_eq!(expected.entries, [0, 2]);
        assert_eq!(
            expected.expectation.body,
            crate::expectation::Body::Text("waypost".to_owned())
        );
        assert_eq!(expected.expectation.headers["x-a"], ["1"]);
    }

    #[test]
    fn an_entry_that_changes_nothing_does_not_match() {
        assert!(
            apply(TABLE, "GET /", json!({ "status": 200, "body": "x" }))
                .entries
                .is_empty()
        );
        assert!(
            apply(
                TABLE,
                "GET /%ZZ",
                json!({ "status": 400, "body": "x", "headers": { "x-a": "1" } })
            )
            .entries
            .is_empty()
        );
    }

    #[test]
    fn another_status_overrides_earlier_changes() {
        let expected = apply(TABLE, "GET /%ZZ", json!({ "status": 500, "body": "next" }));
        assert_eq!(expected.entries, [1]);
        assert_eq!(expected.expectation.status, Some(400));
    }

    #[test]
    fn a_hosts_entries_override_rules_and_are_checked_alone() {
        let host = r#"
            [[host]]
            cause = "it closes"
            cases = { expect.status = 500 }
            answer.closed = true

            [[host]]
            cause = "it says so"
            cases = { expect.status = 400 }
            answer.headers = { x-b = "2" }
        "#;
        let rules = Deviations::parse(TABLE).unwrap();
        let table = rules.and(Deviations::parse(host).unwrap());
        let apply = |status: u16| {
            let answer = json!({ "status": status, "body": "next" });
            let recorded = serde_json::from_value(answer.clone()).unwrap();
            let line = json!({ "id": "a-1" });
            let facts = Facts::of(&line, &answer, b"GET / HTTP/1.1\r\n\r\n", 80);
            table.apply(&Expectation::of(&recorded, 80), &facts)
        };
        let closed = apply(500);
        assert_eq!((closed.entries, closed.overridden), (vec![3], vec![0]));
        assert_eq!(closed.expectation.status, None);
        let both = apply(400);
        assert_eq!(both.entries, [0, 2, 4]);
        assert_eq!(table.on_trial(&both.entries), [4]);
        assert_eq!(table.on_trial(&[0, 2]), [0, 2]);
        assert_eq!(table.without_rule().count(), 0);
    }

    #[test]
    fn rules_that_do_not_exist() {
        let entry = |rule: u8| {
            format!("[[deviation]]\nrule = {rule}\nreason = ''\ncases = '*'\nanswer = {{}}\n")
        };
        let table: String = [0, 1, 17, 18].map(entry).concat();
        assert_eq!(
            Deviations::parse(&table)
                .unwrap()
                .without_rule()
                .collect::<Vec<_>>(),
            [0, 3]
        );
    }

    #[test]
    fn malformed_tables() {
        for text in [
            "x",
            "[[deviation]]\nrule = 1",
            "[[deviation]]\nrule = 1\nreason = ''\ncases = '*'\nanswer = { stat = 1 }",
        ] {
            assert!(Deviations::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_built_in_table() {
        let table = Deviations::built_in();
        assert_eq!(table.without_rule().count(), 0);
        assert!(table.entries.iter().all(|entry| !entry.reason.is_empty()));
    }
}
