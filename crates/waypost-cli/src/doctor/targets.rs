//! The Rust targets of components: whether the toolchain in use has them.

use std::env;
use std::ffi::OsStr;
use std::path::Path;

use super::machine::{State, Tool};
use super::probe::{Answer, ask};
use crate::abi::Abi;

/// Looks for the standard library of a Rust target, where the toolchain in use would have it.
pub(super) fn target(abi: Abi, folder: &Path) -> Tool {
    let target = abi.target();
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let args = ["--print", "target-libdir", "--target", target];
    let (state, fault) = match ask(OsStr::new(&rustc), &args, folder) {
        Answer::Text(libraries) if Path::new(libraries.trim()).is_dir() => (State::Fine, None),
        Answer::Text(_) | Answer::Absent => (
            State::Missing,
            Some(format!("the Rust target `{target}` is missing")),
        ),
        Answer::Silent => (
            State::Silent,
            Some(format!("`rustc` does not say whether it has `{target}`")),
        ),
        Answer::Failed(why) => (
            State::Unclear,
            Some(format!(
                "`rustc` does not say whether it has `{target}`: {why}"
            )),
        ),
    };
    let purpose = match abi {
        Abi::Wasi03 => "components of WASI 0.3: `up`, `build`, `compose`",
        Abi::Wasi02 => "components of WASI 0.2: `compose --wasi 0.2`",
    };
    Tool {
        name: target.to_owned(),
        state,
        version: None,
        path: None,
        is_needed: abi == Abi::Wasi03,
        purpose: purpose.to_owned(),
        fault,
        advice: None,
    }
}

/// A target that is missing is installed by a build, if rustup is there.
pub(super) fn judge_targets(tools: &mut [Tool]) {
    let has_rustup = tools
        .iter()
        .any(|tool| tool.name == "rustup" && tool.state == State::Fine);
    for tool in tools.iter_mut() {
        if tool.fault.is_none() || Abi::ALL.iter().all(|abi| abi.target() != tool.name) {
            continue;
        }
        let name = &tool.name;
        tool.advice = Some(match has_rustup {
            true => format!("a build installs it: `rustup target add {name}`"),
            false => "install Rust with rustup (https://rustup.rs), or the target with your system's packages".to_owned(),
        });
        tool.is_needed &= !(has_rustup && tool.state == State::Missing);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_target_is_no_fault_where_rustup_installs_it() {
        let tool = |name: &str, state| Tool {
            name: name.to_owned(),
            state,
            version: None,
            path: None,
            is_needed: name == Abi::Wasi03.target(),
            purpose: String::new(),
            fault: (state != State::Fine).then(String::new),
            advice: None,
        };
        for (rustup, is_needed) in [(State::Fine, false), (State::Missing, true)] {
            let target = tool(Abi::Wasi03.target(), State::Missing);
            let mut tools = [tool("rustup", rustup), target];
            judge_targets(&mut tools);
            assert_eq!(tools[1].is_needed, is_needed);
            assert!(tools[1].advice.is_some());
        }
    }
}
