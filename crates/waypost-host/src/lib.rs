#![doc = include_str!("lib.md")]
#![deny(missing_docs)]
#![deny(unsafe_code)]

mod app;
mod compat;
mod engine;
mod error;
mod host;
mod http;
mod instance;
mod observe;
mod options;
mod request;
mod wasi;

pub use app::native_router::{NativeRouter, RoutesError};
pub use compat::HostProfile;
pub use engine::InstanceSize;
pub use engine::code_cache::{CodeCache, CodeCacheError, DEFAULT_CODE_CACHE_SIZE};
pub use engine::compiler::Compiler;
pub use error::HostError;
pub use host::Host;
pub use instance::load::{
    MAX_COMPONENT, MountError, ROUTE_SECTION, ShapeError, check_mount, check_outline, check_shape,
    is_candidate, is_offered, route_section,
};
pub use options::{Cached, HostOptions};
pub use wasi::key_value::{KeyValueStorage, Stores};
pub use waypost_config::{ComponentId, Faults, Manifest, Settings};
