//! Fills in the parts of a manifest that depend on variables.

use std::collections::BTreeMap;
use std::ffi::OsString;

use super::Manifest;
use super::component::Component;
use crate::component_id::ComponentId;
use crate::document::{Collector, Located};
use crate::fault::{FaultKind, Faults};
use crate::outbound::{AllowedHosts, AppComponents, Rule};
use crate::variables::{Template, Values, VariableValue, environment_name};

/// The permissions of a component that depend on variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvedComponent {
    /// The values of the variables that the component may read, by their names in the component.
    pub variables: BTreeMap<String, VariableValue>,
    /// The hosts that the component may send requests to.
    pub allowed_hosts: AllowedHosts,
}

/// Entries that are filled in with an empty variable. As in Spin they are dropped, so that an endpoint can be
/// optional.
const EMPTY_ENTRIES: [&str; 3] = ["", "http://", "https://"];

/// Fills in the templates of every component.
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
        // The error quotes parts of the value, so it must not be shown.
        true => FaultKind::Invalid {
            what,
            value: entry.value.to_string(),
            reason: "it is not `scheme://host[:port]` once its secret is filled in".to_owned(),
        },
    };
    faults.add_hinted(&entry.range, kind, hint(&entry.value));
    None
}

/// Returns advice that names the environment variables in a template.
fn hint(template: &Template) -> String {
    let names: Vec<_> = template
        .names()
        .map(|name| format!("`{}`", environment_name(name)))
        .collect();
    format!("check {} or the default", names.join(", "))
}
