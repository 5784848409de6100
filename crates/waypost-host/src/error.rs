//! Why a host does not start, or stops.

use crate::app::native_router::RoutesError;
use crate::engine::EngineError;
use waypost_config::Faults;

/// Why a host does not start, or stops.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// Templates of the manifest can't be filled in, or settings name unknown routes. Lists every fault, one per line.
    #[error(transparent)]
    Configuration(#[from] Faults),
    /// Wasmtime's engine does not start.
    #[error(
        "the WebAssembly engine does not start: {reason}; lower `concurrency` or `memory` below `[limits]` in `waypost.toml` if address space is short"
    )]
    Engine {
        /// The message of Wasmtime.
        reason: String,
    },
    /// The route table of the host's own router cannot be used.
    #[error(transparent)]
    Routes(#[from] RoutesError),
    /// Components cannot be loaded.
    #[error("{}", faults.join("\n"))]
    Components {
        /// One message for each.
        faults: Vec<String>,
    },
    /// The listener failed permanently.
    #[error("the listener failed: {0}")]
    Listener(#[source] std::io::Error),
}

impl From<EngineError> for HostError {
    fn from(error: EngineError) -> Self {
        let EngineError { reason } = error;
        Self::Engine { reason }
    }
}
