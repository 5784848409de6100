#![doc = include_str!("lib.md")]
#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod activity;
mod admin;
mod admission;
mod app;
mod assembly;
mod bindings;
mod body;
mod client;
mod compiler;
mod component;
mod context;
mod cpu;
mod engine;
mod error;
mod exchange;
mod failure;
mod file_stamp;
mod grants;
mod headers;
mod host;
mod instance;
mod instances;
mod key_value;
mod lasting;
mod linker;
mod load;
mod logs;
mod manner;
mod memory;
mod metrics;
mod native_router;
mod outgoing;
mod registry;
mod request;
mod request_id;
mod rest;
mod run;
mod server;
mod spin;
mod variable_imports;

pub use compiler::Compiler;
pub use error::HostError;
pub use host::{Host, HostOptions, InstanceSize};
pub use key_value::KeyValueStorage;
pub use load::{is_candidate, is_offered};
pub use manner::Manner;
pub use native_router::{NativeRouter, RoutesError};
pub use waypost_config::{ComponentId, Faults, Manifest, Settings};
