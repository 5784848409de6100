//! The environment variables of a core module for `wasm32-wasip1`.
//!
//! WASI's adapter for `wasi:http/proxy` provides no variables, because that world has none. A module with variables
//! gets them from an adapter made here, which writes them into its memory.

use wasmparser::{BinaryReaderError, Parser, Payload};

use crate::environment::Environment;

/// The module name of WASI's imports, and below the one that replaces it for the two functions of the environment.
/// Both have the same length, so that nothing else in the module moves.
const WASI: &str = "wasi_snapshot_preview1";
/// The module name of the adapter made here.
pub(super) const ADAPTER: &str = "waypost_environment_v1";
const FUNCTIONS: [&str; 2] = ["environ_get", "environ_sizes_get"];

/// Makes a module import its environment from the adapter. Returns whether it imports an environment at all.
///
/// # Errors
///
/// When the bytes are not a module.
pub(super) fn redirect(module: &mut [u8]) -> Result<bool, BinaryReaderError> {
    let places = places(module)?;
    for place in &places {
        module[*place..][..ADAPTER.len()].copy_from_slice(ADAPTER.as_bytes());
    }
    Ok(!places.is_empty())
}

/// Returns the offsets of the module names in the imports of the environment's functions.
fn places(module: &[u8]) -> Result<Vec<usize>, BinaryReaderError> {
    let mut places = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::ImportSection(imports) = payload? {
            for import in imports.into_imports() {
                let import = import?;
                if import.module == WASI && FUNCTIONS.contains(&import.name) {
                    // The name is a slice of the module.
                    places.push(import.module.as_ptr().addr() - module.as_ptr().addr());
                }
            }
        }
    }
    Ok(places)
}

/// Returns the adapter for an environment.
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
