//! Replays an exchange, and compares its outcome with the expected response.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use serde_json::Value;

use crate::client::{Client, Outcome};
use crate::compare::{Difference, compare};
use crate::deviations::{Deviations, Expected};
use crate::expectation::Expectation;
use crate::facts::Facts;
use crate::pattern::Scope;
use crate::recorded;
use crate::request::Message;

/// The state needed to replay cases.
#[derive(Debug)]
pub(crate) struct Replay<'a> {
    pub(crate) client: Client,
    pub(crate) deviations: &'a Deviations,
    /// For each entry of the table, whether it has matched a case.
    pub(crate) used: Vec<AtomicBool>,
}

/// An exchange that failed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fault {
    /// The request line, and the position in the case.
    pub(crate) title: String,
    pub(crate) differences: Vec<Difference>,
    /// The entries of the table that changed the expected response.
    pub(crate) deviations: Vec<String>,
}

/// A recorded exchange, and its place in the case.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recorded<'a> {
    pub(crate) line: &'a Value,
    pub(crate) request: &'a recorded::Request,
    pub(crate) answer: &'a recorded::Answer,
    /// The recorded response as JSON.
    pub(crate) expect: &'a Value,
    /// The position in a sequence, from 1.
    pub(crate) step: Option<usize>,
}

impl<'a> Replay<'a> {
    pub(crate) fn new(client: Client, deviations: &'a Deviations) -> Self {
        let used = (0..deviations.len())
            .map(|_| AtomicBool::new(false))
            .collect();
        Self {
            client,
            deviations,
            used,
        }
    }

    /// Sends the request, and compares the response.
    pub(crate) fn exchange(&self, recorded: Recorded<'_>, scope: &mut Scope) -> Option<Fault> {
        let (message, outcome) = self.send(recorded, scope);
        self.judge_exchange(recorded, &message, &outcome, scope)
    }

    /// Sends the recorded request, with the current values of symbols.
    pub(crate) fn send(&self, recorded: Recorded<'_>, scope: &Scope) -> (Message, Outcome) {
        let message = Message::of(&filled(recorded.request, scope));
        let leave = Expectation::of(recorded.answer, self.port(&message.bytes)).leave();
        let outcome = self.client.send(&message, leave);
        (message, outcome)
    }

    pub(crate) fn judge_exchange(
        &self,
        recorded: Recorded<'_>,
        message: &Message,
        outcome: &Outcome,
        scope: &mut Scope,
    ) -> Option<Fault> {
        let (expectation, facts) = self.recorded(recorded, message);
        self.judge(message, &expectation, &facts, outcome, scope)
    }

    /// Applies the table to an exchange that is not replayed, so that its entries count as used.
    pub(crate) fn leave_out(&self, recorded: Recorded<'_>) {
        let message = Message::of(recorded.request);
        let (expectation, facts) = self.recorded(recorded, &message);
        self.mark(&self.deviations.apply(&expectation, &facts));
    }

    fn recorded(&self, recorded: Recorded<'_>, message: &Message) -> (Expectation, Facts) {
        let port = self.port(&message.bytes);
        let facts = Facts::of(recorded.line, recorded.expect, &message.bytes, port);
        let expectation = Expectation::of(recorded.answer, port);
        (expectation, facts.at_step(recorded.step))
    }

    /// Marks the entries that have matched a case.
    fn mark(&self, expected: &Expected) {
        for entry in expected.entries.iter().chain(&expected.overridden) {
            self.used[*entry].store(true, Ordering::Relaxed);
        }
    }

    /// Compares an outcome with the recorded response, after applying the table of deviations.
    pub(crate) fn judge(
        &self,
        message: &Message,
        recorded: &Expectation,
        facts: &Facts,
        outcome: &Outcome,
        scope: &mut Scope,
    ) -> Option<Fault> {
        scope.time = SystemTime::now();
        scope.method = message.method();
        let mut expected = self.deviations.apply(recorded, facts);
        self.mark(&expected);
        let fits = |expectation: &Expectation, scope: &Scope| {
            compare(expectation, outcome, &mut scope.clone()).is_empty()
        };
        let optional = self.deviations.optional(&expected.entries);
        let mut left_out = Vec::new();
        if !optional.is_empty() && !fits(&expected.expectation, scope) {
            expected = self.deviations.apply_but(recorded, facts, &optional);
            left_out.clone_from(&optional);
        }
        let mut needless = if fits(recorded, scope) {
            expected.entries.clone()
        } else {
            let without = |entry: &usize| {
                let without = [left_out.as_slice(), &[*entry]].concat();
                let expected = self.deviations.apply_but(recorded, facts, &without);
                expected.expectation
            };
            let entries = self.deviations.on_trial(&expected.entries);
            entries
                .into_iter()
                .filter(|entry| fits(&without(entry), scope))
                .collect()
        };
        needless.retain(|entry| !optional.contains(entry));
        let mut differences = compare(&expected.expectation, outcome, scope);
        if !needless.is_empty() {
            differences = vec![Difference::new(
                "deviation",
                "needed",
                "the response is correct without it: not needed any more",
            )];
        }
        let concerned = if needless.is_empty() {
            &expected.entries
        } else {
            &needless
        };
        let deviations = concerned
            .iter()
            .map(|entry| self.deviations.title(*entry))
            .collect();
        (!differences.is_empty()).then(|| Fault {
            title: message.title(),
            differences,
            deviations,
        })
    }

    /// Returns the port of the server that a message is sent to.
    pub(crate) fn port(&self, message: &[u8]) -> u16 {
        self.client.base.address(message).port()
    }
}

fn filled(request: &recorded::Request, scope: &Scope) -> recorded::Request {
    let mut request = request.clone();
    if !scope.names.is_empty() {
        request.path = request.path.map(|path| scope.fill(&path));
        for (_, value) in &mut request.headers {
            *value = recorded::Text::Plain(scope.fill(&value.text()));
        }
    }
    request
}
