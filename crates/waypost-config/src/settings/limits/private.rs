//! `deny_private`: whether a handler may reach the private network.

use crate::document::{Collector, Table};
use crate::outbound::Grant;

/// Which requests to other hosts may not reach private addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DenyPrivate {
    /// Those that only an entry with `*` allows.
    #[default]
    Wildcards,
    /// All, except to an address that an entry names.
    Always,
    /// None.
    Never,
}

impl DenyPrivate {
    /// Returns whether a request that was granted in this way may not reach private addresses.
    pub fn applies_to(self, grant: Grant) -> bool {
        match self {
            Self::Wildcards => grant == Grant::Wildcard,
            Self::Always => grant != Grant::Address,
            Self::Never => false,
        }
    }
}

/// Reads `deny_private`. `"wildcards"` overrides a setting of the app.
pub(super) fn read_deny_private(table: &Table<'_>, faults: &mut Collector) -> Option<DenyPrivate> {
    let value = table.get("deny_private")?;
    match (value.as_str(), value.as_bool()) {
        (Some("wildcards"), _) => Some(DenyPrivate::Wildcards),
        (_, Some(true)) => Some(DenyPrivate::Always),
        (_, Some(false)) => Some(DenyPrivate::Never),
        _ => value.wrong("`true`, `false` or `\"wildcards\"`", faults),
    }
}
