//! What one component may use: what its manifest entry grants, and nothing else.

use crate::wasi::key_value::StoreAccess;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use waypost_config::ComponentId;
use waypost_config::manifest::FileMount;
use waypost_config::outbound::{AllowedHosts, authority_of};
use waypost_config::variables::VariableValue;

/// The permissions of a component, with its variables filled in.
pub(crate) struct Permissions {
    pub(crate) environment: BTreeMap<String, String>,
    /// The folder of the app, which mounted folders don't leave.
    pub(crate) app_root: PathBuf,
    pub(crate) files: Vec<FileMount>,
    pub(crate) key_value: Arc<StoreAccess>,
    pub(crate) variables: BTreeMap<String, VariableValue>,
    pub(crate) allowed_hosts: AllowedHosts,
    /// Whether its requests are those of its own clients, which it forwards as the app's router.
    pub(crate) forwards: bool,
}

impl Permissions {
    /// Returns whether the component may ask another one of the app.
    pub(crate) fn allow_component(&self, id: &ComponentId) -> bool {
        self.allowed_hosts.allows("http", &authority_of(id), None)
    }
}
