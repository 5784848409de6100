//! A component that stands in for what Rust's standard library imports and plain WASI HTTP lacks.
//!
//! There are no variables but those of `spin.toml`, no arguments and no terminal; an exit is a trap; and the seeds of hash maps come
//! from `wasi:random`, which hosts of WASI HTTP do offer.

use crate::environment::{Environment, wat_string};
use crate::host::is_candidate;

/// The text of the stub; `VERSION` is that of its interfaces, `PAGES`, `DATA` and `LIST` are its environment.
const TEXT: &str = include_str!("cli_stub.wat");

/// The interfaces that it exports.
const INTERFACES: [&str; 8] = [
    "cli/environment",
    "cli/exit",
    "cli/terminal-input",
    "cli/terminal-output",
    "cli/terminal-stderr",
    "cli/terminal-stdin",
    "cli/terminal-stdout",
    "random/insecure-seed",
];

/// Tells which version of the stub an import needs, if it is one that the stub satisfies: `0.2.6` for
/// `wasi:cli/exit@0.2.6`.
pub(super) fn version_for(import: &str) -> Option<&str> {
    let (interface, version) = import.strip_prefix("wasi:")?.split_once('@')?;
    let is_released = version.starts_with("0.2.") && !is_candidate(import);
    let is_stubbed = INTERFACES.contains(&interface) && is_released;
    is_stubbed.then_some(version)
}

/// Tells whether an import is of the interface that an environment is told by.
pub(super) fn is_environment(import: &str) -> bool {
    import.starts_with("wasi:cli/environment@")
}

/// Makes the stub for one version of its interfaces.
///
/// # Errors
///
/// When `version` is not a version.
pub(super) fn component(version: &str, environment: &Environment) -> Result<Vec<u8>, wat::Error> {
    let data = data(environment);
    let text = TEXT
        .replace("VERSION", version)
        .replace("PAGES", &(1 + (LIST + data.len()) / PAGE).to_string())
        .replace("LIST", &LIST.to_string());
    wat::parse_str(text.replace("DATA", &wat_string(&data)))
}

/// Where the environment begins in the stub's memory.
const LIST: usize = 32;
/// How many bytes a page of memory has.
const PAGE: usize = 65_536;
/// How many bytes a list, or a string, takes where it is named: its address and its length.
const NAMED: usize = 8;

/// Lays out an environment as the canonical ABI has `list<tuple<string, string>>`: where the list is, the list, and
/// the strings.
fn data(environment: &Environment) -> Vec<u8> {
    let strings: Vec<&String> = environment.iter().flat_map(<[&String; 2]>::from).collect();
    let mut data = named(LIST + NAMED, environment.len()).to_vec();
    let mut place = LIST + NAMED * (1 + strings.len());
    for string in &strings {
        data.extend(named(place, string.len()));
        place += string.len();
    }
    data.extend(strings.iter().flat_map(|string| string.bytes()));
    data
}

fn named(place: usize, length: usize) -> [u8; NAMED] {
    let word = |number: usize| u32::try_from(number).expect("a manifest has less than 4 GiB");
    let (place, length) = (word(place).to_le_bytes(), word(length).to_le_bytes());
    let mut bytes = [0; NAMED];
    bytes[..4].copy_from_slice(&place);
    bytes[4..].copy_from_slice(&length);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::anatomy::Anatomy;

    #[test]
    fn the_stub_exports_what_it_says() {
        let stub = Anatomy::parse(&component("0.2.6", &Environment::new()).unwrap()).unwrap();
        let mut exports = stub.exports;
        exports.sort();
        assert_eq!(
            exports,
            INTERFACES.map(|interface| format!("wasi:{interface}@0.2.6"))
        );
        assert_eq!(stub.imports, ["wasi:random/random@0.2.6"]);
    }

    #[test]
    fn other_imports_are_left_to_the_host() {
        assert_eq!(version_for("wasi:cli/exit@0.2.3"), Some("0.2.3"));
        for import in [
            "wasi:cli/stdout@0.2.6",
            "wasi:cli/exit@0.3.0",
            "wasi:cli/exit",
            "spin:cli/exit@0.2.0",
        ] {
            assert_eq!(version_for(import), None, "{import}");
        }
    }
}
