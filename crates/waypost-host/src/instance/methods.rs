//! Bounds the method of a request that a guest makes: the host keeps the name, however long it is.

use super::state::InstanceState;
use wasmtime::component::{Linker, Resource};
use wasmtime::{Result, StoreContextMut};
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::p2::bindings::http::types as p2;
use wasmtime_wasi_http::p3::bindings::http::types as p3;

/// The most bytes of a name. The registered ones have up to 17 (RFC 9110, section 16.1.2).
const LONGEST: usize = 64;

type Set = Result<(std::result::Result<(), ()>,)>;

/// Replaces the functions that set a method by those that refuse long ones. They must be in the linker, which must allow it.
///
/// # Errors
///
/// When a function does not fit, which is a bug of this crate.
pub(crate) fn add_to_linker(linker: &mut Linker<InstanceState>) -> Result<()> {
    let mut types = linker.instance("wasi:http/types@0.2.12")?;
    types.func_wrap("[method]outgoing-request.set-method", set_p2)?;
    let mut types = linker.instance("wasi:http/types@0.3.0")?;
    types.func_wrap("[method]request.set-method", set_p3)?;
    Ok(())
}

fn set_p2(
    mut store: StoreContextMut<'_, InstanceState>,
    (request, method): (Resource<p2::OutgoingRequest>, p2::Method),
) -> Set {
    if matches!(&method, p2::Method::Other(name) if name.len() > LONGEST) {
        return Ok((Err(()),));
    }
    let mut view = store.data_mut().http();
    Ok((p2::HostOutgoingRequest::set_method(
        &mut view, request, method,
    )?,))
}

fn set_p3(
    mut store: StoreContextMut<'_, InstanceState>,
    (request, method): (Resource<p3::Request>, p3::Method),
) -> Set {
    if matches!(&method, p3::Method::Other(name) if name.len() > LONGEST) {
        return Ok((Err(()),));
    }
    let mut view = store.data_mut().http();
    Ok((p3::HostRequest::set_method(&mut view, request, method)?,))
}
