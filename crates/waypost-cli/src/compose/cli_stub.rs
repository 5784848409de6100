//! A component that stands in for what Rust's standard library imports and plain WASI HTTP lacks.
//!
//! There are no variables, no arguments and no terminal; an exit is a trap; and the seeds of hash maps come
//! from `wasi:random`, which hosts of WASI HTTP do offer.

/// The text of the stub; `VERSION` is that of its interfaces.
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
    let is_stubbed = INTERFACES.contains(&interface) && version.starts_with("0.2.");
    is_stubbed.then_some(version)
}

/// Makes the stub for one version of its interfaces.
///
/// # Errors
///
/// When `version` is not a version.
pub(super) fn component(version: &str) -> Result<Vec<u8>, wat::Error> {
    wat::parse_str(TEXT.replace("VERSION", version))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::anatomy::Anatomy;

    #[test]
    fn the_stub_exports_what_it_says() {
        let stub = Anatomy::parse(&component("0.2.6").unwrap()).unwrap();
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
