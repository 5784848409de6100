//! What a machine has and what an app needs: the knowledge of `waypost doctor`.
//!
//! Nothing here changes anything or builds anything. Programs are asked for their version, components are
//! read; each verdict comes with what to do about it.

mod app;
mod hosts;
mod machine;
mod probe;
mod targets;
mod version;

pub use app::{AppReport, Part};
pub use hosts::{HostReport, Verdict, hosts};
pub use machine::{State, Tool, examine};
