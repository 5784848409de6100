//! Follows a route that changes from `route.rs` to `route.wasm`, or back.

use super::document::Spin;
use super::{append, is_built_by_cargo};
use crate::route::{Route, RouteKind};
use crate::spin_toml::folder_of_source;

/// Removes Cargo's build from a component that is no longer built, and adds one to a component that now is. Other
/// builds belong to their owner.
pub(super) fn follow(spin: &mut Spin, route: &Route, watch: &[String]) {
    let id = route.id().as_str();
    let Some(component) = spin.component(id) else {
        return;
    };
    let made_in = folder_of_source(component);
    let is_own = made_in.as_deref() == Some(route.folder());
    let has_build = component.contains_key("build");
    match route.kind() {
        RouteKind::Component if is_built_by_cargo(component) && !is_own => {
            spin.remove_build(id);
            spin.note(format!(
                "remove the build of `{id}`: it is `{}` now",
                route.file()
            ));
        }
        RouteKind::Source if !has_build && made_in.is_some() => {
            let build = append::build(route.folder(), watch);
            spin.insert_build(id, build);
            spin.note(format!(
                "add the build of `{id}`: it is `{}` now",
                route.file()
            ));
        }
        RouteKind::Component | RouteKind::Source => {}
    }
}
