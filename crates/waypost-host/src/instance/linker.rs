//! Links components to the interfaces of the host.

use super::methods;
use super::open_files;
use super::state::InstanceState;
use crate::wasi::bindings::Imports;
use crate::wasi::imports::ImportState;
use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Engine, Result};

/// Makes a linker with every interface that the host offers. What a component may do with them depends on its permissions:
/// the sockets of WASI, for one, are there for programs that merely import them, and refuse every address.
///
/// # Errors
///
/// When two definitions clash, which is a bug of this crate.
pub(crate) fn build(engine: &Engine) -> Result<Linker<InstanceState>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
    linker.allow_shadowing(true);
    methods::add_to_linker(&mut linker)?;
    open_files::add_to_linker(&mut linker)?;
    linker.allow_shadowing(false);
    Imports::add_to_linker::<_, HasSelf<ImportState>>(&mut linker, |state: &mut InstanceState| {
        &mut state.imports
    })?;
    Ok(linker)
}
