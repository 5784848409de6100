//! New entries of `spin.toml`, in the form of Spin's own templates.

use toml_edit::{Array, InlineTable, Table, Value};
use waypost_config::ComponentId;

use super::build_command;
use super::document::Spin;
use crate::route::{Route, RouteKind};

/// Adds a trigger that makes a component an HTTP service without a public address.
pub(super) fn private_trigger(spin: &mut Spin, id: &ComponentId) {
    let mut private = InlineTable::new();
    private.insert("private", true.into());
    trigger(spin, id.as_str(), private.into());
}

pub(super) fn trigger(spin: &mut Spin, id: &str, route: Value) {
    let mut trigger = new_table("\n");
    trigger.insert("route", route.into());
    trigger.insert("component", id.into());
    spin.push_trigger(trigger);
    spin.note(format!("add trigger of `{id}`"));
}

/// Adds the component of a route, with its build if it has one.
pub(super) fn handler(spin: &mut Spin, route: &Route, watch: &[String]) {
    let mut component = new_table("\n");
    component.insert("source", route.source().into());
    let build = match route.kind() {
        RouteKind::Source => Some(build(route.folder(), watch)),
        RouteKind::Component => None,
    };
    self::component(spin, route.id().as_str(), component, build);
}

pub(super) fn component(spin: &mut Spin, id: &str, component: Table, build: Option<Table>) {
    spin.push_component(id, component, build);
    spin.note(format!("add component `{id}`"));
}

/// Returns the build table of the package in `folder`.
pub(super) fn build(folder: &str, watch: &[String]) -> Table {
    let mut build = new_table("");
    build.insert("command", build_command(folder).into());
    let watch: Array = watch.iter().map(String::as_str).collect();
    build.insert("watch", watch.into());
    build
}

/// Returns an empty table with `space` before its header.
pub(super) fn new_table(space: &str) -> Table {
    let mut table = Table::new();
    table.decor_mut().set_prefix(space);
    table
}
