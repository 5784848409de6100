//! The tools that Waypost, or a host of its apps, needs: which are installed, and which are too old.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use semver::Version;
use serde::Serialize;
use waypost_config::Fault;

use super::probe::{NoAnswer, ask, find};
use crate::abi::Abi;
use crate::parallel;

/// The result of looking for a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It is installed and new enough.
    Fine,
    /// It is installed and too old.
    TooOld,
    /// It is not installed.
    Missing,
    /// It did not answer in time.
    Silent,
    /// It fails, or prints no version.
    Unclear,
}

/// A tool on this machine, or a target of the Rust toolchain.
#[derive(Debug, Clone, Serialize)]
pub struct Tool {
    /// Its name, as it is typed.
    pub name: &'static str,
    /// The result of looking for it.
    pub state: State,
    /// Its version.
    pub version: Option<String>,
    /// The file of the program.
    pub path: Option<PathBuf>,
    /// Whether every build needs it.
    pub is_needed: bool,
    /// Its use.
    pub purpose: &'static str,
    /// The fault, unless its state is [`State::Fine`].
    pub fault: Option<String>,
    /// Advice about the fault.
    pub advice: Option<String>,
}

/// A program to look for.
struct Program {
    name: &'static str,
    /// The environment variable that names another program.
    variable: Option<&'static str>,
    least: Option<&'static str>,
    is_needed: bool,
    purpose: &'static str,
    advice: &'static str,
}

const RUST: &str = env!("CARGO_PKG_RUST_VERSION");
const COMPILES: &str = concat!(
    "compiles routes; ",
    env!("CARGO_PKG_RUST_VERSION"),
    " or later"
);

/// Spin 4.1 is the oldest in which a component of WASI 0.3 can call another, Wasmtime 48 the oldest that serves WASI 0.3
/// without a flag.
#[rustfmt::skip]
const PROGRAMS: [Program; 7] = [
    program("rustc", Some("RUSTC"), Some(RUST), true, COMPILES,
        "install Rust with rustup (https://rustup.rs); `rustup update` installs the newest version"),
    program("cargo", Some("CARGO"), None, true, "builds apps",
        "install Rust with rustup (https://rustup.rs)"),
    program("cc", None, None, cfg!(unix), "links build scripts and macros of routes",
        "install a C compiler: `apt-get install gcc` on Debian, `xcode-select --install` on macOS"),
    program("rustup", None, None, false, "installs the Rust targets of components",
        "install it from https://rustup.rs, or the targets with your system's packages"),
    program("spin", None, Some("4.1"), false, "serves apps on Spin; 4.1 or later",
        "install it from https://spinframework.dev/install; `cargo waypost up` serves without it"),
    program("wasmtime", None, Some("48.0"), false, "serves what `compose` makes; 48.0 or later",
        "install it from https://wasmtime.dev; an older one serves `cargo waypost compose --wasi 0.2`"),
    program("cargo-component", None, None, false, "builds a single route for WASI 0.2; no command of Waypost needs it",
        "`cargo install cargo-component`"),
];

const fn program(
    name: &'static str,
    variable: Option<&'static str>,
    least: Option<&'static str>,
    is_needed: bool,
    purpose: &'static str,
    advice: &'static str,
) -> Program {
    Program {
        name,
        variable,
        least,
        is_needed,
        purpose,
        advice,
    }
}

/// Asks all tools from `folder`, by which rustup chooses the toolchain.
pub fn examine(folder: &Path) -> Vec<Tool> {
    let mut tools = parallel::map(&PROGRAMS, |program| program.examine(folder));
    let is_rustup = |tool: &Tool| tool.name == "rustup" && tool.state == State::Fine;
    let has_rustup = tools.iter().any(is_rustup);
    let targets = [Abi::Wasi03, Abi::Wasi02];
    tools.extend(parallel::map(&targets, |abi| {
        target(*abi, folder, has_rustup)
    }));
    tools
}

impl Tool {
    /// Returns the error of a tool that every build needs and that can't be used.
    pub fn error(&self) -> Option<Fault> {
        let fault = Fault::error(self.fault.as_deref().filter(|_| self.is_needed)?);
        Some(match &self.advice {
            Some(advice) => fault.hint(advice),
            None => fault,
        })
    }
}

impl Program {
    fn examine(&self, folder: &Path) -> Tool {
        let named = self.variable.and_then(env::var_os);
        let path = find(&named.unwrap_or_else(|| OsString::from(self.name)));
        let answer = match &path {
            Some(path) => ask(path.as_os_str(), &["--version"], folder),
            None => Err(NoAnswer::Absent),
        };
        let (state, version, fault) = self.judge(answer);
        Tool {
            name: self.name,
            state,
            version: version.map(|version| version.to_string()),
            path,
            is_needed: self.is_needed,
            purpose: self.purpose,
            advice: fault.as_ref().map(|_| self.advice.to_owned()),
            fault,
        }
    }

    /// Judges the program by its answer to `--version`.
    fn judge(&self, answer: Result<String, NoAnswer>) -> (State, Option<Version>, Option<String>) {
        let (name, least) = (self.name, self.least.and_then(version));
        let (state, found, fault) = match answer.map(|text| version(&text)) {
            Ok(Some(found)) if least.is_some_and(|least| found < least) => {
                let least = self.least.unwrap_or_default();
                let fault = format!("`{name}` {found} is too old: {least} or later is needed");
                (State::TooOld, Some(found), fault)
            }
            Ok(Some(found)) => return (State::Fine, Some(found), None),
            Ok(None) => (
                State::Unclear,
                None,
                format!("`{name} --version` prints no version"),
            ),
            Err(NoAnswer::Absent) => (State::Missing, None, format!("`{name}` is missing")),
            Err(NoAnswer::Endless) => (
                State::Silent,
                None,
                format!("`{name} --version` does not end"),
            ),
            Err(NoAnswer::Failed(why)) => (
                State::Unclear,
                None,
                format!("`{name} --version` fails: {why}"),
            ),
        };
        (state, found, Some(fault))
    }
}

/// Finds the first version in the output of a program: `4.1.0` in `spin 4.1.0-pre0 (f1b7c4b 2026-05-01)`. A release candidate counts
/// as its release.
fn version(text: &str) -> Option<Version> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '.');
    words
        .filter_map(|word| {
            let mut numbers = word.strip_prefix('v').unwrap_or(word).splitn(3, '.');
            let (major, minor) = (numbers.next()?, numbers.next()?);
            let patch = numbers.next().map_or(Some(0), leading)?;
            Some(Version::new(leading(major)?, leading(minor)?, patch))
        })
        .next()
}

/// Returns the number at the start of a text: 2 of `2rc1`.
fn leading(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit());
    text.get(..end.unwrap_or(text.len()))?.parse().ok()
}

/// Looks for the standard library of a Rust target.
fn target(abi: Abi, folder: &Path, has_rustup: bool) -> Tool {
    let name = abi.target();
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let args = ["--print", "target-libdir", "--target", name];
    let unclear = format!("`rustc` does not say whether it has `{name}`");
    let (state, fault) = match ask(&rustc, &args, folder) {
        Ok(libraries) if Path::new(libraries.trim()).is_dir() => (State::Fine, None),
        Ok(_) | Err(NoAnswer::Absent) => (
            State::Missing,
            Some(format!("the Rust target `{name}` is missing")),
        ),
        Err(NoAnswer::Endless) => (State::Silent, Some(unclear)),
        Err(NoAnswer::Failed(why)) => (State::Unclear, Some(format!("{unclear}: {why}"))),
    };
    let advice = match has_rustup {
        true => format!("a build installs it: `rustup target add {name}`"),
        false => "install Rust with rustup (https://rustup.rs), or the target with your system's packages".to_owned(),
    };
    Tool {
        name,
        state,
        version: None,
        path: None,
        is_needed: abi == Abi::Wasi03 && !(has_rustup && state == State::Missing),
        purpose: match abi {
            Abi::Wasi03 => "components for WASI 0.3: `up`, `build`, `compose`",
            Abi::Wasi02 => "components for WASI 0.2: `compose --wasi 0.2`",
        },
        advice: fault.as_ref().map(|_| advice),
        fault,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_the_output_of_programs() {
        for (text, expected) in [
            ("rustc 1.95.0 (59807616e 2026-04-14)", "1.95.0"),
            ("spin 4.1.0-pre0 (94a8fc8 2026-08-21)\n", "4.1.0"),
            ("wasmtime-cli v48.1", "48.1.0"),
            ("cc (Debian 12.2.0-14+deb12u1) 12.2.0\nCopyright", "12.2.0"),
            ("cargo-component-component 0.21.1 (wasi:040ec92)", "0.21.1"),
            ("rustup 1.28.2rc1 (e4f3ad6f8 2025-04-28)", "1.28.2"),
            ("command not found", ""),
            (
                "4 2026-05-01 v.1 a.1.b \u{fffd}\0.1 99999999999999999999.1",
                "",
            ),
        ] {
            let found = version(text).map(|version| version.to_string());
            assert_eq!(found.unwrap_or_default(), expected, "{text}");
        }
        assert!(version("4.10.0") > version("4.9.9"));
    }
}
