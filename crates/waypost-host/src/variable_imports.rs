//! Spin's variables, for guests: `spin:variables/variables@3.0.0` and `fermyon:spin/variables@2.0.0`.

use crate::bindings::fermyon::spin::variables as spin2;
use crate::bindings::spin::variables::variables as spin3;
use crate::grants::Grants;
use crate::instance::InstanceState;
use wasmtime::component::{Accessor, HasSelf};

/// Why a component does not get the value of a variable.
enum Refusal {
    InvalidName(String),
    Undefined(String),
}

/// Looks a variable of a component up. Names are as in a manifest: lowercase letters, digits and single
/// underscores, a letter first.
fn lookup(grants: &Grants, name: &str) -> Result<String, Refusal> {
    match grants.variables.get(name) {
        Some(value) => Ok(value.expose().to_owned()),
        None if is_name(name) => Err(Refusal::Undefined(format!(
            "component `{}` has no variable `{name}`; add it below `[component.{}.variables]` in `spin.toml`",
            grants.id, grants.id
        ))),
        None => Err(Refusal::InvalidName(format!(
            "`{name}` is no variable name: lowercase letters, digits and underscores"
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

impl spin2::Host for InstanceState {
    async fn get(&mut self, name: String) -> wasmtime::Result<Result<String, spin2::Error>> {
        Ok(lookup(&self.grants, &name).map_err(spin2::Error::from))
    }
}

impl spin3::Host for InstanceState {}

impl<T: Send> spin3::HostWithStore<T> for HasSelf<InstanceState> {
    async fn get(
        accessor: &Accessor<T, Self>,
        name: String,
    ) -> wasmtime::Result<Result<String, spin3::Error>> {
        Ok(accessor
            .with(|mut access| lookup(&access.get().grants, &name).map_err(spin3::Error::from)))
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
