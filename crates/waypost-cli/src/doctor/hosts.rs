//! Which hosts can serve an app, and why the others can't.

use serde::Serialize;
use waypost_config::Fault;

use super::app::{AppReport, Part};
use super::tools::{State, Tool};
use crate::abi::Abi;
use crate::compose::{self, standard};
use crate::serve;

/// The number of memories that one component may have on Spin (`SPIN_WASMTIME_INSTANCE_MEMORIES`).
const SPIN_MEMORIES: usize = 32;

/// The largest size of an app on Akamai Functions, in bytes: 50 MiB.
const AKAMAI_BYTES: u64 = 50 << 20;

/// The interfaces that Spin 4.1 offers beside WASI (`wit/world.wit` of its source), by their beginnings.
const SPIN: [&str; 10] = [
    "fermyon:spin/",
    "spin:key-value/key-value@3.",
    "spin:mqtt/mqtt@3.",
    "spin:mysql/mysql@3.",
    "spin:postgres/postgres@",
    "spin:redis/redis@3.",
    "spin:sqlite/sqlite@3.",
    "spin:variables/variables@3.",
    "wasi:config/store@0.2.0-draft-2024-09-27",
    "wasi:keyvalue/",
];

/// Those that Akamai Functions does not offer.
const NOT_ON_AKAMAI: [&str; 3] = ["fermyon:spin/sqlite@", "spin:sqlite/", "spin:mqtt/"];

const SPIN_HOST: &str = "Spin 4.1";
const AKAMAI: &str = "Akamai Functions";
const WASI_0_2: &str = "hosts of WASI 0.2";

/// Returns what to know before an app runs on a host. `is_cached` is whether its router caches responses.
fn note(host: &str, is_cached: bool) -> Option<&'static str> {
    match host {
        SPIN_HOST if is_cached => Some(
            "endless loops in as many requests as there are cores freeze the app, and SIGTERM cuts requests off: \
             `docs/deploy/spin.md` says what to set. The router caches responses in a store: with several nodes this has to be \
             a shared one such as Redis, not SQLite, and one that is consistent (`docs/caching.md`)",
        ),
        AKAMAI if is_cached => Some(
            "the router caches responses in a store, which has at most 50 writes and 1,000 reads a second there",
        ),
        SPIN_HOST => Some(
            "endless loops in as many requests as there are cores freeze the app, and SIGTERM cuts requests off: \
             `docs/deploy/spin.md` says what to set",
        ),
        WASI_0_2 => Some(
            "with `wasmtime serve`, add `-W timeout=30s`: a streamed echo can occupy a core for ever",
        ),
        _ => None,
    }
}

/// Whether a host can serve an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It can.
    Yes,
    /// Nothing is known that prevents it, and nobody has tried.
    NotTried,
    /// It can't.
    No,
    /// A component is not built, or malformed.
    Unknown,
}

/// A host, and whether it can serve an app.
#[derive(Debug, Clone, Serialize)]
pub struct HostReport {
    /// Its name.
    pub host: &'static str,
    /// Whether it can serve the app.
    pub verdict: Verdict,
    /// The reasons why it can't.
    pub obstacles: Vec<Obstacle>,
    /// The command that serves the app there.
    pub how: &'static str,
    /// What this machine lacks for that.
    pub lacks: Option<String>,
    /// What to know before it runs there.
    pub note: Option<&'static str>,
}

/// A reason why a host can't serve an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Obstacle {
    /// The component that it concerns, or `None` for the whole app.
    pub component: Option<String>,
    /// The reason.
    pub what: String,
    /// What to do about it.
    pub advice: String,
}

impl Obstacle {
    fn new(part: Option<&Part>, what: String, advice: &str) -> Obstacle {
        Obstacle {
            component: part.map(|part| part.component.clone()),
            what,
            advice: advice.to_owned(),
        }
    }
}

/// Judges each host. `refusals` are the faults of `spin.toml` and `waypost.toml` for Waypost's own host.
pub fn hosts(app: &AppReport, tools: &[Tool], refusals: &[Fault]) -> Vec<HostReport> {
    let is_whole = app.components.iter().all(|part| part.fault.is_none());
    let is_cached = app.has_cached_router();
    let report = |host, how, tool: Option<&str>, obstacles: Vec<Obstacle>| HostReport {
        host,
        verdict: match (obstacles.is_empty(), is_whole) {
            (false, _) => Verdict::No,
            (true, false) => Verdict::Unknown,
            // The only one on which no app was served yet.
            (true, true) if host == AKAMAI => Verdict::NotTried,
            (true, true) => Verdict::Yes,
        },
        obstacles,
        how,
        lacks: tool.and_then(|tool| lack(tools, tool)),
        note: note(host, is_cached),
    };
    vec![
        report(
            "Waypost's host",
            "cargo waypost up",
            None,
            of_waypost(app, refusals),
        ),
        report(SPIN_HOST, "spin up", Some("spin"), of_spin(app)),
        report(AKAMAI, "spin aka deploy", Some("spin"), of_akamai(app)),
        report(
            "wasmtime serve",
            "cargo waypost compose",
            Some("wasmtime"),
            of_composition(app, Abi::Wasi03),
        ),
        report(
            WASI_0_2,
            "cargo waypost compose --wasi 0.2",
            Some(Abi::Wasi02.target()),
            of_composition(app, Abi::Wasi02),
        ),
    ]
}

fn lack(tools: &[Tool], name: &str) -> Option<String> {
    let tool = tools.iter().find(|tool| tool.name == name)?;
    match tool.state {
        State::Fine => None,
        State::Missing => Some(format!("no `{name}` here")),
        State::TooOld => Some(format!("`{name}` is too old here")),
        State::Silent | State::Unclear => Some(format!("`{name}` is broken here")),
    }
}

fn of_waypost(app: &AppReport, refusals: &[Fault]) -> Vec<Obstacle> {
    let refusals = refusals.iter().map(|fault| {
        let places: Vec<_> = fault.places().iter().map(ToString::to_string).collect();
        let what = format!("{}: {}", places.join(", "), fault.message());
        let advice = fault.advice().unwrap_or("see `cargo waypost check`");
        Obstacle::new(None, what, advice)
    });
    let advice = "remove the import, or serve the app with Spin, if Spin has it";
    let missing = missing(&app.components, serve::is_offered, advice);
    refusals.chain(missing).collect()
}

fn of_spin(app: &AppReport) -> Vec<Obstacle> {
    let is_offered = |import: &str| {
        let is_of_spin = SPIN.iter().any(|begin| import.starts_with(begin));
        is_of_spin || (import.starts_with("wasi:") && serve::is_offered(import))
    };
    let advice = "remove the import, or serve the app with a host that has it";
    let mut obstacles = missing(&app.components, is_offered, advice);
    let large = |part: &&Part| part.memories > SPIN_MEMORIES;
    obstacles.extend(app.components.iter().filter(large).map(|part| {
        let memories = part.memories;
        let what = format!("has {memories} memories, and Spin allows {SPIN_MEMORIES}");
        let advice = "SPIN_WASMTIME_INSTANCE_MEMORIES raises the limit where you run Spin";
        Obstacle::new(Some(part), what, advice)
    }));
    obstacles
}

fn of_akamai(app: &AppReport) -> Vec<Obstacle> {
    let is_offered = |import: &str| !NOT_ON_AKAMAI.iter().any(|begin| import.starts_with(begin));
    let advice = "use a key-value store, or a database over the network";
    let mut obstacles = of_spin(app);
    obstacles.extend(missing(&app.components, is_offered, advice));
    let bytes: u64 = app.components.iter().filter_map(|part| part.bytes).sum();
    if bytes > AKAMAI_BYTES {
        let what = format!("the app has {bytes} bytes, and {AKAMAI_BYTES} are allowed");
        obstacles.push(Obstacle::new(None, what, "split it into several apps"));
    }
    obstacles
}

/// Returns the reasons why an app can't be one component for a version of WASI HTTP.
fn of_composition(app: &AppReport, abi: Abi) -> Vec<Obstacle> {
    let with_environment = app.routes().filter(|part| part.has_environment).count();
    let refused = compose::refuse_count(app.routes().count(), with_environment).err();
    let refused = refused.map(|refused| {
        let advice = refused.advice().unwrap_or_default();
        Obstacle::new(None, refused.to_string(), advice)
    });
    // Sources are compiled for either version.
    let other_version = app.routes().filter_map(|part| {
        let found = part
            .wasi
            .filter(|found| part.is_prebuilt && *found != abi.version())?;
        let what = format!("handles WASI {found}, and all parts of a composition have one version");
        let advice = format!("build its `route.wasm` for {abi}");
        Some(Obstacle::new(Some(part), what, &advice))
    });
    let advice = "plain WASI HTTP does not have it: remove the import, or serve the app with `cargo waypost up` or Spin";
    let foreign = missing(app.routes(), standard::is_met, advice);
    refused
        .into_iter()
        .chain(other_version)
        .chain(foreign)
        .collect()
}

/// Returns an obstacle for each import that a host does not offer.
fn missing<'p>(
    parts: impl IntoIterator<Item = &'p Part>,
    is_offered: impl Fn(&str) -> bool,
    advice: &str,
) -> Vec<Obstacle> {
    let mut obstacles = Vec::new();
    for part in parts {
        for import in part.imports.iter().filter(|import| !is_offered(import)) {
            let what = format!("imports `{import}`");
            obstacles.push(Obstacle::new(Some(part), what, advice));
        }
    }
    obstacles
}

#[cfg(test)]
mod tests;
