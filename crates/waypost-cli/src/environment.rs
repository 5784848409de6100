//! The environment variables of the components of a composition, as `spin.toml` has them.

use std::collections::BTreeMap;

/// The variables of one component.
pub type Environment = BTreeMap<String, String>;

/// The variables of each component that has some, by id.
pub type Environments = BTreeMap<String, Environment>;

/// Returns bytes as the string of a WAT data segment, with every byte escaped.
pub(crate) fn wat_string(bytes: &[u8]) -> String {
    let escaped = bytes.iter().map(|byte| format!("\\{byte:02x}"));
    format!("\"{}\"", escaped.collect::<String>())
}
