//! Replaying ordered steps, in which equal symbols stand for equal values.

use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::pattern::Scope;
use crate::recorded::Step;
use crate::replay::{Fault, Recorded, Replay};

/// Replays all steps. A step that went wrong does not keep the others from being tried.
pub(crate) fn replay(replay: &Replay<'_>, line: &Value, steps: &[Step]) -> Vec<Fault> {
    let mut scope = Scope::new();
    let mut faults = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        thread::sleep(Duration::from_millis(step.wait_ms));
        let exchanges = exchanges(line, index, step);
        for mut fault in at_once(replay, &exchanges, &mut scope) {
            fault.title = format!("step {}: {}", index + 1, fault.title);
            faults.push(fault);
        }
    }
    faults
}

/// Lists what is sent in a step, with the answers as they are written in the line.
fn exchanges<'a>(line: &'a Value, index: usize, step: &'a Step) -> Vec<Recorded<'a>> {
    let written = &line["steps"][index];
    let one = step.request.iter().map(|request| Recorded {
        line,
        request,
        answer: &step.expect,
        expect: &written["expect"],
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
        });
    one.chain(several).collect()
}

/// Sends all requests at once, and judges the answers in the order of the recording.
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
