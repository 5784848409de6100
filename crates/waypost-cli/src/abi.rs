//! The two versions of WASI HTTP that components are made for.

use std::fmt;

use clap::ValueEnum;

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

    /// Tells the version by what a component exports; none where it answers no HTTP.
    pub fn of(exports: &[String]) -> Option<Abi> {
        let exports = |abi: &Abi| exports.iter().any(|name| abi.is_handler(name));
        Abi::ALL.into_iter().rev().find(exports)
    }

    /// Tells whether an interface, as `wasi:http/handler@0.3.0`, is the one that answers requests.
    pub fn is_handler(self, interface: &str) -> bool {
        let begin = match self {
            Abi::Wasi02 => "wasi:http/incoming-handler@0.2.",
            Abi::Wasi03 => "wasi:http/handler@0.3.",
        };
        interface.starts_with(begin) && !is_candidate(interface)
    }

    /// Gives the interface by which a component answers HTTP, where that is of a release candidate of WASI.
    pub fn candidate(exports: &[String]) -> Option<&str> {
        let handlers = ["wasi:http/incoming-handler@", "wasi:http/handler@"];
        let is_handler = |name: &&String| handlers.iter().any(|begin| name.starts_with(begin));
        let mut found = exports.iter().filter(is_handler).map(String::as_str);
        found.find(|name| is_candidate(name))
    }

    /// The Rust target whose components have it.
    pub fn target(self) -> &'static str {
        match self {
            Abi::Wasi02 => "wasm32-wasip1",
            Abi::Wasi03 => "wasm32-wasip2",
        }
    }
}

impl fmt::Display for Abi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Abi::Wasi02 => "WASI 0.2",
            Abi::Wasi03 => "WASI 0.3",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Abi;

    #[test]
    fn a_release_candidate_is_another_version() {
        let exports = |name: &str| [name.to_owned()];
        let candidate = exports("wasi:http/handler@0.3.0-rc-2026-03-15");
        assert_eq!(Abi::of(&candidate), None);
        assert_eq!(Abi::candidate(&candidate), Some(candidate[0].as_str()));
        let released = exports("wasi:http/handler@0.3.1");
        assert_eq!(Abi::of(&released), Some(Abi::Wasi03));
        assert_eq!(Abi::candidate(&released), None);
    }
}
