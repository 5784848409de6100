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
mod document;
mod engine;
mod error;
mod exchange;
mod failure;
mod fault;
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
mod manifest;
mod manner;
mod memory;
mod metrics;
mod native_router;
mod outbound;
mod outgoing;
mod registry;
mod request;
mod request_id;
mod rest;
mod run;
mod server;
mod settings;
mod spin;
mod variable_imports;
mod variables;

pub use compiler::Compiler;
pub use error::HostError;
pub use fault::{Fault, FaultKind};
pub use host::{Host, HostOptions, InstanceSize};
pub use key_value::KeyValueStorage;
pub use load::{is_candidate, is_offered};
pub use manifest::{
    Application, Build, Component, ComponentId, FileMount, HttpTrigger, Manifest, ManifestErrors,
    ResolvedComponent, Route, RouteError,
};
pub use manner::Manner;
pub use native_router::{NativeRouter, RoutesError};
pub use outbound::{AllowedHosts, OutboundError};
pub use settings::{Limits, Origin, OriginError, RouteLimits, Server, Settings, SettingsErrors};
pub use variables::{TemplateError, Variable, VariableValue};
