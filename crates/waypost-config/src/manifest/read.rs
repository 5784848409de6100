//! Reads the whole manifest, and checks the references between its parts.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use super::application;
use super::component::{self, Component};
use super::route::Route;
use super::trigger::{self, RawTrigger, Target};
use super::variable;
use super::{HttpTrigger, Manifest, folder_of};
use crate::component_id::ComponentId;
use crate::document::{Collector, Document, Keys, Located, Table, did_you_mean};
use crate::fault::{FaultKind, Faults};
use crate::variables::Variable;

const KEYS: Keys = Keys::only(&[VERSION, "application", "variables", "trigger", "component"]);
const VERSION: &str = "spin_manifest_version";

/// The key of version 1 of the manifest.
const FIRST_VERSION: &str = "spin_version";

/// Reads the text of a manifest.
pub(super) fn read(text: &str, path: &Path) -> Result<Manifest, Faults> {
    let document = Document::parse(text, path)?;
    let root = document.root();
    let mut faults = document.collector();
    check_version(&root, &mut faults);
    // Another version has other keys: further faults would be misleading.
    faults.settle(())?;
    let mut faults = document.collector();
    root.check_keys(&KEYS, &mut faults);
    let application = application::read(&root, &mut faults).unwrap_or_default();
    let variables = variable::read_all(&root, &mut faults);
    let mut components = component::read_all(&root, folder_of(path), &mut faults);
    let raw = trigger::read_all(&root, folder_of(path), &mut faults);
    check_references(&root, &raw, &components, &mut faults);
    let triggers = settle_triggers(raw, &mut components);
    check_templates(&components, &variables, &mut faults);
    let source = faults.source().clone();
    faults.settle(Manifest {
        path: path.to_owned(),
        application,
        variables,
        public: public(&triggers),
        triggers,
        components,
        source,
    })
}

fn check_version(root: &Table<'_>, faults: &mut Collector) {
    let Some(version) = root.get(VERSION).or_else(|| root.get(FIRST_VERSION)) else {
        let (key, table) = (VERSION.to_owned(), root.title());
        let kind = FaultKind::Missing { key, table };
        return faults.add_hinted(&(0..0), kind, "write `spin_manifest_version = 2`");
    };
    if version.key() == VERSION && version.as_integer() == Some(2) {
        return;
    }
    let is_first = version.as_str() == Some("1") || version.as_integer() == Some(1);
    let (what, hint) = match is_first {
        true => (
            "version 1 of Spin's manifest is",
            "`spin doctor` converts it to version 2",
        ),
        false => (
            "this version of Spin's manifest is",
            "write `spin_manifest_version = 2`",
        ),
    };
    let what = what.to_owned();
    faults.add_hinted(version.range(), FaultKind::Unsupported { what }, hint);
}

/// Reports triggers of components that aren't declared.
///
/// A component whose table is invalid still counts as declared.
fn check_references(
    root: &Table<'_>,
    triggers: &[RawTrigger],
    components: &BTreeMap<ComponentId, Component>,
    faults: &mut Collector,
) {
    let declared = root.names_in("component");
    for trigger in triggers {
        let Target::Reference(reference) = &trigger.target else {
            continue;
        };
        let id = reference.value.as_str();
        if components.contains_key(id) || declared.contains(&id) {
            continue;
        }
        let near = did_you_mean(id, declared.iter().copied());
        let hint = near.or_else(|| Some(format!("add a table `[component.{id}]`")));
        let what = "component";
        let name = id.to_owned();
        faults.push(&reference.range, FaultKind::Undeclared { what, name }, hint);
    }
}

/// Assigns every trigger an id and the id of its component, and moves components that are defined inside a trigger to
/// `components`. Missing ids are chosen as in Spin.
fn settle_triggers(
    raw: Vec<RawTrigger>,
    components: &mut BTreeMap<ComponentId, Component>,
) -> Vec<HttpTrigger> {
    let mut ids: HashSet<String> = raw.iter().filter_map(|raw| raw.id.clone()).collect();
    let mut triggers = Vec::new();
    for raw in raw {
        let id = raw.id.clone().unwrap_or_else(|| {
            let id = free_trigger_id(&raw, &ids);
            ids.insert(id.clone());
            id
        });
        let component = match raw.target {
            Target::Reference(reference) => reference.value,
            Target::Inline(component) => {
                let inline = free_component_id(&id, components);
                components.insert(inline.clone(), *component);
                inline
            }
        };
        let route = raw.route;
        triggers.push(HttpTrigger {
            id,
            route,
            component,
        });
    }
    triggers
}

/// Returns the indices of the triggers that clients can reach, in order of precedence.
fn public(triggers: &[HttpTrigger]) -> Vec<usize> {
    let is_public = |place: &usize| triggers[*place].route != Route::Private;
    let mut places: Vec<usize> = (0..triggers.len()).filter(is_public).collect();
    places.sort_by_key(|place| Reverse((triggers[*place].route.precedence(), *place)));
    places
}

/// Returns the id that Spin gives a trigger without one.
fn free_trigger_id(raw: &RawTrigger, taken: &HashSet<String>) -> String {
    let mut number = 1;
    let mut id = match &raw.target {
        Target::Reference(reference) => format!("{}-http-trigger", reference.value),
        Target::Inline(_) => format!("http-trigger{number}"),
    };
    while taken.contains(&id) {
        id = format!("http-trigger{number}");
        number += 1;
    }
    id
}

/// Returns the id that Spin gives a component that is defined inside a trigger.
fn free_component_id(trigger: &str, components: &BTreeMap<ComponentId, Component>) -> ComponentId {
    let mut id = format!("{trigger}-component").parse::<ComponentId>();
    let mut number = 1;
    loop {
        match id {
            Ok(free) if !components.contains_key(&free) => return free,
            Ok(_) | Err(_) => id = format!("inline-component{number}").parse(),
        }
        number += 1;
    }
}

/// Reports templates that use undeclared variables.
fn check_templates(
    components: &BTreeMap<ComponentId, Component>,
    variables: &BTreeMap<String, Variable>,
    faults: &mut Collector,
) {
    for template in components.values().flat_map(Component::templates) {
        for name in template.value.names() {
            if !variables.contains_key(name) {
                report_variable(name, template, variables, faults);
            }
        }
    }
}

fn report_variable<T>(
    name: &str,
    template: &Located<T>,
    variables: &BTreeMap<String, Variable>,
    faults: &mut Collector,
) {
    let near = did_you_mean(name, variables.keys().map(String::as_str));
    let hint = near.or_else(|| Some("declare it in `[variables]`".to_owned()));
    let what = "variable";
    let name = name.to_owned();
    faults.push(&template.range, FaultKind::Undeclared { what, name }, hint);
}
