//! The two versions of WASI HTTP for which components are made.

use std::fmt;

use clap::ValueEnum;
use thiserror::Error;

use crate::serve::is_candidate;

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
    /// Both versions, the older first.
    pub const ALL: [Abi; 2] = [Abi::Wasi02, Abi::Wasi03];

    /// Returns the version whose handler a component exports.
    ///
    /// # Errors
    ///
    /// When it exports no handler that a host can call.
    pub fn of(exports: &[String]) -> Result<Abi, NoHandler> {
        let has = |abi: &Abi| exports.iter().any(|name| abi.is_handler(name));
        let found = Abi::ALL.into_iter().rev().find(has);
        found.ok_or_else(|| match candidate(exports) {
            Some(name) => NoHandler::Candidate(name.to_owned()),
            None => NoHandler::Other(exports.to_owned()),
        })
    }

    /// Returns whether an interface, such as `wasi:http/handler@0.3.0`, handles requests.
    pub fn is_handler(self, interface: &str) -> bool {
        let begin = match self {
            Abi::Wasi02 => "wasi:http/incoming-handler@0.2.",
            Abi::Wasi03 => "wasi:http/handler@0.3.",
        };
        interface.starts_with(begin) && !is_candidate(interface)
    }

    /// Returns its number, as `--wasi` takes it.
    pub fn version(self) -> &'static str {
        match self {
            Abi::Wasi02 => "0.2",
            Abi::Wasi03 => "0.3",
        }
    }

    /// Returns the Rust target that compiles components for it.
    pub fn target(self) -> &'static str {
        match self {
            Abi::Wasi02 => "wasm32-wasip1",
            Abi::Wasi03 => "wasm32-wasip2",
        }
    }
}

/// Why a component does not handle HTTP. The text follows the name of the component.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoHandler {
    /// It exports this interface of a release candidate of WASI.
    #[error("is built for a release candidate of WASI: it exports `{0}`")]
    Candidate(String),
    /// It exports these other names, or nothing.
    #[error("does not handle HTTP: it exports {}", list(.0))]
    Other(Vec<String>),
}

impl NoHandler {
    /// Returns advice; `other` is the advice for a component without any interface of WASI HTTP.
    pub fn hint(&self, other: &'static str) -> &'static str {
        match self {
            NoHandler::Candidate(_) => {
                "build it with a version of its tool that makes components of WASI 0.3.0, or of WASI 0.2"
            }
            NoHandler::Other(_) => other,
        }
    }
}

/// Returns the handler of a release candidate, if the component exports one.
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
    fn the_error_names_the_exports() {
        let said = |exports: &[String]| Abi::of(exports).unwrap_err().to_string();
        assert_eq!(said(&[]), "does not handle HTTP: it exports nothing");
        let exports = ["a:b/run".to_owned(), "c".to_owned()];
        assert_eq!(
            said(&exports),
            "does not handle HTTP: it exports `a:b/run`, `c`"
        );
    }
}
