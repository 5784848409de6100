#![doc = include_str!("lib.md")]
#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod app;
mod assembly;
mod compat;
mod compiler;
mod component;
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
pub use compat::HostProfile;
pub use compiler::Compiler;
pub use engine::InstanceSize;
pub use error::HostError;
pub use host::Host;
pub use key_value::KeyValueStorage;
pub use load::{is_candidate, is_offered};
pub use options::HostOptions;
pub use waypost_config::{ComponentId, Faults, Manifest, Settings};
