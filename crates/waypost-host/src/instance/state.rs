//! What the store of one instance holds.

use super::config::{InstanceConfig, Runtime};
use super::cpu::CpuMeter;
use super::lifecycle::Lifecycle;
use super::memory::{self, MemoryLimit};
use crate::compat::HostProfile;
use crate::compat::spin::AllHeaders;
use crate::instance::load::check_mount;
use crate::request::context::CurrentRequest;
use crate::wasi::client_signal::ClientSignal;
use crate::wasi::files::OpenFiles;
use crate::wasi::imports::ImportState;
use crate::wasi::logs::InstanceLog;
use crate::wasi::outgoing::Outgoing;
use std::sync::Arc;
use wasmtime::Store;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};
use waypost_cache::data::DATA_CACHE;
use waypost_cache::internal::{CACHE_VARIABLE, DRAFT_SECRET};

/// How a request gets into an instance.
pub(crate) type View = fn(&mut InstanceState) -> WasiHttpCtxView<'_>;

/// The host's side of an instance: its resources, permissions and limits.
pub(crate) struct InstanceState {
    pub(crate) config: Arc<InstanceConfig>,
    pub(crate) current: Arc<CurrentRequest>,
    pub(crate) memory: MemoryLimit,
    pub(crate) imports: ImportState,
    pub(crate) log: InstanceLog,
    pub(crate) files: OpenFiles,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outgoing: Outgoing,
    all_headers: AllHeaders,
}

impl InstanceState {
    /// Makes the store of a new instance, with its limits set.
    ///
    /// # Errors
    ///
    /// When a mounted folder cannot be opened.
    pub(crate) fn store(
        runtime: &Runtime,
        config: &Arc<InstanceConfig>,
        meter: Arc<CpuMeter>,
        lifecycle: &Arc<Lifecycle>,
    ) -> wasmtime::Result<Store<Self>> {
        let current = Arc::new(CurrentRequest::new());
        let (permissions, labels) = (&config.permissions, &config.labels);
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(memory::FIELDS_BYTES);
        let mut table = ResourceTable::new();
        table.set_max_capacity(memory::handles(config.limits.memory));
        let log = InstanceLog::new(&config.log, &current);
        let state = Self {
            wasi: wasi(config, &current, &log)?,
            log,
            files: OpenFiles::new(
                &config.log,
                &current,
                &runtime.metrics,
                [&config.files, &runtime.files],
            ),
            http,
            memory: MemoryLimit::new(
                config.limits.memory,
                Arc::clone(&config.memory),
                Arc::clone(lifecycle),
            ),
            outgoing: Outgoing::new(
                &config.outgoing,
                &current,
                config.data.as_ref().map(|data| Arc::clone(data).session()),
            ),
            imports: ImportState {
                table,
                permissions: Arc::clone(permissions),
                labels: Arc::clone(labels),
                log: Arc::clone(&config.log),
            },
            all_headers: AllHeaders,
            config: Arc::clone(config),
            current,
        };
        let mut store = Store::new(&runtime.engine, state);
        store.limiter(|state| &mut state.memory);
        memory::bound_host_objects(
            &mut store,
            config.limits.memory,
            &permissions.key_value.stores.limits,
        );
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(move |_| meter.epoch_ended());
        Ok(store)
    }

    /// Called when the guest has nothing left to do for a request, before the next one.
    pub(crate) fn request_ended(&mut self) {
        self.log.flush();
        self.files.forget_closed();
        self.outgoing.request_ended();
    }

    /// Returns how requests get into the instances of a component.
    pub(crate) fn view(profile: HostProfile) -> View {
        match profile {
            HostProfile::Waypost => Self::http,
            HostProfile::Spin => Self::http_with_all_headers,
        }
    }

    fn http_with_all_headers(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            ctx: &mut self.http,
            table: &mut self.imports.table,
            hooks: &mut self.all_headers,
        }
    }
}

/// Builds what WASI offers to an instance besides HTTP.
fn wasi(
    config: &InstanceConfig,
    current: &Arc<CurrentRequest>,
    log: &InstanceLog,
) -> wasmtime::Result<WasiCtx> {
    let mut builder = WasiCtxBuilder::new();
    builder.max_random_size(memory::RANDOM_BYTES);
    for (name, value) in &config.permissions.environment {
        // What the manifest says about the cache is for Spin, and the guest would see the first of two values.
        if !(config.is_told_of_cache && name == CACHE_VARIABLE) {
            builder.env(name, value);
        }
    }
    if let Some(secret) = &config.draft_secret {
        builder.env(DRAFT_SECRET, secret);
    }
    if config.is_told_of_cache {
        let has_data_cache = config.data.as_ref().is_some_and(|data| data.is_on());
        builder.env(
            CACHE_VARIABLE,
            if has_data_cache { DATA_CACHE } else { "1" },
        );
    }
    for mount in &config.permissions.files {
        // The folder may have been replaced since the component was loaded.
        let folder = check_mount(&config.permissions.app_root, &mount.source)?;
        builder.preopened_dir(folder, &mount.destination, FsPerms::ReadOnly)?;
    }
    if config.profile == HostProfile::Waypost {
        builder.stdin(ClientSignal::new(Arc::clone(current)));
    }
    builder
        .stdout(log.stdout.clone())
        .stderr(log.stderr.clone());
    Ok(builder.build())
}

impl WasiView for InstanceState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.imports.table,
        }
    }
}

impl WasiHttpView for InstanceState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            ctx: &mut self.http,
            table: &mut self.imports.table,
            hooks: &mut self.outgoing,
        }
    }
}
