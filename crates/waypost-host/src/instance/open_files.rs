//! Counts the files that guests open with WASI's functions.

use super::state::InstanceState;
use crate::wasi::files::Places;
use wasmtime::component::{Accessor, Linker, Resource};
use wasmtime::{Result, StoreContextMut};
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystem, WasiFilesystemView};
use wasmtime_wasi::p2::bindings::filesystem::types as p2;
use wasmtime_wasi::p3::bindings::filesystem::types as p3;

impl InstanceState {
    fn keep_file(&mut self, descriptor: &Resource<Descriptor>, places: Places) -> Result<()> {
        let descriptor = self.filesystem().table.get(descriptor)?.clone();
        self.files.keep(&descriptor, places);
        Ok(())
    }
}

/// Replaces the functions that open files by those that count. They must be in the linker, which must allow it.
///
/// # Errors
///
/// When a function does not fit, which is a bug of this crate.
pub(crate) fn add_to_linker(linker: &mut Linker<InstanceState>) -> Result<()> {
    let mut types = linker.instance("wasi:filesystem/types@0.2.12")?;
    types.func_wrap_async(
        "[method]descriptor.open-at",
        |store, (folder, lookup, path, how, flags)| {
            Box::new(async move { Ok((open_p2(store, folder, lookup, path, how, flags).await?,)) })
        },
    )?;
    let mut types = linker.instance("wasi:filesystem/types@0.3.0")?;
    types.func_wrap_concurrent(
        "[method]descriptor.open-at",
        |accessor, (folder, lookup, path, how, flags)| {
            Box::pin(
                async move { Ok((open_p3(accessor, folder, lookup, path, how, flags).await?,)) },
            )
        },
    )?;
    Ok(())
}

async fn open_p2(
    mut store: StoreContextMut<'_, InstanceState>,
    folder: Resource<Descriptor>,
    lookup: p2::PathFlags,
    path: String,
    how: p2::OpenFlags,
    flags: p2::DescriptorFlags,
) -> Result<std::result::Result<Resource<Descriptor>, p2::ErrorCode>> {
    let state = store.data_mut();
    let Some(places) = state.files.enter() else {
        return Ok(Err(p2::ErrorCode::Quota));
    };
    let mut view = state.filesystem();
    match p2::HostDescriptor::open_at(&mut view, folder, lookup, path, how, flags).await {
        Ok(opened) => {
            state.keep_file(&opened, places)?;
            Ok(Ok(opened))
        }
        Err(error) => Ok(Err(p2::Host::convert_error_code(&mut view, error)?)),
    }
}

async fn open_p3(
    accessor: &Accessor<InstanceState>,
    folder: Resource<Descriptor>,
    lookup: p3::PathFlags,
    path: String,
    how: p3::OpenFlags,
    flags: p3::DescriptorFlags,
) -> Result<std::result::Result<Resource<Descriptor>, p3::ErrorCode>> {
    let places = accessor.with(|mut access| access.get().files.enter());
    let Some(places) = places else {
        return Ok(Err(p3::ErrorCode::Quota));
    };
    let files = accessor.with_getter::<WasiFilesystem>(WasiFilesystemView::filesystem);
    let opened = <WasiFilesystem as p3::HostDescriptorWithStore<InstanceState>>::open_at(
        &files, folder, lookup, path, how, flags,
    );
    match opened.await {
        Ok(opened) => accessor.with(|mut access| {
            access.get().keep_file(&opened, places)?;
            Ok(Ok(opened))
        }),
        Err(error) => accessor.with(|mut access| {
            let mut view = access.get().filesystem();
            Ok(Err(p3::Host::convert_error_code(&mut view, error)?))
        }),
    }
}
