//! `[variables]`: the values that the app takes from its environment.

use std::collections::BTreeMap;

use crate::component_id::check_lower_snake;
use crate::document::{Collector, Keys, Located, Table};
use crate::fault::FaultKind;
use crate::variables::Variable;

const KEYS: Keys = Keys::only(&["description", "default", "required", "secret"]);

/// Reads all variables.
pub(super) fn read_all(root: &Table<'_>, faults: &mut Collector) -> BTreeMap<String, Variable> {
    let mut variables = BTreeMap::new();
    let Some(table) = root.table("variables", faults) else {
        return variables;
    };
    for (name, value) in table.entries() {
        check_name(&name, faults);
        let read = value.table(faults).map(|table| read(&name, &table, faults));
        // An invalid variable still counts as declared, so that templates with it get no fault of their own.
        let variable = read.unwrap_or_else(|| Variable {
            description: None,
            default: None,
            secret: false,
            range: name.range.clone(),
        });
        variables.insert(name.value.to_owned(), variable);
    }
    variables
}

/// Reports a variable name that isn't lowercase snake case.
pub(crate) fn check_name(name: &Located<&str>, faults: &mut Collector) {
    if let Err(error) = check_lower_snake(name.value) {
        let kind = FaultKind::Invalid {
            what: "variable name".to_owned(),
            value: name.value.to_owned(),
            reason: error.to_string(),
        };
        faults.add(&name.range, kind);
    }
}

fn read(name: &Located<&str>, table: &Table<'_>, faults: &mut Collector) -> Variable {
    table.check_keys(&KEYS, faults);
    let description = table.string("description", faults).map(|text| text.value);
    let default = table.string("default", faults).map(|text| text.value);
    let required = table.flag("required", faults);
    let secret = table.flag("secret", faults);
    let has_default = table.get("default").is_some();
    if required == has_default {
        let variable = name.value.to_owned();
        faults.add(&name.range, FaultKind::RequiredOrDefault { name: variable });
    }
    Variable {
        description,
        default,
        secret,
        range: name.range.clone(),
    }
}
