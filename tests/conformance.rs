//! The conformance app on Waypost's host, against recordings of Next.js.
//!
//! What is recorded and how it is compared is told in `tests/conformance/README.md`.

mod support;

use std::path::{Path, PathBuf};

use support::{Served, checkout, waypost};
use waypost_conformance::{Deviations, Suite};

/// The recordings of what the host does by now. The others wait for what they are about.
const AREAS: [&str; 8] = [
    "methods",
    "routing",
    "request",
    "response",
    "navigation",
    "errors",
    "streaming",
    "rules",
];

/// Each host runs the same components, compiled once, and one after the other: some answers are measured by the
/// clock.
#[test]
fn the_host_answers_as_recorded() {
    let state = tempfile::tempdir().unwrap();
    replay(&up(state.path(), "waypost"), Deviations::built_in());
    let on_spin = Deviations::built_in().and(host("spin"));
    replay(&up(state.path(), "spin"), on_spin);
}

/// Serves the app in the manner of a host.
fn up(state: &Path, host: &str) -> Served {
    let mut command = waypost(&folder().join("app"));
    command.args(["up", "--listen", "127.0.0.1:0", "--as", host]);
    Served::start(command.arg("--state-dir").arg(state))
}

/// Reads what is different on a host.
fn host(name: &str) -> Deviations {
    let file = folder().join("hosts").join(name).with_extension("toml");
    Deviations::parse(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// Replays all recordings against whatever is served.
fn replay(served: &Served, deviations: Deviations) {
    let base = format!("http://{}", served.address).parse().unwrap();
    let mut suite = Suite::new(base).deviations(deviations).complete();
    for area in AREAS {
        let file = folder()
            .join("recordings")
            .join(area)
            .with_extension("jsonl");
        suite.add(area, &std::fs::read_to_string(file).unwrap());
    }
    // The first time each component is compiled when it is asked for, which what is measured by the clock must
    // not wait for.
    suite.run().unwrap();
    let report = suite.run().unwrap();
    assert!(report.is_success(), "{report}");
    println!("{report}");
}

fn folder() -> PathBuf {
    checkout().join("tests/conformance")
}
