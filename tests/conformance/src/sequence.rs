//! Replays ordered steps, in which a symbol has the same value everywhere.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::pattern::Scope;
use crate::recorded::Step;
use crate::replay::{Fault, Recorded, Replay};

/// The path of the reference app that returns the log of its handlers.
const LOG: &str = "/t/log";

/// The longest delay of the log. The reference app keeps the log in memory, but other apps write it to a store.
/// Recorded pauses are longer.
const LAG: Duration = Duration::from_millis(250);

/// The pause before the log is read again.
const PAUSE: Duration = Duration::from_millis(10);

/// Replays all steps, also after one has failed.
pub(crate) fn replay(replay: &Replay<'_>, line: &Value, steps: &[Step]) -> Vec<Fault> {
    let mut scope = Scope::new();
    let mut faults = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        thread::sleep(Duration::from_millis(step.wait_ms));
        let exchanges = exchanges(line, index, step);
        let mut tried = scope.clone();
        let mut found = at_once(replay, &exchanges, &mut tried);
        let start = Instant::now();
        while !found.is_empty() && reads_the_log(step) && start.elapsed() < LAG {
            thread::sleep(PAUSE);
            tried = scope.clone();
            found = at_once(replay, &exchanges, &mut tried);
        }
        scope = tried;
        for mut fault in found {
            fault.title = format!("step {}: {}", index + 1, fault.title);
            faults.push(fault);
        }
    }
    faults
}

/// Returns `true` if a step only reads the log.
fn reads_the_log(step: &Step) -> bool {
    step.request.as_ref().is_some_and(|request| {
        request.method.as_deref() == Some("GET") && request.path.as_deref() == Some(LOG)
    })
}

/// Lists the exchanges of a step, with the recorded responses as JSON.
pub(crate) fn exchanges<'a>(line: &'a Value, index: usize, step: &'a Step) -> Vec<Recorded<'a>> {
    let written = &line["steps"][index];
    let one = step.request.iter().map(|request| Recorded {
        line,
        request,
        answer: &step.expect,
        expect: &written["expect"],
        step: Some(index + 1),
    });
    let several = step
        .parallel
        .iter()
        .enumerate()
        .map(|(place, exchange)| Recorded {
            line,
            request: &exchange.request,
            answer: &exchange.expect,
            expect: &written["parallel"][place]["expect"],
            step: Some(index + 1),
        });
    one.chain(several).collect()
}

/// Sends all requests concurrently, and compares the responses in the order of the recording.
fn at_once(replay: &Replay<'_>, exchanges: &[Recorded<'_>], scope: &mut Scope) -> Vec<Fault> {
    let sent: Vec<_> = thread::scope(|threads| {
        let scope = &*scope;
        let running: Vec<_> = exchanges
            .iter()
            .map(|recorded| threads.spawn(|| replay.send(*recorded, scope)))
            .collect();
        running
            .into_iter()
            .map(thread::ScopedJoinHandle::join)
            .collect()
    });
    let mut faults = Vec::new();
    for (recorded, sent) in exchanges.iter().zip(sent) {
        let Ok((message, outcome)) = sent else {
            continue;
        };
        faults.extend(replay.judge_exchange(*recorded, &message, &outcome, scope));
    }
    faults
}
