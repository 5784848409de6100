//! Why a host does not start, or stops.

use crate::app::native_router::RoutesError;
use crate::engine::EngineError;
use crate::wasi::key_value::OpenError;
use std::path::PathBuf;
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
    /// The folder of the key-value stores cannot be used.
    #[error("the state folder `{}` cannot be used: {reason}; make it writable", path.display())]
    StateDir {
        /// The folder.
        path: PathBuf,
        /// The message of the operating system.
        reason: String,
    },
    /// Another host uses the state folder.
    #[error(
        "the state folder `{}` is used by another host ({}); stop that one, or give this one a folder of its own (`--state-dir`)",
        path.display(),
        holder.map_or("its process is not known".to_owned(), |id| format!("process {id}"))
    )]
    StateInUse {
        /// The folder.
        path: PathBuf,
        /// The id of its process, or `None` if it is unknown.
        holder: Option<u32>,
    },
    /// The file of the key-value stores cannot be used.
    #[error("the key-value stores in `{}` cannot be opened: {reason}", path.display())]
    Stores {
        /// The file.
        path: PathBuf,
        /// The reason, without the name of the file.
        reason: String,
    },
    /// The certificates of further authorities cannot be used.
    #[error("`extra_roots` in `[outbound]` of `waypost.toml` names `{}`, which cannot be used: {reason}", path.display())]
    ExtraRoots {
        /// The file.
        path: PathBuf,
        /// The reason, without the name of the file.
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

impl From<OpenError> for HostError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::InUse { folder, holder } => Self::StateInUse {
                path: folder,
                holder,
            },
            OpenError::Folder { folder, reason } => Self::StateDir {
                path: folder,
                reason,
            },
            OpenError::File { file, reason } => Self::Stores { path: file, reason },
        }
    }
}

impl From<EngineError> for HostError {
    fn from(error: EngineError) -> Self {
        let EngineError { reason } = error;
        Self::Engine { reason }
    }
}
