//! The interfaces of Spin for variables: `spin:variables/variables@3.0.0` and `fermyon:spin/variables@2.0.0`.

use super::bindings::fermyon::spin::variables as spin2;
use super::bindings::spin::variables::variables as spin3;
use super::imports::ImportState;
use wasmtime::component::{Accessor, HasSelf};

/// Why a component does not get the value of a variable.
enum Refusal {
    InvalidName(String),
    Undefined(String),
}

/// Looks up a variable of a component. Names are as in a manifest: lowercase letters, digits and single underscores, a
/// letter first.
fn lookup(imports: &ImportState, name: &str) -> Result<String, Refusal> {
    let id = &imports.labels.component;
    match imports.permissions.variables.get(name) {
        Some(value) => Ok(value.expose().to_owned()),
        None if is_name(name) => Err(Refusal::Undefined(format!(
            "component `{id}` has no variable `{name}`; add it below `[component.{id}.variables]` in `spin.toml`"
        ))),
        None => Err(Refusal::InvalidName(format!(
            "`{name}` is not a valid variable name: use lowercase letters, digits and underscores"
        ))),
    }
}

fn is_name(name: &str) -> bool {
    let word = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name.split('_').all(word)
}

impl From<Refusal> for spin2::Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::InvalidName(message) => Self::InvalidName(message),
            Refusal::Undefined(message) => Self::Undefined(message),
        }
    }
}

impl From<Refusal> for spin3::Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::InvalidName(message) => Self::InvalidName(message),
            Refusal::Undefined(message) => Self::Undefined(message),
        }
    }
}

impl spin2::Host for ImportState {
    async fn get(&mut self, name: String) -> wasmtime::Result<Result<String, spin2::Error>> {
        Ok(lookup(self, &name).map_err(spin2::Error::from))
    }
}

impl spin3::Host for ImportState {}

impl<T: Send> spin3::HostWithStore<T> for HasSelf<ImportState> {
    async fn get(
        accessor: &Accessor<T, Self>,
        name: String,
    ) -> wasmtime::Result<Result<String, spin3::Error>> {
        Ok(accessor.with(|mut access| lookup(access.get(), &name).map_err(spin3::Error::from)))
    }
}

#[cfg(test)]
mod tests {
    use super::is_name;

    #[test]
    fn names_are_those_of_a_manifest() {
        for name in ["a", "api_key", "a1_b2"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "A", "1a", "_a", "a_", "a__b", "a-b", "a b"] {
            assert!(!is_name(name), "{name}");
        }
    }
}
