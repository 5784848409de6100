//! `[component.<id>]`: the code of a component, and its permissions.

mod build;
mod files;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::application::read_tools;
use super::variable::check_name;
use crate::component_id::{ComponentId, IdError, check_label};
use crate::document::{Collector, Keys, Located, Table, Value};
use crate::fault::FaultKind;
use crate::outbound::Rule;
use crate::variables::Template;
pub use build::Build;
pub use files::FileMount;

/// A component: its code and its permissions.
///
/// Permissions that depend on variables are in [`ResolvedComponent`](super::ResolvedComponent).
#[derive(Clone, Debug)]
pub struct Component {
    /// The file with the code. A relative path is relative to the manifest's folder, and is joined to it here.
    pub source: PathBuf,
    /// The description; empty if not given.
    pub description: String,
    /// The environment variables, as written: templates are not filled in here.
    pub environment: BTreeMap<String, String>,
    /// The folders that the component may read.
    pub files: Vec<FileMount>,
    /// The labels of the key-value stores that the component may open.
    pub key_value_stores: BTreeSet<String>,
    /// How `spin build` builds it. Waypost itself doesn't use it.
    pub build: Option<Build>,
    pub(super) variables: BTreeMap<String, Located<Template>>,
    pub(super) allowed_outbound_hosts: Vec<Located<Template>>,
}

impl Component {
    /// Returns whether the component may read variables of the app.
    pub fn has_variables(&self) -> bool {
        !self.variables.is_empty()
    }

    /// Returns whether the component may send requests to any host.
    pub fn has_outbound_hosts(&self) -> bool {
        !self.allowed_outbound_hosts.is_empty()
    }

    /// Returns the entries of `allowed_outbound_hosts` that have no templates, as written.
    pub fn literal_outbound_hosts(&self) -> impl Iterator<Item = String> {
        let entries = self.allowed_outbound_hosts.iter();
        entries.filter_map(|entry| entry.value.fill(|_| None))
    }

    /// Returns all templates of the component.
    pub(super) fn templates(&self) -> impl Iterator<Item = &Located<Template>> {
        self.variables.values().chain(&self.allowed_outbound_hosts)
    }
}

const KEYS: Keys = Keys {
    known: &[
        "source",
        "description",
        "environment",
        "files",
        "key_value_stores",
        "variables",
        "allowed_outbound_hosts",
        "build",
        "tool",
    ],
    unsupported: &[
        (
            "exclude_files",
            "mount a folder that holds only what may be read",
        ),
        (
            "allowed_http_hosts",
            "write `allowed_outbound_hosts = [\"https://…\"]`",
        ),
        (
            "sqlite_databases",
            "use `key_value_stores`, or run the app with `spin up`",
        ),
        (
            "ai_models",
            "ask a model over HTTP, or run the app with `spin up`",
        ),
        ("targets", "remove it, or check targets with `spin build`"),
        ("dependencies", "compose them into the component's file"),
        (
            "dependencies_inherit_configuration",
            "compose dependencies into the component's file",
        ),
        (
            "profile",
            "write the values that you want into the component",
        ),
    ],
};

/// Reads all components. Reports and omits those that are invalid.
pub(super) fn read_all(
    root: &Table<'_>,
    base: &Path,
    faults: &mut Collector,
) -> BTreeMap<ComponentId, Component> {
    let Some(table) = root.table("component", faults) else {
        return BTreeMap::new();
    };
    let mut components = BTreeMap::new();
    for (key, value) in table.entries() {
        let id = read_id(key.value, &key.range, faults);
        let component = value
            .table(faults)
            .and_then(|table| read(&table, base, faults));
        components.extend(id.zip(component));
    }
    components
}

/// Reads a component id, from its declaration or from a reference to it.
pub(super) fn read_id(
    text: &str,
    range: &Range<usize>,
    faults: &mut Collector,
) -> Option<ComponentId> {
    let refuse = |error: IdError| FaultKind::Invalid {
        what: "component id".to_owned(),
        value: text.to_owned(),
        reason: error.to_string(),
    };
    text.parse()
        .map_err(|error| faults.add(range, refuse(error)))
        .ok()
}

/// Reads one component.
pub(super) fn read(table: &Table<'_>, base: &Path, faults: &mut Collector) -> Option<Component> {
    table.check_keys(&KEYS, faults);
    read_tools(table, faults);
    let description = table.string("description", faults);
    let environment = read_environment(table, faults);
    let files = files::read(table, base, faults);
    let key_value_stores = read_stores(table, faults);
    let build = build::read(table, faults);
    let variables = read_variables(table, faults);
    let allowed_outbound_hosts = read_hosts(table, faults);
    let source = table.require("source", faults);
    Some(Component {
        source: source.and_then(|value| read_source(&value, base, faults))?,
        description: description.map(|text| text.value).unwrap_or_default(),
        environment,
        files,
        key_value_stores,
        build,
        variables,
        allowed_outbound_hosts,
    })
}

fn read_source(value: &Value<'_>, base: &Path, faults: &mut Collector) -> Option<PathBuf> {
    if value.is_table() {
        let what = "a remote `source` is".to_owned();
        let hint = "download the component and write its path";
        faults.add_hinted(value.range(), FaultKind::Unsupported { what }, hint);
        return None;
    }
    let source = value.string(faults)?;
    if source.value.is_empty() {
        let reason = "it must be the path of a component".to_owned();
        faults.add(&source.range, invalid("source", &source.value, reason));
        return None;
    }
    Some(base.join(source.value))
}

fn read_environment(table: &Table<'_>, faults: &mut Collector) -> BTreeMap<String, String> {
    let mut environment = BTreeMap::new();
    let Some(entries) = table.table("environment", faults) else {
        return environment;
    };
    for (name, value) in entries.entries() {
        if name.value.is_empty() || name.value.contains(['=', '\0']) {
            let reason = "it must not be empty or contain `=` or NUL".to_owned();
            faults.add(
                &name.range,
                invalid("environment variable", name.value, reason),
            );
        }
        if let Some(text) = value.string(faults) {
            environment.insert(name.value.to_owned(), text.value);
        }
    }
    environment
}

fn read_stores(table: &Table<'_>, faults: &mut Collector) -> BTreeSet<String> {
    let labels = table.strings("key_value_stores", faults);
    for label in &labels {
        if let Err(error) = check_label(&label.value) {
            let kind = invalid("store label", &label.value, error.to_string());
            faults.add(&label.range, kind);
        }
    }
    labels.into_iter().map(|label| label.value).collect()
}

fn read_variables(
    table: &Table<'_>,
    faults: &mut Collector,
) -> BTreeMap<String, Located<Template>> {
    let mut variables = BTreeMap::new();
    let Some(entries) = table.table("variables", faults) else {
        return variables;
    };
    for (name, value) in entries.entries() {
        check_name(&name, faults);
        let template = value
            .string(faults)
            .and_then(|text| read_template("variable", &text, faults));
        if let Some(template) = template {
            variables.insert(name.value.to_owned(), template);
        }
    }
    variables
}

fn read_hosts(table: &Table<'_>, faults: &mut Collector) -> Vec<Located<Template>> {
    let entries = table.strings("allowed_outbound_hosts", faults);
    entries
        .iter()
        .filter_map(|entry| {
            let template = read_template("allowed outbound host", entry, faults)?;
            if template.value.is_literal() {
                check_host(entry, faults);
            }
            Some(template)
        })
        .collect()
}

fn check_host(entry: &Located<String>, faults: &mut Collector) {
    if let Err(error) = Rule::parse(&entry.value) {
        let kind = invalid("allowed outbound host", &entry.value, error.to_string());
        faults.add(&entry.range, kind);
    }
}

fn read_template(
    what: &str,
    text: &Located<String>,
    faults: &mut Collector,
) -> Option<Located<Template>> {
    match Template::parse(&text.value) {
        Ok(template) => Some(Located::new(template, text.range.clone())),
        Err(error) => {
            faults.add(&text.range, invalid(what, &text.value, error.to_string()));
            None
        }
    }
}

fn invalid(what: &str, value: &str, reason: String) -> FaultKind {
    FaultKind::Invalid {
        what: what.to_owned(),
        value: value.to_owned(),
        reason,
    }
}
