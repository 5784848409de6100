//! What is installed: each tool that Waypost or a host of its apps needs.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::thread;

use serde::Serialize;

use super::probe::{Answer, ask, find};
use super::targets::{judge_targets, target};
use super::version::Version;
use crate::abi::Abi;

/// The oldest Rust that builds Waypost and its apps: `rust-version` of the workspace.
const RUST: &str = env!("CARGO_PKG_RUST_VERSION");

/// The oldest Spin in which a component of WASI 0.3 reaches another.
const SPIN: &str = "4.1";

/// The oldest Wasmtime that serves WASI 0.3 without a flag.
const WASMTIME: &str = "48.0";

/// How a tool was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It is there, and new enough.
    Fine,
    /// It is there, and too old for what is told.
    TooOld,
    /// It is not there.
    Missing,
    /// It is there, but did not answer in time.
    Silent,
    /// It is there, but fails, or tells no version.
    Unclear,
}

/// Whether the doctor is content without a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    Needed,
    Optional,
}

/// A tool on this machine, or a part of the Rust toolchain.
#[derive(Debug, Clone, Serialize)]
pub struct Tool {
    /// Its name, as it is typed.
    pub name: String,
    /// How it was found.
    pub state: State,
    /// Its version, where it has one.
    pub version: Option<String>,
    /// The program that was asked.
    pub path: Option<PathBuf>,
    /// Whether no app can be built without it.
    pub is_needed: bool,
    /// What it is for.
    pub purpose: String,
    /// What is wrong, where it is not fine.
    pub fault: Option<String>,
    /// What to do about that.
    pub advice: Option<String>,
}

/// What is known of a program before it is asked.
struct Known {
    name: &'static str,
    program: OsString,
    least: Option<&'static str>,
    need: Need,
    purpose: String,
    advice: &'static str,
}

/// Asks all tools at once, from `folder`: rustup chooses the toolchain by it.
pub fn examine(folder: &Path) -> Vec<Tool> {
    let known = known();
    thread::scope(|scope| {
        let tools: Vec<_> = known
            .iter()
            .map(|known| scope.spawn(|| known.examine(folder)))
            .collect();
        let targets: Vec<_> = Abi::ALL
            .into_iter()
            .rev()
            .map(|abi| scope.spawn(move || target(abi, folder)))
            .collect();
        let answers = tools.into_iter().chain(targets);
        let mut tools: Vec<Tool> = answers.filter_map(|answer| answer.join().ok()).collect();
        judge_targets(&mut tools);
        tools
    })
}

fn known() -> Vec<Known> {
    let program = |variable: &str, name: &str| env::var_os(variable).unwrap_or_else(|| name.into());
    let tool = |name: &'static str, purpose: &str, advice: &'static str| Known {
        name,
        program: name.into(),
        least: None,
        need: Need::Optional,
        purpose: purpose.to_owned(),
        advice,
    };
    vec![
        Known {
            program: program("RUSTC", "rustc"),
            least: Some(RUST),
            need: Need::Needed,
            ..tool(
                "rustc",
                &format!("compiles routes; {RUST} or later"),
                "install Rust with rustup (https://rustup.rs); `rustup update` brings the newest",
            )
        },
        Known {
            program: program("CARGO", "cargo"),
            need: Need::Needed,
            ..tool(
                "cargo",
                "builds apps",
                "install Rust with rustup (https://rustup.rs)",
            )
        },
        Known {
            need: if cfg!(unix) {
                Need::Needed
            } else {
                Need::Optional
            },
            ..tool(
                "cc",
                "links what runs while a route compiles: macros",
                "install a C compiler: `apt-get install gcc` on Debian, `xcode-select --install` on macOS",
            )
        },
        tool(
            "rustup",
            "installs the Rust targets of components",
            "install it from https://rustup.rs, or the targets with your system's packages",
        ),
        Known {
            least: Some(SPIN),
            ..tool(
                "spin",
                &format!("serves apps on Spin; {SPIN} or later"),
                "https://spinframework.dev/install has it; `cargo waypost up` serves without",
            )
        },
        Known {
            least: Some(WASMTIME),
            ..tool(
                "wasmtime",
                &format!("serves what `compose` makes; {WASMTIME} or later"),
                "https://wasmtime.dev has it; an older one serves `cargo waypost compose --wasi 0.2`",
            )
        },
        tool(
            "cargo-component",
            "builds a route by itself for WASI 0.2; no command of Waypost needs it",
            "`cargo install cargo-component`",
        ),
    ]
}

impl Known {
    fn examine(&self, folder: &Path) -> Tool {
        let path = find(&self.program);
        let answer = match &path {
            Some(path) => ask(path.as_os_str(), &["--version"], folder),
            None => Answer::Absent,
        };
        let (state, version, fault) = judge(self.name, &answer, self.least);
        Tool {
            name: self.name.to_owned(),
            state,
            version: version.map(|version| version.to_string()),
            path,
            is_needed: self.need == Need::Needed,
            purpose: self.purpose.clone(),
            advice: fault.as_ref().map(|_| self.advice.to_owned()),
            fault,
        }
    }
}

/// What an answer to `--version` says of a tool, and what is wrong with that.
fn judge(
    name: &str,
    answer: &Answer,
    least: Option<&str>,
) -> (State, Option<Version>, Option<String>) {
    let text = match answer {
        Answer::Absent => {
            return (State::Missing, None, Some(format!("`{name}` is missing")));
        }
        Answer::Silent => {
            let fault = format!("`{name} --version` does not end");
            return (State::Silent, None, Some(fault));
        }
        Answer::Failed(why) => {
            let fault = format!("`{name} --version` fails: {why}");
            return (State::Unclear, None, Some(fault));
        }
        Answer::Text(text) => text,
    };
    match (Version::find(text), least) {
        (None, _) => {
            let fault = format!("`{name} --version` tells no version");
            (State::Unclear, None, Some(fault))
        }
        (Some(version), Some(least))
            if Version::find(least).is_some_and(|least| version < least) =>
        {
            let fault = format!("`{name}` {version} is too old: {least} or later is needed");
            (State::TooOld, Some(version), Some(fault))
        }
        (Some(version), _) => (State::Fine, Some(version), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(answer: &Answer) -> (State, Option<String>) {
        let (state, _, fault) = judge("spin", answer, Some(SPIN));
        (state, fault)
    }

    #[test]
    fn an_answer_is_judged_by_the_least_version() {
        let text = |text: &str| Answer::Text(text.to_owned());
        assert_eq!(state(&text("spin 4.1.0 (abc)")), (State::Fine, None));
        let (old, fault) = state(&text("spin 4.0.2 (abc)"));
        assert_eq!(old, State::TooOld);
        let expected = "`spin` 4.0.2 is too old: 4.1 or later is needed";
        assert_eq!(fault.as_deref(), Some(expected));
        let (unclear, fault) = state(&text("\u{fffd}\u{fffd}"));
        assert_eq!(unclear, State::Unclear);
        assert_eq!(fault.as_deref(), Some("`spin --version` tells no version"));
    }

    #[test]
    fn no_answer_is_told_as_what_it_is() {
        assert_eq!(state(&Answer::Absent).0, State::Missing);
        assert_eq!(state(&Answer::Silent).0, State::Silent);
        let (unclear, fault) = state(&Answer::Failed("no toolchain".to_owned()));
        assert_eq!(unclear, State::Unclear);
        let expected = "`spin --version` fails: no toolchain";
        assert_eq!(fault.as_deref(), Some(expected));
    }
}
