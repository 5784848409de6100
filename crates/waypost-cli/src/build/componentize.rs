//! Makes a component for WASI 0.2 of a core module for `wasm32-wasip1`.
//!
//! The linker of `wasm32-wasip2` makes components. For the older target this is done here, as `cargo component build`
//! does it.

use std::path::Path;

use anyhow::Context as _;
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_PROXY_ADAPTER,
};
use wit_component::ComponentEncoder;

use waypost_config::read_file;

use super::{artefact, preview1};
use crate::environment::Environment;
use crate::serve::MAX_COMPONENT;

/// Makes a component for the world `wasi:http/proxy`, and puts its environment into it.
///
/// # Errors
///
/// When the module has no description of its world, or imports something outside it.
pub(super) fn componentize(
    module: &Path,
    component: &Path,
    environment: &Environment,
) -> anyhow::Result<()> {
    let bytes = read_file(module, MAX_COMPONENT)
        .with_context(|| format!("cannot read `{}`", module.display()))?;
    let bytes = encode(bytes, environment)
        .with_context(|| format!("cannot make a component from `{}`", module.display()))?;
    artefact::write(component, &bytes)
        .with_context(|| format!("cannot write `{}`", component.display()))
}

fn encode(mut module: Vec<u8>, environment: &Environment) -> anyhow::Result<Vec<u8>> {
    let has_environment = !environment.is_empty() && preview1::redirect(&mut module)?;
    let adapter = WASI_SNAPSHOT_PREVIEW1_PROXY_ADAPTER;
    let mut encoder = ComponentEncoder::default()
        .module(&module)?
        .adapter(WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, adapter)?;
    if has_environment {
        encoder = encoder.adapter(preview1::ADAPTER, &preview1::adapter(environment)?)?;
    }
    encoder.validate(true).encode()
}
