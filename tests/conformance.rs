//! The conformance app on Waypost's host, against recordings of Next.js.
//!
//! What is recorded and how it is compared is told in `tests/conformance/README.md`.

mod support;

use std::path::PathBuf;

use support::{Served, checkout, waypost};
use waypost_conformance::Suite;

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

#[test]
fn the_host_answers_as_recorded() {
    let app = folder().join("app");
    let state = tempfile::tempdir().unwrap();
    let mut command = waypost(&app);
    command.args(["up", "--listen", "127.0.0.1:0", "--state-dir"]);
    let served = Served::start(command.arg(state.path()));
    let base = format!("http://{}", served.address).parse().unwrap();
    let mut suite = Suite::new(base).complete();
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
