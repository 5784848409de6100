//! `build`: how `spin build` builds a component.

use super::super::application::texts;
use crate::document::{Collector, Keys, Table, Value};

/// How `spin build` builds a component. Waypost itself doesn't use it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// The commands, in the order in which they run.
    pub commands: Vec<String>,
    /// The folder in which they run, relative to the manifest's folder.
    pub workdir: Option<String>,
    /// The files that `spin watch` watches, as glob patterns relative to `workdir`.
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
