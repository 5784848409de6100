//! `[routes."/pattern"]`: the settings of one route.

use std::collections::BTreeMap;
use std::ops::Range;

use super::cache::{self, Cache, RouteCache};
use super::limits::{self, Limits, Overrides};
use crate::document::{Collector, Keys, Located, Table, Value};
use crate::fault::FaultKind;

/// The settings of one route, and the place of its pattern in the file.
#[derive(Clone, Debug)]
pub(super) struct RouteSettings {
    pub(super) limits: Overrides,
    pub(super) cache: Option<RouteCache>,
    pub(super) range: Range<usize>,
}

const KEYS: Keys = Keys::only(&["limits", "cache"]);

/// Reads the settings of all routes. The keys are their patterns.
pub(super) fn read(
    root: &Table<'_>,
    limits: &Limits,
    cache: &Cache,
    faults: &mut Collector,
) -> BTreeMap<String, RouteSettings> {
    let Some(table) = root.table("routes", faults) else {
        return BTreeMap::new();
    };
    table
        .entries()
        .filter_map(|(pattern, value)| {
            let route = read_route(&pattern, &value, limits, cache, faults)?;
            Some((pattern.value.to_owned(), route))
        })
        .collect()
}

fn read_route(
    pattern: &Located<&str>,
    value: &Value<'_>,
    limits: &Limits,
    cache: &Cache,
    faults: &mut Collector,
) -> Option<RouteSettings> {
    if !pattern.value.starts_with('/') {
        let kind = FaultKind::Invalid {
            what: "route".to_owned(),
            value: pattern.value.to_owned(),
            reason: "a pattern begins with `/`, as in `/items/[slug]`".to_owned(),
        };
        faults.add(&pattern.range, kind);
    }
    let table = value.table(faults)?;
    table.check_keys(&KEYS, faults);
    let overrides = table
        .table("limits", faults)
        .map(|table| limits::read_route(&table, limits, faults))
        .unwrap_or_default();
    let cache = table
        .get("cache")
        .and_then(|value| cache::read_route(&value, &cache.profiles, faults));
    Some(RouteSettings {
        limits: overrides,
        cache,
        range: pattern.range.clone(),
    })
}
