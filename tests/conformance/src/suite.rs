//! [`Suite`]: replays all cases of some recordings against one server.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use thiserror::Error;

use crate::base::Base;
use crate::case::{Case, Plan};
use crate::client::Client;
use crate::compare::Difference;
use crate::conversation;
use crate::deviations::Deviations;
use crate::glob;
use crate::pattern::Scope;
use crate::recorded::Exchange;
use crate::replay::{Fault, Recorded, Replay};
use crate::report::{Failure, Report};
use crate::sequence;

/// The default timeout for one response. The slowest recorded one takes two seconds.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// The default number of single requests that are replayed concurrently. It is small, because load would lengthen
/// recorded pauses.
const DEFAULT_JOBS: NonZeroUsize = NonZeroUsize::new(4).unwrap();

/// Recordings, and the server that they are replayed against.
///
/// Single requests run concurrently. Sequences and connections, which depend on the server's state or on timing,
/// follow one after another.
///
/// # Examples
///
/// ```no_run
/// use waypost_conformance::{Base, Suite};
///
/// let base: Base = "http://127.0.0.1:3000".parse()?;
/// let mut suite = Suite::new(base);
/// suite.add("methods.jsonl", &std::fs::read_to_string("methods.jsonl")?);
/// let report = suite.run()?;
/// assert!(report.is_success(), "{report}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Suite {
    base: Base,
    timeout: Duration,
    jobs: NonZeroUsize,
    deviations: Deviations,
    only: Option<String>,
    complete: bool,
    /// The areas whose cases are not replayed, with the reasons.
    left_out: Vec<(String, &'static str)>,
    cases: Vec<Case>,
}

/// Why a suite can't run.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SuiteError {
    /// There is nothing to replay.
    #[error("no cases: the files are empty, or no id matches the pattern")]
    NoCases,
}

enum Verdict {
    Passed,
    Failed(Vec<Fault>),
    Skipped(&'static str),
}

impl Suite {
    /// Creates an empty suite with the built-in table of deviations.
    pub fn new(base: Base) -> Self {
        Self {
            base,
            timeout: DEFAULT_TIMEOUT,
            jobs: DEFAULT_JOBS,
            deviations: Deviations::built_in(),
            only: None,
            complete: false,
            left_out: Vec::new(),
            cases: Vec::new(),
        }
    }

    /// Sets the timeout for one response.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the number of single requests that are replayed concurrently.
    #[must_use]
    pub fn jobs(mut self, jobs: NonZeroUsize) -> Self {
        self.jobs = jobs;
        self
    }

    /// Sets the table of deviations.
    #[must_use]
    pub fn deviations(mut self, deviations: Deviations) -> Self {
        self.deviations = deviations;
        self
    }

    /// Replays only the cases whose id matches a glob.
    #[must_use]
    pub fn only(mut self, ids: &str) -> Self {
        self.only = Some(ids.to_owned());
        self
    }

    /// Declares that all recordings are added. A deviation that matches no case is then a failure.
    #[must_use]
    pub fn complete(mut self) -> Self {
        self.complete = true;
        self
    }

    /// Skips the cases of an area, for this reason. For [`Suite::complete`], the entries of the table that match them
    /// count as used.
    #[must_use]
    pub fn leave_out(mut self, area: &str, reason: &'static str) -> Self {
        self.left_out.push((area.to_owned(), reason));
        self
    }

    /// Adds the cases of a file, one per line. An invalid line is a failure of the run.
    pub fn add(&mut self, name: &str, text: &str) {
        let lines = text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty());
        self.cases
            .extend(lines.map(|(index, line)| Case::read(line, &format!("{name}:{}", index + 1))));
    }

    /// Replays all cases.
    ///
    /// # Errors
    ///
    /// [`SuiteError::NoCases`]. An unreachable server is not an error, but a failure of each case.
    pub fn run(&self) -> Result<Report, SuiteError> {
        let wanted = |case: &&Case| {
            self.only
                .as_ref()
                .is_none_or(|ids| glob::fits(ids, &case.id))
        };
        let cases: Vec<_> = self.cases.iter().filter(wanted).collect();
        if cases.is_empty() {
            return Err(SuiteError::NoCases);
        }
        let client = Client {
            base: self.base.clone(),
            timeout: self.timeout,
        };
        let replay = Replay::new(client, &self.deviations);
        let (side_by_side, in_turn): (Vec<usize>, Vec<usize>) =
            (0..cases.len()).partition(|index| matches!(cases[*index].plan, Plan::Single(_)));
        let mut verdicts = self.side_by_side(&replay, &cases, &side_by_side);
        verdicts.extend(
            in_turn
                .into_iter()
                .map(|index| (index, self.verdict(&replay, cases[index]))),
        );
        let mut report = Report::default();
        for (index, verdict) in verdicts {
            match verdict {
                Verdict::Passed => report.passed += 1,
                Verdict::Skipped(reason) => *report.skipped.entry(reason).or_default() += 1,
                Verdict::Failed(faults) => report.failures.push(Failure {
                    id: cases[index].id.clone(),
                    faults,
                }),
            }
        }
        report.failures.extend(self.table_failures(&replay));
        Ok(report)
    }

    fn side_by_side(
        &self,
        replay: &Replay<'_>,
        cases: &[&Case],
        indices: &[usize],
    ) -> BTreeMap<usize, Verdict> {
        let verdicts = Mutex::new(BTreeMap::new());
        let next = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..self.jobs.get().min(indices.len()) {
                scope.spawn(|| {
                    while let Some(index) = indices.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let verdict = self.verdict(replay, cases[*index]);
                        verdicts
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .insert(*index, verdict);
                    }
                });
            }
        });
        verdicts
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn verdict(&self, replay: &Replay<'_>, case: &Case) -> Verdict {
        let mut left_out = self.left_out.iter();
        match left_out.find(|(area, _)| case.line["area"] == **area) {
            Some((_, reason)) => {
                for recorded in exchanges(case) {
                    replay.leave_out(recorded);
                }
                Verdict::Skipped(reason)
            }
            None => verdict(replay, case),
        }
    }

    /// Lists the faults of the table itself.
    fn table_failures(&self, replay: &Replay<'_>) -> Vec<Failure> {
        let failure = |entry: usize, expected: &str, got: &str| {
            let title = self.deviations.title(entry);
            let differences = vec![Difference::new("deviation", expected, got)];
            Failure {
                id: "table".to_owned(),
                faults: vec![Fault {
                    title,
                    differences,
                    deviations: Vec::new(),
                }],
            }
        };
        let no_rule = self.deviations.without_rule();
        let mut failures: Vec<_> = no_rule
            .map(|entry| failure(entry, "a rule from 1 to 17", "another number"))
            .collect();
        if self.complete {
            let idle = replay
                .used
                .iter()
                .enumerate()
                .filter(|(_, used)| !used.load(Ordering::Relaxed));
            failures.extend(
                idle.map(|(entry, _)| {
                    failure(entry, "a case that it matches", "none in these files")
                }),
            );
        }
        failures
    }
}

/// Lists the exchanges of a case. Those of a connection are not recorded one by one.
fn exchanges(case: &Case) -> Vec<Recorded<'_>> {
    match &case.plan {
        Plan::Single(exchange) => vec![single(case, exchange)],
        Plan::Sequence(steps) => {
            let steps = steps.iter().enumerate();
            steps
                .flat_map(|(index, step)| sequence::exchanges(&case.line, index, step))
                .collect()
        }
        Plan::Connection(_) | Plan::Skip(_) | Plan::Unknown(_) => Vec::new(),
    }
}

fn single<'a>(case: &'a Case, exchange: &'a Exchange) -> Recorded<'a> {
    Recorded {
        line: &case.line,
        request: &exchange.request,
        answer: &exchange.expect,
        expect: &case.line["expect"],
        step: None,
    }
}

fn verdict(replay: &Replay<'_>, case: &Case) -> Verdict {
    let faults = match &case.plan {
        Plan::Single(exchange) => replay
            .exchange(single(case, exchange), &mut Scope::new())
            .into_iter()
            .collect(),
        Plan::Sequence(steps) => sequence::replay(replay, &case.line, steps),
        Plan::Connection(connection) => conversation::replay(replay, &case.line, connection),
        Plan::Skip(reason) => return Verdict::Skipped(reason),
        Plan::Unknown(why) => vec![Fault {
            title: String::new(),
            differences: vec![Difference::new("case", "a valid case", why)],
            deviations: Vec::new(),
        }],
    };
    if faults.is_empty() {
        Verdict::Passed
    } else {
        Verdict::Failed(faults)
    }
}
