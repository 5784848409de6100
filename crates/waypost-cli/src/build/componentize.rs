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

/// Makes a component of the world `wasi:http/proxy` of a core module, where it does not lie there already.
///
/// # Errors
///
/// When the module has no description of its world in it, or imports what that world has not.
pub(super) fn componentize(module: &Path, component: &Path) -> anyhow::Result<()> {
    if is_newer(component, module) {
        return Ok(());
    }
    let bytes =
        std::fs::read(module).with_context(|| format!("cannot read `{}`", module.display()))?;
    let bytes = encode(&bytes)
        .with_context(|| format!("cannot make a component of `{}`", module.display()))?;
    let folder = component.parent().unwrap_or(component);
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(component, bytes))
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

fn is_newer(file: &Path, than: &Path) -> bool {
    let modified = |file: &Path| file.metadata().and_then(|metadata| metadata.modified());
    matches!((modified(file), modified(than)), (Ok(file), Ok(than)) if file > than)
}
