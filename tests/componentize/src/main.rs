//! Makes a WASI 0.2 component of a core module that was built for `wasm32-wasip1`: `componentize IN OUT`.

use anyhow::Context as _;
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wit_component::ComponentEncoder;

fn main() -> anyhow::Result<()> {
    let mut files = std::env::args_os().skip(1);
    let (module, component) = files
        .next()
        .zip(files.next())
        .context("usage: componentize IN OUT")?;
    let name = WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME;
    let bytes = ComponentEncoder::default()
        .module(&std::fs::read(&module)?)?
        .adapter(name, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER)?
        .validate(true)
        .encode()?;
    Ok(std::fs::write(component, bytes)?)
}
