//! How a component is named in the log and in the metrics.

use waypost_config::ComponentId;

/// The names of one component.
#[derive(Debug)]
pub(crate) struct Labels {
    /// The pattern of its route, or its id if it has none.
    pub(crate) route: String,
    pub(crate) component: ComponentId,
}
