//! What depends on variables, filled in.

use std::collections::BTreeMap;
use std::ffi::OsString;

use super::Manifest;
use super::component::Component;
use crate::component_id::ComponentId;
use crate::document::{Collector, Located};
use crate::fault::{FaultKind, Faults};
use crate::outbound::{AllowedHosts, AppComponents, Rule};
use crate::variables::{Template, Values, VariableValue, environment_name};

/// What a component is granted, once variables have their values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvedComponent {
    /// The variables that it may read, by their names in the component.
    pub variables: BTreeMap<String, VariableValue>,
    /// Where it may send requests.
    pub allowed_hosts: AllowedHosts,
}

/// What is left of a filled-in entry when the variable in it is empty: such an entry is left out,
/// so that an optional endpoint can be given or not, as in Spin.
const EMPTY_ENTRIES: [&str; 3] = ["", "http://", "https://"];

/// Fills in every component.
pub(super) fn resolve(
    manifest: &Manifest,
    environment: impl Fn(&str) -> Option<OsString>,
) -> Result<BTreeMap<ComponentId, ResolvedComponent>, Faults> {
    let mut faults = Collector::new(manifest.source.clone());
    let values = Values::resolve(&manifest.variables, environment, &mut faults);
    let components = AppComponents::new(manifest.components.keys());
    let mut resolved = BTreeMap::new();
    for (id, component) in &manifest.components {
        let rules = rules(component, &values, &mut faults);
        let component = ResolvedComponent {
            variables: variables(component, &values),
            allowed_hosts: AllowedHosts::new(rules, &components),
        };
        resolved.insert(id.clone(), component);
    }
    faults.settle(resolved)
}

fn variables(component: &Component, values: &Values<'_>) -> BTreeMap<String, VariableValue> {
    let fill = |(name, template): (&String, &Located<Template>)| {
        Some((name.clone(), values.fill(&template.value)?))
    };
    component.variables.iter().filter_map(fill).collect()
}

fn rules(component: &Component, values: &Values<'_>, faults: &mut Collector) -> Vec<Rule> {
    component
        .allowed_outbound_hosts
        .iter()
        .filter_map(|entry| rule(entry, values, faults))
        .collect()
}

fn rule(entry: &Located<Template>, values: &Values<'_>, faults: &mut Collector) -> Option<Rule> {
    let value = values.fill(&entry.value)?;
    if EMPTY_ENTRIES.contains(&value.expose()) && !entry.value.is_literal() {
        return None;
    }
    let error = match Rule::parse(value.expose()) {
        Ok(rule) => return Some(rule),
        Err(error) => error,
    };
    let what = "allowed outbound host".to_owned();
    let kind = match value.is_secret() {
        false => FaultKind::Invalid {
            what,
            value: value.expose().to_owned(),
            reason: error.to_string(),
        },
        // The reason quotes parts of the value.
        true => FaultKind::Invalid {
            what,
            value: entry.value.to_string(),
            reason: "it is not `scheme://host[:port]` once its secret is filled in".to_owned(),
        },
    };
    faults.add_hinted(&entry.range, kind, hint(&entry.value));
    None
}

/// Says where the value came from.
fn hint(template: &Template) -> String {
    let names: Vec<_> = template
        .names()
        .map(|name| format!("`{}`", environment_name(name)))
        .collect();
    format!("check {} or the default", names.join(", "))
}
