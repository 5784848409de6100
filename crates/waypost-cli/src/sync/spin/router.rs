//! The router's own entries: the only public trigger, and the permission to call the handlers.

use toml_edit::{Array, Item, Value};

use super::super::array;
use super::document::Spin;
use super::{append, correct_command, correct_source};
use crate::component_id::ROUTER;
use crate::spin_toml::ROUTER_SOURCE as SOURCE;

/// The outbound host for Spin's chaining: the app's own components, by name.
const HANDLERS: &str = "http://*.spin.internal";

/// Wider patterns that include the handlers.
const WIDER: [&str; 3] = ["*://*:*", "http://*", "http://*:*"];

pub(super) fn ensure(spin: &mut Spin) {
    if spin.triggers_of(ROUTER).next().is_none() {
        append::trigger(spin, ROUTER, "/...".into());
    }
    if spin.component(ROUTER).is_none() {
        return append_component(spin);
    }
    correct_source(spin, ROUTER, SOURCE);
    correct_command(spin, ROUTER, ROUTER);
    ensure_grant(spin);
}

fn append_component(spin: &mut Spin) {
    let mut component = append::new_table("\n");
    component.insert("source", SOURCE.into());
    component.insert("allowed_outbound_hosts", grant().into());
    let watch = ["router/**/*.rs", "router/Cargo.toml", "router/routes.txt"];
    let build = append::build(ROUTER, &watch.map(str::to_owned));
    append::component(spin, ROUTER, component, Some(build));
}

fn grant() -> Array {
    Array::from_iter([HANDLERS])
}

fn ensure_grant(spin: &mut Spin) {
    let Some(router) = spin.component_mut(ROUTER) else {
        return;
    };
    match router.get_mut("allowed_outbound_hosts") {
        None => {
            router.insert("allowed_outbound_hosts", Item::Value(grant().into()));
        }
        Some(Item::Value(Value::Array(hosts))) if !is_granted(hosts) => {
            array::push_all(hosts, &[HANDLERS.to_owned()]);
        }
        Some(_) => return,
    }
    spin.note(format!("let `{ROUTER}` call `{HANDLERS}`"));
}

fn is_granted(hosts: &Array) -> bool {
    hosts
        .iter()
        .filter_map(Value::as_str)
        .any(|host| host == HANDLERS || WIDER.contains(&host))
}
