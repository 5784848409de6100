//! The interfaces that the host offers to components, by name.
//!
//! A linker does not tell what it holds, and reports only the first import that it lacks; with this list
//! a component's owner reads them all at once. A test holds it against the linker.

/// Interfaces of packages that come in one version.
const SPIN: [&str; 4] = [
    "fermyon:spin/key-value@2.0.0",
    "fermyon:spin/variables@2.0.0",
    "spin:key-value/key-value@3.0.0",
    "spin:variables/variables@3.0.0",
];

/// Interfaces of WASI 0.2.
const WASI_0_2: [&str; 29] = [
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:http/outgoing-handler",
    "wasi:http/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
    "wasi:sockets/instance-network",
    "wasi:sockets/ip-name-lookup",
    "wasi:sockets/network",
    "wasi:sockets/tcp",
    "wasi:sockets/tcp-create-socket",
    "wasi:sockets/udp",
    "wasi:sockets/udp-create-socket",
];

/// Interfaces of WASI 0.3.
const WASI_0_3: [&str; 23] = [
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:cli/types",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/system-clock",
    "wasi:clocks/types",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:http/client",
    "wasi:http/types",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
    "wasi:sockets/ip-name-lookup",
    "wasi:sockets/types",
];

/// Tells whether this host offers an interface that a component imports, `wasi:http/types@0.3.0` say. Any patch version of WASI is, as the linker takes them for each other.
pub fn is_offered(import: &str) -> bool {
    match import.split_once('@') {
        // A host of WASI 0.3.0 does not have the candidates that came before it.
        _ if is_candidate(import) => false,
        Some((name, version)) if version.starts_with("0.2.") => WASI_0_2.contains(&name),
        Some((name, version)) if version.starts_with("0.3.") => WASI_0_3.contains(&name),
        Some(_) => SPIN.contains(&import),
        None => false,
    }
}

/// Tells whether an interface is of a release candidate, which is a version of its own:
/// `wasi:http/types@0.3.0-rc-2026-03-15` is not `wasi:http/types@0.3.0`.
pub fn is_candidate(interface: &str) -> bool {
    let version = interface.split_once('@').map(|(_, version)| version);
    version.is_some_and(|version| version.contains('-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmtime::component::Component;
    use wasmtime::{Config, Engine};

    fn linked(imports: impl Iterator<Item = String>) {
        let mut config = Config::new();
        config.wasm_component_model_async(true);
        let engine = Engine::new(&config).expect("the configuration is valid");
        let linker = crate::instance::linker::build(&engine).expect("the definitions do not clash");
        for import in imports {
            assert!(is_offered(&import), "{import}");
            let text = format!("(component (import \"{import}\" (instance)))");
            let bytes = wat::parse_str(text).expect("the text is a component");
            let component = Component::new(&engine, bytes).expect("the bytes are a component");
            linker
                .instantiate_pre(&component)
                .map(drop)
                .expect("the linker holds what is offered");
        }
    }

    #[test]
    fn what_is_offered_is_linked() {
        linked(SPIN.iter().map(ToString::to_string));
        linked(WASI_0_2.iter().map(|name| format!("{name}@0.2.0")));
        linked(WASI_0_3.iter().map(|name| format!("{name}@0.3.0")));
    }

    #[test]
    fn a_candidate_is_known_by_its_version_alone() {
        assert!(is_candidate("wasi:http/types@0.3.0-rc-2026-03-15"));
        assert!(is_candidate("wasi:cli/exit@0.2.0-rc-1"));
        assert!(!is_candidate("wasi:clocks/monotonic-clock@0.3.0"));
        assert!(!is_candidate("route-a"));
    }

    #[test]
    fn other_interfaces_are_not_offered() {
        for import in [
            "wasi:nn/graph@0.2.0",
            "wasi:http/types@0.1.0",
            "wasi:http/types@0.3.0-rc-2026-03-15",
            "spin:redis/redis@3.0.0",
            "plain",
        ] {
            assert!(!is_offered(import), "{import}");
        }
    }
}
