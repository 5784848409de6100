//! The conformance app on each host, against recordings of Next.js.
//!
//! What is recorded and how it is compared is told in `tests/conformance/README.md`.

use std::path::{Path, PathBuf};

use crate::support::{Served, checkout, run, turn, waypost};
use waypost_conformance::{Base, Deviations, Suite};

/// The recordings of what the host does by now. The others wait for what they are about.
const AREAS: [&str; 9] = [
    "methods",
    "routing",
    "request",
    "response",
    "navigation",
    "errors",
    "streaming",
    "rules",
    "caching",
];

/// The areas that a composition can't replay: each request runs the handler, so nothing is left of what was recorded, neither the
/// headers nor which responses are equal.
const CACHING: [&str; 2] = ["caching", DATA];

/// The area that only Waypost's own host replays: on the others, handlers cache no data.
const DATA: &str = "data-cache";

/// Each host runs the same components, compiled once, and one after the other: some answers are measured by the
/// clock.
#[test]
fn the_host_answers_as_recorded() {
    build();
    let _turn = turn();
    for router in ["native", "component"] {
        // The counters of `/c/count` begin anew.
        let state = tempfile::tempdir().unwrap();
        let serve = || up(state.path(), &["--router", router]);
        compile(&without_cache(base(&serve()), Deviations::built_in()));
        // This server begins with an empty cache: the sequences ask for some paths for the first time.
        let served = serve();
        replay(&suite(base(&served), Deviations::built_in()));
    }
    let state = tempfile::tempdir().unwrap();
    let on_spin = Deviations::built_in().and(host("spin"));
    let served = up(state.path(), &["--as", "spin"]);
    // The components alone: the router has stored no response yet when all is replayed.
    compile(&without_cache(base(&served), Deviations::built_in()));
    replay(&suite(base(&served), on_spin).leave_out(DATA, "this host caches no data"));
    let composed = Deviations::built_in().and(host("composed"));
    replay_composed(state.path(), composed);
}

/// Compiles its some 170 routes.
fn build() {
    run(waypost(&folder().join("app")).args(["build", "--no-compile"]));
}

/// Serves the app on our host.
fn up(state: &Path, manner: &[&str]) -> Served {
    let mut command = waypost(&folder().join("app"));
    command.args(["up", "--listen", "127.0.0.1:0"]).args(manner);
    Served::start(command.arg("--state-dir").arg(state))
}

/// Replays against the app as two components, as one would hold too many routes. Those with key-value stores are in
/// neither, as plain WASI HTTP has none, and neither are those about the cache.
fn replay_composed(scratch: &Path, deviations: Deviations) {
    let parts = ["/r", "/e", "/n"];
    let with_stores = [
        "/t/log",
        "/t/slow",
        "/t/after",
        "/t/sse-infinite",
        "/t/signal-normal",
    ];
    let except = parts.iter().chain(&with_stores).chain(&["/c"]);
    let rest: Vec<_> = except.flat_map(|path| ["--except", path]).collect();
    let chosen = parts.map(|path| ["--only", path]).concat();
    let rest = composed(&scratch.join("rest.wasm"), &rest);
    let chosen = composed(&scratch.join("chosen.wasm"), &chosen);
    let mut base = base(&rest);
    for part in parts {
        base = base.part(part, self::base(&chosen));
    }
    let areas = without_cache(base, deviations);
    compile(&areas);
    replay(&areas);
}

/// Links routes into a component, and serves that.
fn composed(component: &Path, routes: &[&str]) -> Served {
    let app = folder().join("app");
    let mut compose = waypost(&app);
    compose.arg("compose").args(routes).arg("--output");
    run(compose.arg(component));
    let mut serve = waypost(&app);
    serve.args(["serve", "--listen", "127.0.0.1:0"]);
    Served::start(serve.arg(component))
}

/// Reads what is different on a host.
fn host(name: &str) -> Deviations {
    let file = folder().join("hosts").join(name).with_extension("toml");
    Deviations::parse(&std::fs::read_to_string(file).unwrap()).unwrap()
}

fn base(served: &Served) -> Base {
    Base::from(served.address)
}

/// Reads all recordings.
fn suite(base: Base, deviations: Deviations) -> Suite {
    let mut suite = Suite::new(base).deviations(deviations).complete();
    for area in AREAS {
        let file = folder()
            .join("recordings")
            .join(area)
            .with_extension("jsonl");
        suite.add(area, &std::fs::read_to_string(file).unwrap());
    }
    suite
}

fn without_cache(base: Base, deviations: Deviations) -> Suite {
    let suite = suite(base, deviations);
    CACHING.iter().fold(suite, |suite, area| {
        suite.leave_out(area, "this host is not compared yet")
    })
}

/// Makes the server compile each component, which it does at the first request: what is measured by the clock must not
/// wait for that.
fn compile(suite: &Suite) {
    suite.run().unwrap();
}

fn replay(suite: &Suite) {
    let report = suite.run().unwrap();
    assert!(report.is_success(), "{report}");
    println!("{report}");
}

fn folder() -> PathBuf {
    checkout().join("tests/conformance")
}
