//! Which hosts can serve an app, and what keeps it from the others.

use serde::Serialize;
use waypost_config::Fault;

use super::app::{AppReport, Part};
use super::machine::{State, Tool};
use crate::abi::Abi;
use crate::compose;
use crate::host;

/// How many memories one component may have on Spin (`SPIN_WASMTIME_INSTANCE_MEMORIES`).
const SPIN_MEMORIES: usize = 32;

/// How large an app may be on Akamai Functions, in bytes: 50 MiB.
const AKAMAI_BYTES: u64 = 50 << 20;

/// What Spin 4.1 offers beside WASI (`wit/world.wit` of its source): beginnings of interfaces.
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

/// Of these, what Akamai Functions has not.
const NOT_ON_AKAMAI: [&str; 3] = ["fermyon:spin/sqlite@", "spin:sqlite/", "spin:mqtt/"];

const SPIN_4: &str = "Spin 4.1";
const AKAMAI: &str = "Akamai Functions";

/// The hosts that no test has served an app on.
const NOT_TRIED: [&str; 2] = [SPIN_4, AKAMAI];

/// Whether a host can serve an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It can.
    Yes,
    /// Nothing is known that keeps it from the host, and nobody has tried.
    NotTried,
    /// It can't.
    No,
    /// A component is not built, or broken.
    Unknown,
}

/// A host, and what it makes of an app.
#[derive(Debug, Clone, Serialize)]
pub struct HostReport {
    /// Its name.
    pub host: &'static str,
    /// Whether it can serve the app.
    pub verdict: Verdict,
    /// What keeps the app from it.
    pub obstacles: Vec<Obstacle>,
    /// How the app is served there.
    pub how: &'static str,
    /// Whether this machine has what that takes; if not, what it lacks.
    pub lacks: Option<String>,
}

/// What keeps an app from a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Obstacle {
    /// The component that it is about; none where it is the app.
    pub component: Option<String>,
    /// What it is.
    pub what: String,
    /// What to do about it.
    pub advice: String,
}

impl Obstacle {
    fn new(what: impl Into<String>, advice: impl Into<String>) -> Obstacle {
        Obstacle {
            component: None,
            what: what.into(),
            advice: advice.into(),
        }
    }

    fn of(part: &Part, what: impl Into<String>, advice: impl Into<String>) -> Obstacle {
        Obstacle {
            component: Some(part.component.clone()),
            ..Obstacle::new(what, advice)
        }
    }
}

/// Judges each host. `refusals` are what Waypost's host says of `spin.toml` and `waypost.toml`.
pub fn hosts(app: &AppReport, tools: &[Tool], refusals: &[Fault]) -> Vec<HostReport> {
    let is_whole = app.components.iter().all(|part| part.fault.is_none());
    let report = |host, obstacles: Vec<Obstacle>, how, lacks| HostReport {
        host,
        verdict: match (obstacles.is_empty(), is_whole) {
            (false, _) => Verdict::No,
            (true, false) => Verdict::Unknown,
            (true, true) if NOT_TRIED.contains(&host) => Verdict::NotTried,
            (true, true) => Verdict::Yes,
        },
        obstacles,
        how,
        lacks,
    };
    let spin = lack(tools, "spin");
    vec![
        report(
            "Waypost's host",
            of_waypost(app, refusals),
            "cargo waypost up",
            None,
        ),
        report(SPIN_4, of_spin(app), "spin up", spin.clone()),
        report(AKAMAI, of_akamai(app), "spin aka deploy", spin),
        report(
            "wasmtime serve",
            of_composition(app, Abi::Wasi03),
            "cargo waypost compose",
            lack(tools, "wasmtime"),
        ),
        report(
            "hosts of WASI 0.2",
            of_composition(app, Abi::Wasi02),
            "cargo waypost compose --wasi 0.2",
            lack(tools, Abi::Wasi02.target()),
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
    let foreign = |part: &Part, import: &str| {
        (!host::is_offered(import)).then(|| {
            let advice = "leave it out, or serve the app with Spin, if that has it";
            Obstacle::of(part, imports(import), advice)
        })
    };
    let refusals = refusals.iter().map(|fault| {
        let places: Vec<_> = fault.places().iter().map(ToString::to_string).collect();
        let what = format!("{}: {}", places.join(", "), fault.message());
        Obstacle::new(
            what,
            fault.advice().unwrap_or("`cargo waypost check` says more"),
        )
    });
    refusals.chain(of_imports(app, foreign)).collect()
}

fn of_spin(app: &AppReport) -> Vec<Obstacle> {
    let is_offered = |import: &str| match import.starts_with("wasi:") {
        true => host::is_offered(import) || SPIN.iter().any(|begin| import.starts_with(begin)),
        false => SPIN.iter().any(|begin| import.starts_with(begin)),
    };
    let foreign = |part: &Part, import: &str| {
        (!is_offered(import)).then(|| {
            let advice = "leave it out, or serve the app with a host that has it";
            Obstacle::of(part, imports(import), advice)
        })
    };
    let large = app.components.iter().filter_map(|part| {
        let memories = part.anatomy.memories;
        (memories > SPIN_MEMORIES).then(|| {
            let what = format!("has {memories} memories, and Spin allows {SPIN_MEMORIES}");
            let advice = "SPIN_WASMTIME_INSTANCE_MEMORIES raises the limit where you run Spin";
            Obstacle::of(part, what, advice)
        })
    });
    of_imports(app, foreign).chain(large).collect()
}

fn of_akamai(app: &AppReport) -> Vec<Obstacle> {
    let lacking = |part: &Part, import: &str| {
        let is_lacking = NOT_ON_AKAMAI.iter().any(|begin| import.starts_with(begin));
        is_lacking.then(|| {
            let advice = "use a key-value store, or a database over the network";
            Obstacle::of(part, imports(import), advice)
        })
    };
    let bytes: u64 = app.components.iter().filter_map(|part| part.bytes).sum();
    let large = (bytes > AKAMAI_BYTES).then(|| {
        let what = format!("the app has {bytes} bytes, and {AKAMAI_BYTES} are allowed");
        Obstacle::new(what, "make several apps of it")
    });
    let mut obstacles = of_spin(app);
    obstacles.extend(of_imports(app, lacking).chain(large));
    obstacles
}

/// What keeps an app from being one component of a version of WASI HTTP.
fn of_composition(app: &AppReport, abi: Abi) -> Vec<Obstacle> {
    let with_environment = app.routes().filter(|part| part.has_environment).count();
    let count = compose::refuse_count(app.routes().count(), with_environment).err();
    let count =
        count.map(|refused| Obstacle::new(refused.to_string(), refused.advice().unwrap_or("")));
    // Sources are compiled for the version that is asked for.
    let of_another_version = app.routes().filter_map(|part| {
        let found = part.abi.filter(|found| part.is_prebuilt && *found != abi)?;
        let what = format!("answers {found}, and all parts of a composition have one version");
        let advice = format!("make its `route.wasm` for {abi}");
        Some(Obstacle::of(part, what, advice))
    });
    let foreign = app.routes().flat_map(|part| {
        part.foreign().map(|import| {
            let what = format!("{}, which plain WASI HTTP has not", imports(import));
            let advice = "leave it out, or serve the app with `cargo waypost up` or Spin";
            Obstacle::of(part, what, advice)
        })
    });
    count
        .into_iter()
        .chain(of_another_version)
        .chain(foreign)
        .collect()
}

fn imports(import: &str) -> String {
    format!("imports `{import}`")
}

fn of_imports<'a>(
    app: &'a AppReport,
    judge: impl Fn(&Part, &str) -> Option<Obstacle> + 'a,
) -> impl Iterator<Item = Obstacle> + 'a {
    let imports = app.components.iter().flat_map(|part| {
        let imports = part.anatomy.imports.iter();
        imports.map(move |import| (part, import))
    });
    imports.filter_map(move |(part, import)| judge(part, import))
}

#[cfg(test)]
mod tests;
