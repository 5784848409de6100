//! `[[trigger.http]]`: which component handles which path.

use std::collections::HashMap;
use std::path::Path;

use super::component::{self, Component};
use super::route::Route;
use crate::component_id::ComponentId;
use crate::document::{Collector, Keys, Located, Table, Value, did_you_mean};
use crate::fault::FaultKind;

/// An HTTP trigger: the paths that it matches, and the component that handles them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpTrigger {
    /// The id, as written or as Spin would choose it.
    pub id: String,
    /// The paths that it matches.
    pub route: Route,
    /// The component, which the manifest declares.
    pub component: ComponentId,
}

/// A trigger as it is written.
pub(super) struct RawTrigger {
    pub(super) id: Option<String>,
    pub(super) route: Route,
    pub(super) target: Target,
}

/// The component of a trigger: its id, or its definition.
pub(super) enum Target {
    Reference(Located<ComponentId>),
    Inline(Box<Component>),
}

const KIND: &str = "http";
const KEYS: Keys = Keys {
    known: &["id", "route", "component", "executor"],
    unsupported: &[
        ("static_response", "let a component send the response"),
        (
            "components",
            "write the one `component` that handles the route",
        ),
        ("dependencies", "compose the middleware into the component"),
    ],
};
const EXECUTOR_KEYS: Keys = Keys {
    known: &["type"],
    unsupported: &[
        ("argv", "compile to a WASI HTTP component instead of Wagi"),
        (
            "entrypoint",
            "compile to a WASI HTTP component instead of Wagi",
        ),
    ],
};
const PRIVATE_KEYS: Keys = Keys::only(&["private"]);

/// Reads all triggers. Reports and omits those without a valid route or component.
pub(super) fn read_all(root: &Table<'_>, base: &Path, faults: &mut Collector) -> Vec<RawTrigger> {
    let Some(list) = find_list(root, faults) else {
        return Vec::new();
    };
    let mut taken = Taken::default();
    list.tables(faults)
        .iter()
        .filter_map(|table| read(table, base, &mut taken, faults))
        .collect()
}

/// Returns the list of HTTP triggers, or reports why there is none.
fn find_list<'t>(root: &Table<'t>, faults: &mut Collector) -> Option<Value<'t>> {
    let kinds = match root.get("trigger") {
        Some(value) => value.table(faults)?,
        None => return report_none(root, faults),
    };
    report_other_kinds(&kinds, faults);
    match kinds.get(KIND) {
        Some(list) if list.is_empty() => report_none(root, faults),
        None => report_none(root, faults),
        Some(list) if list.is_list() => Some(list),
        Some(list) => {
            let hint = "write `[[trigger.http]]`, with two brackets";
            faults.add_hinted(list.range(), list.wrong_type("a list of tables"), hint);
            None
        }
    }
}

fn report_none<T>(root: &Table<'_>, faults: &mut Collector) -> Option<T> {
    let (key, table) = ("[[trigger.http]]".to_owned(), root.title());
    let kind = FaultKind::Missing { key, table };
    faults.add_hinted(root.range(), kind, "nothing would answer a request");
    None
}

fn report_other_kinds(kinds: &Table<'_>, faults: &mut Collector) {
    for (kind, value) in kinds.entries() {
        if kind.value == KIND {
            continue;
        }
        let near = did_you_mean(kind.value, [KIND]);
        let hint = near.unwrap_or_else(|| "only `[[trigger.http]]` is supported".to_owned());
        let what = format!("trigger `{}` is", kind.value);
        // Each trigger is reported, with its own line.
        let places = match value.is_list() {
            true => value.items("a list of tables", faults),
            false => vec![value],
        };
        for place in places {
            let what = what.clone();
            faults.add_hinted(place.range(), FaultKind::Unsupported { what }, &hint);
        }
    }
}

/// Ids and routes in use, with the lines of their triggers.
#[derive(Default)]
struct Taken {
    ids: HashMap<String, usize>,
    routes: HashMap<Route, usize>,
}

fn read(
    table: &Table<'_>,
    base: &Path,
    taken: &mut Taken,
    faults: &mut Collector,
) -> Option<RawTrigger> {
    table.check_keys(&KEYS, faults);
    if let Some(executor) = table.get("executor") {
        check_executor(&executor, faults);
    }
    let id = read_id(table, taken, faults);
    let route = table
        .require("route", faults)
        .and_then(|value| read_route(&value, taken, faults));
    let component = match table.get("static_response") {
        Some(_) => table.get("component"),
        None => table.require("component", faults),
    };
    let target = component.and_then(|value| read_target(&value, base, faults));
    Some(RawTrigger {
        id,
        route: route?,
        target: target?,
    })
}

fn read_id(table: &Table<'_>, taken: &mut Taken, faults: &mut Collector) -> Option<String> {
    let id = table
        .string("id", faults)
        .filter(|id| !id.value.is_empty())?;
    if let Some(first) = taken.ids.get(&id.value) {
        let kind = FaultKind::Repeated {
            what: "trigger id",
            value: id.value.clone(),
            first: *first,
        };
        faults.add(&id.range, kind);
    } else {
        taken.ids.insert(id.value.clone(), faults.line(&id.range));
    }
    Some(id.value)
}

fn read_route(value: &Value<'_>, taken: &mut Taken, faults: &mut Collector) -> Option<Route> {
    if value.is_table() {
        return read_private(value, faults);
    }
    let Some(text) = value.as_str() else {
        return value.wrong("a path or `{ private = true }`", faults);
    };
    match text.parse::<Route>() {
        Ok(route) => {
            claim(&route, value, taken, faults);
            Some(route)
        }
        Err(error) => {
            let kind = FaultKind::Invalid {
                what: "route".to_owned(),
                value: text.to_owned(),
                reason: error.to_string(),
            };
            faults.add(value.range(), kind);
            None
        }
    }
}

/// Reports a route that another trigger has. (In Spin the last one wins, and the other is never used.)
fn claim(route: &Route, value: &Value<'_>, taken: &mut Taken, faults: &mut Collector) {
    if let Some(first) = taken.routes.get(route) {
        let kind = FaultKind::Repeated {
            what: "route",
            value: route.to_string(),
            first: *first,
        };
        faults.add(value.range(), kind);
    } else {
        taken
            .routes
            .insert(route.clone(), faults.line(value.range()));
    }
}

fn read_private(value: &Value<'_>, faults: &mut Collector) -> Option<Route> {
    let table = value.table(faults)?;
    table.check_keys(&PRIVATE_KEYS, faults);
    let private = table.require("private", faults)?;
    if private.boolean(faults)? {
        return Some(Route::Private);
    }
    let kind = FaultKind::Invalid {
        what: "route".to_owned(),
        value: "{ private = false }".to_owned(),
        reason: "it has no path".to_owned(),
    };
    faults.add_hinted(
        private.range(),
        kind,
        "write `\"/path\"` or `{ private = true }`",
    );
    None
}

fn read_target(value: &Value<'_>, base: &Path, faults: &mut Collector) -> Option<Target> {
    if value.is_table() {
        let component = component::read(&value.table(faults)?, base, faults)?;
        return Some(Target::Inline(Box::new(component)));
    }
    let Some(text) = value.as_str() else {
        return value.wrong("a component's id or table", faults);
    };
    let id = component::read_id(text, value.range(), faults)?;
    Some(Target::Reference(Located::new(id, value.range().clone())))
}

fn check_executor(value: &Value<'_>, faults: &mut Collector) {
    let Some(table) = value.table(faults) else {
        return;
    };
    table.check_keys(&EXECUTOR_KEYS, faults);
    let kind = table.require("type", faults);
    let Some(kind) = kind.and_then(|kind| kind.string(faults)) else {
        return;
    };
    if !matches!(kind.value.as_str(), "http" | "spin") {
        let what = format!("executor `{}` is", kind.value);
        let hint = "write `type = \"http\"`, or leave `executor` out";
        faults.add_hinted(&kind.range, FaultKind::Unsupported { what }, hint);
    }
}
