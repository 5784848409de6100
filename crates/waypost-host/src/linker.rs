//! What components are linked to.

use crate::bindings::Imports;
use crate::instance::InstanceState;
use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Engine, Result};

/// Links everything that the host offers. What a component may do with it is decided by its grants:
/// WASI's sockets, for one, are there for programs that merely mention them, and refuse every address.
///
/// # Errors
///
/// When two definitions clash, which is a fault of this crate.
pub(crate) fn build(engine: &Engine) -> Result<Linker<InstanceState>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
    Imports::add_to_linker::<_, HasSelf<InstanceState>>(&mut linker, |state| state)?;
    Ok(linker)
}
