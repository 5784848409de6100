//! A component that provides the imports of Rust's standard library that plain WASI HTTP lacks.
//!
//! Its environment has the variables of `spin.toml` and no others. There are no arguments and no terminal; an exit is
//! a trap; and the seeds of hash maps come from `wasi:random`, which hosts of WASI HTTP offer.

use crate::environment::{Environment, wat_string};
use crate::serve::is_candidate;

/// The text of the stub. `VERSION` is replaced by the version of its interfaces; `PAGES`, `DATA` and `LIST` by its
/// environment.
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

/// Returns the version of the stub that an import needs, such as `0.2.6` for `wasi:cli/exit@0.2.6`, or `None` if the
/// stub does not provide it.
pub(super) fn version_for(import: &str) -> Option<&str> {
    let (interface, version) = import.strip_prefix("wasi:")?.split_once('@')?;
    let is_released = version.starts_with("0.2.") && !is_candidate(import);
    let is_stubbed = INTERFACES.contains(&interface) && is_released;
    is_stubbed.then_some(version)
}

/// Returns whether an import is the interface for environment variables.
pub(super) fn is_environment(import: &str) -> bool {
    import.starts_with("wasi:cli/environment@")
}

/// Returns the stub for one version of its interfaces.
///
/// # Errors
///
/// When `version` is not a valid version.
pub(super) fn component(version: &str, environment: &Environment) -> Result<Vec<u8>, wat::Error> {
    let data = data(environment);
    let text = TEXT
        .replace("VERSION", version)
        .replace("PAGES", &(1 + (LIST + data.len()) / PAGE).to_string())
        .replace("LIST", &LIST.to_string());
    wat::parse_str(text.replace("DATA", &wat_string(&data)))
}

/// The address of the environment in the stub's memory.
const LIST: usize = 32;
/// The size of a page of memory, in bytes.
const PAGE: usize = 65_536;
/// The size of the reference to a list or a string, in bytes: its address and its length.
const NAMED: usize = 8;

/// Returns an environment in the layout of the canonical ABI for `list<tuple<string, string>>`: the reference to the
/// list, the list, and the strings.
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

#[expect(
    clippy::expect_used,
    reason = "the environment is part of `spin.toml`, which has less than 4 GiB"
)]
fn named(place: usize, length: usize) -> [u8; NAMED] {
    let word = |number: usize| u32::try_from(number).expect("the environment has less than 4 GiB");
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
