//! `[outbound]`: how the host connects to other servers.

use std::path::PathBuf;

use super::quantity::refuse;
use crate::document::{Collector, Keys, Table};

/// How the host connects to other servers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outbound {
    /// A PEM file with certificates of authorities that are trusted besides the public ones, such as a company's own. A
    /// relative path starts at the app's folder. Default: none.
    pub extra_roots: Option<PathBuf>,
}

const KEYS: Keys = Keys::only(&["extra_roots"]);

pub(super) fn read(root: &Table<'_>, faults: &mut Collector) -> Outbound {
    let Some(table) = root.table("outbound", faults) else {
        return Outbound::default();
    };
    table.check_keys(&KEYS, faults);
    Outbound {
        extra_roots: read_extra_roots(&table, faults),
    }
}

fn read_extra_roots(table: &Table<'_>, faults: &mut Collector) -> Option<PathBuf> {
    let value = table.get("extra_roots")?;
    let text = value.string(faults)?.value;
    if text.is_empty() {
        let reason = "it must be the path of a PEM file, as in `certs/ca.pem`";
        return refuse(&value, &text, reason, faults);
    }
    Some(text.into())
}
