//! What a component can use of the host: requests to others, stores, variables, the log, and the news that its client
//! left. Each interface checks the component's [`permissions::Permissions`].

pub(crate) mod bindings;
pub(crate) mod client_signal;
pub(crate) mod dispatch;
pub(crate) mod files;
pub(crate) mod imports;
pub(crate) mod key_value;
pub(crate) mod logs;
pub(crate) mod outgoing;
pub(crate) mod permissions;
pub(crate) mod upstream;
pub(crate) mod variables;
