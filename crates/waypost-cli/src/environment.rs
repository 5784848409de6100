//! The environment that components of a composition get: what `spin.toml` says, as it is written there.

use std::collections::BTreeMap;

/// The variables of one component.
pub type Environment = BTreeMap<String, String>;

/// The variables of each component that has some, by its id.
pub type Environments = BTreeMap<String, Environment>;

/// Writes bytes as the string of a WAT data segment: every byte by its number, so that none has a meaning.
pub(crate) fn wat_string(bytes: &[u8]) -> String {
    let escaped = bytes.iter().map(|byte| format!("\\{byte:02x}"));
    format!("\"{}\"", escaped.collect::<String>())
}
