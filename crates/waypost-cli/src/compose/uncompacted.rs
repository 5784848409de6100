//! Parts of a composition that could not be compacted, and what they cost.

use std::collections::BTreeMap;

use waypost_compact::UnknownShape;
use waypost_config::Fault;

use crate::anatomy::Anatomy;

/// A part that is linked as it is, because its component has a shape that `waypost-compact` does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uncompacted {
    part: String,
    reason: UnknownShape,
    core_instances: usize,
    tables: usize,
}

impl Uncompacted {
    pub(super) fn new(part: &str, reason: UnknownShape, anatomy: &Anatomy) -> Uncompacted {
        Uncompacted {
            part: part.to_owned(),
            reason,
            core_instances: anatomy.core_instances,
            tables: anatomy.tables,
        }
    }
}

/// Returns a warning for each reason, with the parts and their cost.
pub fn warnings(parts: &[Uncompacted]) -> Vec<Fault> {
    let mut by_reason: BTreeMap<UnknownShape, Vec<&Uncompacted>> = BTreeMap::new();
    for part in parts {
        by_reason.entry(part.reason).or_default().push(part);
    }
    by_reason
        .iter()
        .map(|(reason, parts)| warning(*reason, parts))
        .collect()
}

fn warning(reason: UnknownShape, parts: &[&Uncompacted]) -> Fault {
    let names: Vec<String> = parts
        .iter()
        .map(|part| format!("`{}`", part.part))
        .collect();
    let core_instances: usize = parts.iter().map(|part| part.core_instances).sum();
    let tables: usize = parts.iter().map(|part| part.tables).sum();
    let message = match parts {
        [_] => format!("{} is linked without compaction: {reason}", names.concat()),
        many => format!(
            "{} parts are linked without compaction ({}); of each is true: {reason}",
            many.len(),
            names.join(", ")
        ),
    };
    let count = parts.len();
    Fault::warning(message).hint(format!(
        "the composition works; each of its instances has {core_instances} core instances and {tables} tables for this, \
         at least {count} of both more than with compaction"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_names_the_parts_and_their_cost() {
        let anatomy = Anatomy {
            core_instances: 4,
            tables: 2,
            ..Anatomy::default()
        };
        let part = |name, reason| Uncompacted::new(name, reason, &anatomy);
        let parts = [
            part("a", UnknownShape::ShimUsers),
            part("b", UnknownShape::NoShim),
            part("c", UnknownShape::ShimUsers),
        ];
        let warnings: Vec<String> = warnings(&parts)
            .iter()
            .map(|warning| warning.report().to_string())
            .collect();
        assert_eq!(
            warnings,
            [
                "warning: `b` is linked without compaction: it does not have exactly one shim module (a table exported as \
                 `$imports`)\n  hint: the composition works; each of its instances has 4 core instances and 2 tables for \
                 this, at least 1 of both more than with compaction",
                "warning: 2 parts are linked without compaction (`a`, `c`); of each is true: not exactly one module imports \
                 the functions of its shim module (an adapter for preview 1 is a second one)\n  hint: the composition \
                 works; each of its instances has 8 core instances and 4 tables for this, at least 2 of both more than \
                 with compaction",
            ]
        );
        assert!(super::warnings(&[]).is_empty());
    }
}
