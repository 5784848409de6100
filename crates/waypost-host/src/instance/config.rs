//! What all instances of a component have in common.

use crate::compat::HostProfile;
use crate::engine::code_cache::CodeCache;
use crate::engine::epoch::Turns;
use crate::instance::lifecycle::registry::Registry;
use crate::instance::pool::Pools;
use crate::instance::state::InstanceState;
use crate::instance::total_memory::{RouteMemory, TotalMemory};
use crate::observe::labels::Labels;
use crate::observe::metrics::Metrics;
use crate::request::admission::Admission;
use crate::wasi::dispatch::{DataCache, Dispatch};
use crate::wasi::logs::ComponentLog;
use crate::wasi::outgoing::OutgoingConfig;
use crate::wasi::permissions::Permissions;
use crate::wasi::upstream::Connections;
use std::sync::{Arc, Weak};
use wasmtime::Engine;
use wasmtime::component::Linker;
use waypost_config::settings::RouteLimits;

/// What the instances of one component need to know of it.
#[derive(Clone)]
pub(crate) struct InstanceConfig {
    pub(crate) labels: Arc<Labels>,
    pub(crate) permissions: Arc<Permissions>,
    pub(crate) log: Arc<ComponentLog>,
    pub(crate) limits: RouteLimits,
    pub(crate) profile: HostProfile,
    pub(crate) outgoing: Arc<OutgoingConfig>,
    /// The secret of draft mode, for a component that reads it.
    pub(crate) draft_secret: Option<Arc<str>>,
    /// Whether it is told that the host applies what it says to the cache, because it asks for that.
    pub(crate) is_told_of_cache: bool,
    /// The data cache of the version of the component, if the host has one.
    pub(crate) data: Option<Arc<dyn DataCache>>,
    /// Limits the files that all its instances have open.
    pub(crate) files: Arc<Admission>,
    /// The memory of all its instances.
    pub(crate) memory: Arc<RouteMemory>,
}

/// What the instances of all components of an app share.
pub(crate) struct Runtime {
    pub(crate) engine: Engine,
    pub(crate) linker: Linker<InstanceState>,
    pub(crate) code_cache: CodeCache,
    pub(crate) registry: Arc<Registry>,
    pub(crate) pools: Pools,
    pub(crate) turns: Turns,
    pub(crate) metrics: Arc<Metrics>,
    /// Limits the memory of all instances.
    pub(crate) memory: Arc<TotalMemory>,
    /// Limits the files that all instances have open.
    pub(crate) files: Arc<Admission>,
    /// The connections to other hosts that all instances have open.
    pub(crate) connections: Arc<Connections>,
    /// The app, which answers the requests of its own components.
    pub(crate) dispatch: Weak<dyn Dispatch>,
}
