//! What can go wrong before a host serves.

use crate::native_router::RoutesError;
use std::path::PathBuf;
use waypost_config::Faults;

/// Why a host does not start, or stops.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// The manifest's templates can't be filled in, or a setting belongs to no route: every fault, one per line.
    #[error(transparent)]
    Configuration(#[from] Faults),
    /// Wasmtime's engine cannot be made.
    #[error(
        "the WebAssembly engine does not start: {reason}; lower `concurrency` or `memory` below `[limits]` in `waypost.toml` if address space is short"
    )]
    Engine {
        /// What Wasmtime says.
        reason: String,
    },
    /// The folder for compiled code and state cannot be used.
    #[error("the state folder `{}` cannot be used: {reason}; make it writable", path.display())]
    StateDir {
        /// The folder.
        path: PathBuf,
        /// What the operating system says.
        reason: String,
    },
    /// The table of routes of the host's own router cannot be used.
    #[error(transparent)]
    Routes(#[from] RoutesError),
    /// Components cannot be loaded.
    #[error("{}", faults.join("\n"))]
    Components {
        /// What is wrong with each.
        faults: Vec<String>,
    },
    /// The listener accepts no more connections.
    #[error("the listener failed: {0}")]
    Listener(#[source] std::io::Error),
}
