//! `[application]`: the name and description of the app.

use crate::document::{Collector, Keys, Located, Table, Value};
use crate::fault::FaultKind;

/// The name and description of an app.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Application {
    /// The name of the app.
    pub name: String,
    /// The version, by convention a semantic version; empty if not given.
    pub version: String,
    /// The description; empty if not given.
    pub description: String,
    /// The authors.
    pub authors: Vec<String>,
}

const KEYS: Keys = Keys {
    known: &[
        "name",
        "version",
        "description",
        "authors",
        "trigger",
        "tool",
    ],
    unsupported: &[("targets", "remove it, or check targets with `spin build`")],
};
const TRIGGER_KEYS: Keys = Keys::only(&["http"]);
const HTTP_KEYS: Keys = Keys::only(&["base"]);

/// Reads `[application]`.
pub(super) fn read(root: &Table<'_>, faults: &mut Collector) -> Option<Application> {
    let table = root.require("application", faults)?.table(faults)?;
    table.check_keys(&KEYS, faults);
    if let Some(triggers) = table.table("trigger", faults) {
        check_trigger_settings(&triggers, faults);
    }
    read_tools(&table, faults);
    let name = table
        .require("name", faults)
        .and_then(|value| value.string(faults));
    let text =
        |located: Option<Located<String>>| located.map(|text| text.value).unwrap_or_default();
    Some(Application {
        name: text(name),
        version: text(table.string("version", faults)),
        description: text(table.string("description", faults)),
        authors: texts(table.strings("authors", faults)),
    })
}

/// Checks that `tool` holds tables. Their content belongs to the tools.
pub(super) fn read_tools(table: &Table<'_>, faults: &mut Collector) {
    let Some(tools) = table.table("tool", faults) else {
        return;
    };
    for (_, tool) in tools.entries() {
        tool.table(faults);
    }
}

/// Returns the texts without their places.
pub(super) fn texts(located: Vec<Located<String>>) -> Vec<String> {
    located.into_iter().map(|text| text.value).collect()
}

/// Checks `[application.trigger]`: the settings that all triggers of a kind share.
fn check_trigger_settings(triggers: &Table<'_>, faults: &mut Collector) {
    for (kind, settings) in triggers.entries() {
        if !TRIGGER_KEYS.known.contains(&kind.value) && !settings.is_empty() {
            let what = format!("`trigger.{}` is", kind.value);
            let hint = "remove the settings: only HTTP triggers are supported";
            faults.add_hinted(&kind.range, FaultKind::Unsupported { what }, hint);
        }
    }
    let Some(http) = triggers.table("http", faults) else {
        return;
    };
    http.check_keys(&HTTP_KEYS, faults);
    if let Some(base) = http.get("base") {
        check_base(&base, faults);
    }
}

/// Refuses a `base` other than `/`, as Spin does.
fn check_base(base: &Value<'_>, faults: &mut Collector) {
    let Some(text) = base.string(faults) else {
        return;
    };
    if text.value != "/" {
        let what = format!("`base` in {} is", base.table_title());
        let hint = "write it before the `route` of each `[[trigger.http]]`";
        faults.add_hinted(&text.range, FaultKind::Unsupported { what }, hint);
    }
}
