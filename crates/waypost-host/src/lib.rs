#![doc = include_str!("lib.md")]
#![deny(missing_docs)]
#![deny(unsafe_code)]

mod app;
mod assembly;
mod code_cache;
mod compat;
mod compiler;
mod component;
mod content;
mod engine;
mod error;
mod file_stamp;
mod host;
mod http;
mod instance;
mod key_value;
mod load;
mod observe;
mod options;
mod request;
mod wasi;

pub use app::native_router::{NativeRouter, RoutesError};
pub use code_cache::{CodeCache, CodeCacheError, DEFAULT_CODE_CACHE_SIZE};
pub use compat::HostProfile;
pub use compiler::Compiler;
pub use engine::InstanceSize;
pub use error::HostError;
pub use host::Host;
pub use key_value::KeyValueStorage;
pub use load::{
    MAX_COMPONENT, MountError, ShapeError, check_mount, check_outline, check_shape, is_candidate,
    is_offered,
};
pub use options::HostOptions;
pub use waypost_config::{ComponentId, Faults, Manifest, Settings};
