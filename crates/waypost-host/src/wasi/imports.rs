//! The part of an instance's state that the interfaces of Spin work with.

use super::logs::ComponentLog;
use super::permissions::Permissions;
use crate::observe::labels::Labels;
use std::sync::Arc;
use wasmtime::component::ResourceTable;

/// State of the imports of one instance.
pub(crate) struct ImportState {
    /// The resources that the guest holds; WASI's own are among them.
    pub(crate) table: ResourceTable,
    pub(crate) permissions: Arc<Permissions>,
    pub(crate) labels: Arc<Labels>,
    pub(crate) log: Arc<ComponentLog>,
}
