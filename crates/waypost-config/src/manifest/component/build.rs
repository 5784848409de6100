//! `build`: how `spin build` makes a component.

use super::super::application::texts;
use crate::document::{Collector, Keys, Table, Value};

/// How `spin build` makes a component. Kept for tools; this host doesn't build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// The commands, which run one after the other.
    pub commands: Vec<String>,
    /// The folder they run in, relative to the manifest's.
    pub workdir: Option<String>,
    /// The files that `spin watch` looks at, as glob patterns relative to `workdir`.
    pub watch: Vec<String>,
}

const KEYS: Keys = Keys::only(&["command", "workdir", "watch"]);

pub(super) fn read(component: &Table<'_>, faults: &mut Collector) -> Option<Build> {
    let table = component.table("build", faults)?;
    table.check_keys(&KEYS, faults);
    let command = table.require("command", faults);
    Some(Build {
        commands: command
            .map(|value| read_commands(&value, faults))
            .unwrap_or_default(),
        workdir: table.string("workdir", faults).map(|text| text.value),
        watch: texts(table.strings("watch", faults)),
    })
}

fn read_commands(value: &Value<'_>, faults: &mut Collector) -> Vec<String> {
    if value.is_string() {
        return value
            .string(faults)
            .into_iter()
            .map(|text| text.value)
            .collect();
    }
    value
        .items("a string or a list of strings", faults)
        .iter()
        .filter_map(|item| item.string(faults))
        .map(|text| text.value)
        .collect()
}
