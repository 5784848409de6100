//! From a core module of `wasm32-wasip1` to a component of WASI 0.2.
//!
//! `wasm32-wasip2` has a linker that makes components; for the older target this is done here, as
//! `cargo component build` does it.

use std::path::Path;

use anyhow::Context as _;
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_PROXY_ADAPTER,
};
use wit_component::ComponentEncoder;

use super::artefact;

/// Makes a component of the world `wasi:http/proxy` of a core module.
///
/// # Errors
///
/// When the module has no description of its world in it, or imports what that world has not.
pub(super) fn componentize(module: &Path, component: &Path) -> anyhow::Result<()> {
    let bytes =
        std::fs::read(module).with_context(|| format!("cannot read `{}`", module.display()))?;
    let bytes = encode(&bytes)
        .with_context(|| format!("cannot make a component of `{}`", module.display()))?;
    artefact::write(component, &bytes)
        .with_context(|| format!("cannot write `{}`", component.display()))
}

fn encode(module: &[u8]) -> anyhow::Result<Vec<u8>> {
    let adapter = WASI_SNAPSHOT_PREVIEW1_PROXY_ADAPTER;
    ComponentEncoder::default()
        .module(module)?
        .adapter(WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, adapter)?
        .validate(true)
        .encode()
}
