//! `[variables]`: what the app can be told from outside.

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
        // A variable that is wrong is declared all the same: templates may name it.
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

/// Reports a name that isn't lower snake case, for variables of the app and of components.
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
