#![doc = include_str!("lib.md")]
#![deny(missing_docs)]
#![forbid(unsafe_code)]
#![warn(clippy::unwrap_used, clippy::expect_used)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod component_id;
mod document;
mod fault;
mod manifest;
mod outbound;
mod settings;
mod variables;

pub use component_id::{ComponentId, IdError};
pub use fault::{Fault, Faults, Place, Severity};
pub use manifest::{
    Application, Build, Component, FileMount, HttpTrigger, Manifest, ResolvedComponent, Route,
    RouteError,
};
pub use outbound::{
    AllowedHosts, OutboundError, SELF_AUTHORITY, authority_of, service_chaining_target,
};
pub use settings::{Limits, Origin, OriginError, RouteLimits, Server, Settings};
pub use variables::{TemplateError, Variable, VariableValue};
