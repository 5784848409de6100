//! The environment of a core module of `wasm32-wasip1`.
//!
//! WASI's adapter for `wasi:http/proxy` tells of no variables, since that world has none. A module that shall have
//! some gets them from an adapter of its own, which writes them into its memory.

use wasmparser::{BinaryReaderError, Parser, Payload};

use crate::environment::Environment;

/// What a module imports of WASI, and what its two functions for the environment are imported from instead: a name
/// of the same length, so that nothing else in the module moves.
const WASI: &str = "wasi_snapshot_preview1";
/// The name of the adapter.
pub(super) const ADAPTER: &str = "waypost_environment_v1";
const FUNCTIONS: [&str; 2] = ["environ_get", "environ_sizes_get"];

/// Makes a module import its environment from the adapter; tells whether it imports it at all.
///
/// # Errors
///
/// When the bytes are no module.
pub(super) fn redirect(module: &mut [u8]) -> Result<bool, BinaryReaderError> {
    let places = places(module)?;
    for place in &places {
        module[*place..][..ADAPTER.len()].copy_from_slice(ADAPTER.as_bytes());
    }
    Ok(!places.is_empty())
}

/// Where the names of WASI stand that the functions of the environment are imported from.
fn places(module: &[u8]) -> Result<Vec<usize>, BinaryReaderError> {
    let mut places = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::ImportSection(imports) = payload? {
            for import in imports.into_imports() {
                let import = import?;
                if import.module == WASI && FUNCTIONS.contains(&import.name) {
                    // The name is a part of the module.
                    places.push(import.module.as_ptr().addr() - module.as_ptr().addr());
                }
            }
        }
    }
    Ok(places)
}

/// Makes the adapter for an environment.
///
/// # Errors
///
/// When it can't be assembled.
pub(super) fn adapter(environment: &Environment) -> Result<Vec<u8>, wat::Error> {
    let (mut pointers, mut bytes) = (String::new(), Vec::new());
    for (index, (name, value)) in environment.iter().enumerate() {
        let (slot, start) = (4 * index, bytes.len());
        pointers += &format!(
            "(i32.store offset={slot} (local.get 0) (i32.add (local.get 1) (i32.const {start})))\n"
        );
        bytes.extend_from_slice(format!("{name}={value}\0").as_bytes());
    }
    let (count, size) = (environment.len(), bytes.len());
    let write = |(at, byte): (usize, &u8)| {
        format!("(i32.store8 offset={at} (local.get 1) (i32.const {byte}))\n")
    };
    let writes: String = bytes.iter().enumerate().map(write).collect();
    wat::parse_str(format!(
        r#"(module
  (import "env" "memory" (memory 0))
  (func (export "environ_sizes_get") (param i32 i32) (result i32)
    (i32.store (local.get 0) (i32.const {count}))
    (i32.store (local.get 1) (i32.const {size}))
    i32.const 0)
  (func (export "environ_get") (param i32 i32) (result i32)
    {pointers}{writes}i32.const 0))"#
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_environment_is_redirected() {
        assert_eq!(WASI.len(), ADAPTER.len());
        let text = r#"(module
            (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "environ_get" (func (param i32 i32) (result i32))))"#;
        let mut module = wat::parse_str(text).unwrap();
        assert!(redirect(&mut module).unwrap());
        let expected = text.replace(
            "\"wasi_snapshot_preview1\" \"environ",
            "\"waypost_environment_v1\" \"environ",
        );
        assert_eq!(module, wat::parse_str(expected).unwrap());
        assert!(!redirect(&mut module).unwrap());
    }
}
