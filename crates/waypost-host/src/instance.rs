//! What the store of one instance holds.

use crate::app::App;
use crate::context::CurrentRequest;
use crate::cpu::CpuMeter;
use crate::grants::Grants;
use crate::memory::MemoryLimit;
use crate::metrics::Bound;
use crate::outgoing::Outgoing;
use crate::spin::Entrance;
use std::sync::{Arc, Weak};
use wasmtime::component::ResourceTable;
use wasmtime::{Engine, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

/// Host side of an instance: its resources, its capabilities and its limits.
pub(crate) struct InstanceState {
    pub(crate) table: ResourceTable,
    pub(crate) grants: Arc<Grants>,
    pub(crate) current: Arc<CurrentRequest>,
    pub(crate) memory: MemoryLimit,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outgoing: Outgoing,
    entrance: Entrance,
}

impl InstanceState {
    /// Makes the store of a new instance, its limits in place.
    ///
    /// # Errors
    ///
    /// When a mounted folder cannot be opened.
    pub(crate) fn store(
        engine: &Engine,
        grants: &Arc<Grants>,
        app: &Weak<App>,
        meter: Arc<CpuMeter>,
    ) -> wasmtime::Result<Store<Self>> {
        let current = Arc::new(CurrentRequest::new());
        let state = Self {
            table: ResourceTable::new(),
            wasi: grants.wasi(&current)?,
            http: WasiHttpCtx::new(),
            memory: MemoryLimit::new(grants.limits.memory),
            outgoing: Outgoing::new(Weak::clone(app), Arc::clone(grants), Arc::clone(&current)),
            entrance: Entrance,
            grants: Arc::clone(grants),
            current,
        };
        let mut store = Store::new(engine, state);
        store.limiter(|state| &mut state.memory);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(move |store| {
            let ended = meter.epoch_ended();
            if ended.is_err() {
                store.data().grants.metrics.over(Bound::CpuTime);
            }
            ended
        });
        Ok(store)
    }

    /// The way of a request into the component, in the manner of Spin.
    pub(crate) fn http_on_spin(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            ctx: &mut self.http,
            table: &mut self.table,
            hooks: &mut self.entrance,
        }
    }
}

impl WasiView for InstanceState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for InstanceState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            ctx: &mut self.http,
            table: &mut self.table,
            hooks: &mut self.outgoing,
        }
    }
}
