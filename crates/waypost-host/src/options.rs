//! The options of a host.

use crate::app::native_router::NativeRouter;
use crate::compat::HostProfile;
use crate::engine::InstanceSize;
use crate::engine::code_cache::CodeCache;
use crate::wasi::key_value::{KeyValueStorage, Stores};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;
use waypost_config::ComponentId;

/// How long a host waits for its state folder: as long as a host may take to stop by default.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whether responses of routes with a cache policy are cached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cached {
    /// As the policies say.
    #[default]
    ByPolicy,
    /// Not at all, because the app is being developed: each request runs its handler. Responses say so.
    Never,
}

/// What a host needs to know besides its manifest and settings.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HostOptions {
    /// Folder of the app.
    pub app_root: PathBuf,
    /// Folder for the key-value file, created if it is missing.
    pub state_dir: PathBuf,
    /// Where compiled code is kept. Default: nowhere, so that each start compiles anew.
    pub code_cache: CodeCache,
    /// Whether clients see why a request failed. Not for the public.
    pub development: bool,
    /// Where the key-value stores are kept.
    pub key_value: KeyValueStorage,
    /// The stores of the host that this one follows in the same process ([`Host::stores`](crate::Host::stores)). Default:
    /// none, so the host opens its own.
    pub stores: Option<Stores>,
    /// How long to wait for a state folder that the host of another process still uses. Default: 10 s.
    pub state_patience: Duration,
    /// Size of an instance of the largest component. Default: that of a route written in Rust.
    pub instance_size: InstanceSize,
    /// Pattern of the route of each component that has one, such as `/items/[slug]`: its name in the log and in the
    /// settings. A component without one is named by its id and has the app's limits.
    pub patterns: BTreeMap<ComponentId, String>,
    /// The host whose behaviour the app sees. Default: this one.
    pub profile: HostProfile,
    /// Whether responses of routes with a cache policy are cached. The profile of Spin has no cache.
    pub cached: Cached,
    /// The router that the host runs itself. Default: none, so the component with the public address routes. A router that
    /// may not reach every route by `spin.toml` is not replaced, nor is one with the profile of Spin.
    pub native_router: Option<NativeRouter>,
}

impl HostOptions {
    /// Makes the options of a host that keeps its state in `state_dir`.
    pub fn new(app_root: impl Into<PathBuf>, state_dir: impl Into<PathBuf>) -> Self {
        Self {
            app_root: app_root.into(),
            state_dir: state_dir.into(),
            code_cache: CodeCache::disabled(),
            development: false,
            instance_size: InstanceSize::default(),
            key_value: KeyValueStorage::default(),
            stores: None,
            state_patience: PATIENCE,
            patterns: BTreeMap::new(),
            profile: HostProfile::default(),
            cached: Cached::default(),
            native_router: None,
        }
    }
}
