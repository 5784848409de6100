//! The two versions of WASI HTTP that components are made for.

use std::fmt;

use clap::ValueEnum;
use thiserror::Error;

use crate::host::is_candidate;

/// A version of WASI HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Abi {
    /// WASI 0.2: the world `wasi:http/proxy`, the Rust target `wasm32-wasip1`.
    #[value(name = "0.2")]
    Wasi02,
    /// WASI 0.3: the world `wasi:http/service`, the Rust target `wasm32-wasip2`.
    #[value(name = "0.3")]
    Wasi03,
}

impl Abi {
    /// Both, the older first.
    pub const ALL: [Abi; 2] = [Abi::Wasi02, Abi::Wasi03];

    /// Tells the version by what a component exports.
    ///
    /// # Errors
    ///
    /// When it answers no HTTP that a host has.
    pub fn of(exports: &[String]) -> Result<Abi, NoHandler> {
        let has = |abi: &Abi| exports.iter().any(|name| abi.is_handler(name));
        let found = Abi::ALL.into_iter().rev().find(has);
        found.ok_or_else(|| match candidate(exports) {
            Some(name) => NoHandler::Candidate(name.to_owned()),
            None => NoHandler::Other(exports.to_owned()),
        })
    }

    /// Tells whether an interface, as `wasi:http/handler@0.3.0`, is the one that answers requests.
    pub fn is_handler(self, interface: &str) -> bool {
        let begin = match self {
            Abi::Wasi02 => "wasi:http/incoming-handler@0.2.",
            Abi::Wasi03 => "wasi:http/handler@0.3.",
        };
        interface.starts_with(begin) && !is_candidate(interface)
    }

    /// Its number, as `--wasi` takes it.
    pub fn version(self) -> &'static str {
        match self {
            Abi::Wasi02 => "0.2",
            Abi::Wasi03 => "0.3",
        }
    }

    /// The Rust target whose components have it.
    pub fn target(self) -> &'static str {
        match self {
            Abi::Wasi02 => "wasm32-wasip1",
            Abi::Wasi03 => "wasm32-wasip2",
        }
    }
}

/// Why a component answers no HTTP. The text goes on where a name of the component ends.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoHandler {
    /// It was made for a release candidate of WASI, and exports this interface.
    #[error("was made for a release candidate of WASI: it exports `{0}`")]
    Candidate(String),
    /// It exports other things, or none.
    #[error("answers no HTTP: it exports {}", list(.0))]
    Other(Vec<String>),
}

impl NoHandler {
    /// What to do about it; `other` is for a component that is none of WASI HTTP at all.
    pub fn hint(&self, other: &'static str) -> &'static str {
        match self {
            NoHandler::Candidate(_) => {
                "build it with a version of its tool that makes components of WASI 0.3.0, or of WASI 0.2"
            }
            NoHandler::Other(_) => other,
        }
    }
}

/// The interface by which a component would answer HTTP, where that is of a release candidate.
fn candidate(exports: &[String]) -> Option<&str> {
    let handlers = ["wasi:http/incoming-handler@", "wasi:http/handler@"];
    let is_handler = |name: &&str| handlers.iter().any(|begin| name.starts_with(begin));
    let mut found = exports.iter().map(String::as_str).filter(is_handler);
    found.find(|name| is_candidate(name))
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        return "nothing".to_owned();
    }
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

impl fmt::Display for Abi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WASI {}", self.version())
    }
}

#[cfg(test)]
mod tests {
    use super::{Abi, NoHandler};

    #[test]
    fn a_release_candidate_is_another_version() {
        let exports = |name: &str| [name.to_owned()];
        let candidate = exports("wasi:http/handler@0.3.0-rc-2026-03-15");
        let expected = NoHandler::Candidate(candidate[0].clone());
        assert_eq!(Abi::of(&candidate), Err(expected));
        let released = exports("wasi:http/handler@0.3.1");
        assert_eq!(Abi::of(&released), Ok(Abi::Wasi03));
    }

    #[test]
    fn what_is_exported_instead_is_told() {
        let said = |exports: &[String]| Abi::of(exports).unwrap_err().to_string();
        assert_eq!(said(&[]), "answers no HTTP: it exports nothing");
        let exports = ["a:b/run".to_owned(), "c".to_owned()];
        assert_eq!(said(&exports), "answers no HTTP: it exports `a:b/run`, `c`");
    }
}
