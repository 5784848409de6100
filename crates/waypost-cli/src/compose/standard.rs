//! The interfaces that every host of WASI HTTP offers.

use super::cli_stub;
use crate::serve::is_candidate;

/// The imports of the world `wasi:http/proxy` of WASI 0.2.
const WASI_0_2: [&str; 11] = [
    "cli/stderr",
    "cli/stdin",
    "cli/stdout",
    "clocks/monotonic-clock",
    "clocks/wall-clock",
    "http/outgoing-handler",
    "http/types",
    "io/error",
    "io/poll",
    "io/streams",
    "random/random",
];

/// The imports of the world `wasi:http/service` of WASI 0.3.
const WASI_0_3: [&str; 12] = [
    "cli/stderr",
    "cli/stdin",
    "cli/stdout",
    "cli/types",
    "clocks/monotonic-clock",
    "clocks/system-clock",
    "clocks/types",
    "http/client",
    "http/types",
    "random/insecure",
    "random/insecure-seed",
    "random/random",
];

/// Returns whether an import of a handler is provided, by the host or inside the composition.
pub(crate) fn is_met(import: &str) -> bool {
    let Some((interface, version)) = import
        .strip_prefix("wasi:")
        .and_then(|import| import.split_once('@'))
    else {
        return false;
    };
    let of_the_host = match version {
        _ if is_candidate(import) => false,
        version if version.starts_with("0.2.") => WASI_0_2.contains(&interface),
        version if version.starts_with("0.3.") => WASI_0_3.contains(&interface),
        _ => false,
    };
    of_the_host || cli_stub::version_for(import).is_some()
}

#[cfg(test)]
mod tests {
    use super::is_met;

    #[test]
    fn imports_are_met_unless_they_need_a_permission() {
        for import in [
            "wasi:http/types@0.3.0",
            "wasi:io/streams@0.2.6",
            "wasi:cli/environment@0.2.6",
            "wasi:random/insecure-seed@0.2.3",
        ] {
            assert!(is_met(import), "{import}");
        }
        for import in [
            "spin:key-value/key-value@3.0.0",
            "wasi:filesystem/types@0.2.6",
            "wasi:http/types@0.4.0",
            "wasi:http/types@0.3.0-rc-2026-03-15",
            "wasi:cli/exit@0.2.0-rc-1",
            "wasi:http/types",
            "route-a",
        ] {
            assert!(!is_met(import), "{import}");
        }
    }
}
