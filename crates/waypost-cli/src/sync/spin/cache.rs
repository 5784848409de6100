//! The response cache of the router component: its store, its build, and the components that talk to it.
//!
//! Spin has no cache, so the router is built with one if a route has a policy. Nothing else than these entries is touched, and
//! they are removed again with the last policy.

use toml_edit::{Array, InlineTable, Item, TableLike, Value};
use waypost_cache::internal::{CACHE_VARIABLE, STORE, STORE_VARIABLE};

use super::super::array;
use super::super::manifest::replace;
use super::document::Spin;
use super::{add_globs, build_command, cached_build_command, is_private};
use crate::component_id::ROUTER;

/// The table of policies, which the router contains.
const TABLE: &str = "router/cache.txt";

/// The first glob of the router's watch list as this tool writes it.
const OWN_GLOB: &str = "router/**/*.rs";

/// What the manifest needs for the cache.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Caching {
    /// Whether a route has a policy.
    pub(crate) is_on: bool,
    /// The ids of the routes' components.
    pub(crate) routes: Vec<String>,
    /// The components among them that read [`CACHE_VARIABLE`].
    pub(crate) told: Vec<String>,
}

pub(super) fn follow(spin: &mut Spin, caching: &Caching) {
    let (from, to) = match caching.is_on {
        true => (build_command(ROUTER), cached_build_command(ROUTER)),
        false => (cached_build_command(ROUTER), build_command(ROUTER)),
    };
    let command = spin.build_mut(ROUTER);
    let command = command.and_then(|build| build.get_mut("command")?.as_value_mut());
    if let Some(command) = command.filter(|found| found.as_str() == Some(&from)) {
        replace(command, to);
        spin.note(match caching.is_on {
            true => format!("build `{ROUTER}` with the response cache"),
            false => format!("build `{ROUTER}` without the response cache"),
        });
    }
    match caching.is_on {
        true => grant(spin),
        false => withdraw(spin),
    }
    for id in &caching.routes {
        match caching.is_on && caching.told.contains(id) && is_private(spin, id) {
            true => tell(spin, id),
            false => tell_no_more(spin, id),
        }
    }
}

/// Grants the store to the router, and adds the table to the files whose changes build the router again.
fn grant(spin: &mut Spin) {
    let first = super::first_glob(spin, ROUTER);
    if first.as_deref() == Some(OWN_GLOB) {
        add_globs(spin, ROUTER, &[TABLE.to_owned()]);
    }
    let Some(router) = spin.component_mut(ROUTER) else {
        return;
    };
    let environment = router.get("environment").and_then(Item::as_table_like);
    let named = environment.and_then(|environment| environment.get(STORE_VARIABLE)?.as_str());
    let store = named.unwrap_or(STORE).to_owned();
    match router.get_mut("key_value_stores") {
        None => {
            let stores = Array::from_iter([store.as_str()]);
            router.insert("key_value_stores", Item::Value(stores.into()));
        }
        Some(Item::Value(Value::Array(stores))) if !has(stores, &store) => {
            array::push_all(stores, std::slice::from_ref(&store));
        }
        Some(_) => return,
    }
    spin.note(format!("let `{ROUTER}` open the store `{store}`"));
}

/// Removes the table from the files whose changes build the router again. The store stays granted, because the router may need it for something else.
fn withdraw(spin: &mut Spin) {
    let globs = spin
        .build_mut(ROUTER)
        .and_then(|build| build.get_mut("watch"));
    if let Some(globs) = globs.and_then(Item::as_array_mut) {
        remove(globs, TABLE);
    }
}

/// Sets the variable that tells a component to trust internal headers: the router sets them, and removes those of clients.
fn tell(spin: &mut Spin, id: &str) {
    let Some(component) = spin.component_mut(id) else {
        return;
    };
    match component.get_mut("environment") {
        None => {
            let mut environment = InlineTable::new();
            environment.insert(CACHE_VARIABLE, "1".into());
            component.insert("environment", Item::Value(environment.into()));
        }
        Some(item) => match item {
            Item::Value(Value::InlineTable(environment))
                if !environment.contains_key(CACHE_VARIABLE) =>
            {
                push_inline(environment, CACHE_VARIABLE, "1");
            }
            Item::Table(environment) if !environment.contains_key(CACHE_VARIABLE) => {
                environment.insert(CACHE_VARIABLE, Item::Value("1".into()));
            }
            _ => return,
        },
    }
    spin.note(format!("tell `{id}` of the response cache"));
}

fn tell_no_more(spin: &mut Spin, id: &str) {
    let Some(component) = spin.component_mut(id) else {
        return;
    };
    let environment = component.get_mut("environment");
    let Some(environment) = environment.and_then(Item::as_table_like_mut) else {
        return;
    };
    if environment.get(CACHE_VARIABLE).and_then(Item::as_str) != Some("1") {
        return;
    }
    let removed = environment.remove(CACHE_VARIABLE);
    let space = removed.as_ref().and_then(Item::as_value).map(end_of);
    let last = environment.iter_mut().last().map(|(_, item)| item);
    if let (Some(space), Some(Item::Value(last))) = (space, last) {
        last.decor_mut().set_suffix(space);
    }
    if TableLike::is_empty(environment) {
        component.remove("environment");
    }
    spin.note(format!("tell `{id}` no more of the response cache"));
}

/// Adds an entry at the end of an inline table, with the space before its bracket.
fn push_inline(table: &mut InlineTable, key: &str, value: &str) {
    let mut value = Value::from(value);
    if let Some((_, last)) = table.iter_mut().last() {
        value = value.decorated(" ", end_of(last));
        last.decor_mut().set_suffix("");
    }
    table.insert(key, value);
}

/// Returns the space after a value.
fn end_of(value: &Value) -> String {
    let suffix = value.decor().suffix().and_then(|space| space.as_str());
    suffix.unwrap_or_default().to_owned()
}

fn has(texts: &Array, text: &str) -> bool {
    texts.iter().any(|known| known.as_str() == Some(text))
}

fn remove(texts: &mut Array, text: &str) {
    texts.retain(|known| known.as_str() != Some(text));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::manifest::Manifest;

    const PLAIN: &str = r#"
[[trigger.http]]
route = "/..."
component = "router"

[component.router]
source = "target/wasm32-wasip2/release/router.wasm"
key_value_stores = ["mine"]
[component.router.build]
command = "cargo build --target wasm32-wasip2 --release --target-dir target --manifest-path router/Cargo.toml"
watch = ["router/**/*.rs", "router/Cargo.toml", "router/routes.txt"]

[[trigger.http]]
route = { private = true }
component = "posts"

[component.posts]
source = "posts.wasm"
environment = { KEY = "mine" } # kept

[[trigger.http]]
route = "/open"
component = "open"

[component.open]
source = "open.wasm"
"#;

    fn edit(text: &str, caching: &Caching) -> (String, usize) {
        let mut spin = Spin::new(Manifest::parse("spin.toml", text).unwrap()).unwrap();
        follow(&mut spin, caching);
        let edited = spin.finish();
        (edited.text, edited.changes.len())
    }

    fn caching(is_on: bool) -> Caching {
        let ids = ["posts", "open"].map(str::to_owned).to_vec();
        Caching {
            is_on,
            routes: ids.clone(),
            told: ids,
        }
    }

    #[test]
    fn entries_come_and_go_with_the_policies() {
        let (with, changes) = edit(PLAIN, &caching(true));
        assert_eq!(changes, 4, "{with}");
        for line in [
            "key_value_stores = [\"mine\", \"default\"]",
            "command = \"cargo build --target wasm32-wasip2 --release --features waypost-router/cache --target-dir target --manifest-path router/Cargo.toml\"",
            "watch = [\"router/**/*.rs\", \"router/Cargo.toml\", \"router/routes.txt\", \"router/cache.txt\"]",
            "environment = { KEY = \"mine\", WAYPOST_CACHE = \"1\" } # kept",
        ] {
            assert!(with.contains(line), "{line} is not in {with}");
        }
        assert_eq!(edit(&with, &caching(true)), (with.clone(), 0));
        // A component that clients reach could be told lies.
        assert!(
            !with
                .split("[component.open]")
                .nth(1)
                .unwrap()
                .contains(CACHE_VARIABLE)
        );
        let (without, _) = edit(&with, &caching(false));
        assert_eq!(
            without,
            PLAIN.replace("[\"mine\"]", "[\"mine\", \"default\"]")
        );
    }

    #[test]
    fn the_store_may_be_another() {
        let own = PLAIN.replace(
            "key_value_stores = [\"mine\"]\n",
            "environment = { WAYPOST_CACHE_STORE = \"pages\" }\n",
        );
        let (with, _) = edit(&own, &caching(true));
        assert!(with.contains("key_value_stores = [\"pages\"]"), "{with}");
    }

    #[test]
    fn what_a_person_wrote_stays() {
        let own = PLAIN
            .replace("KEY = \"mine\"", "WAYPOST_CACHE = \"mine\"")
            .replace("--release --target-dir", "--release -v --target-dir")
            .replace("router/**/*.rs", "router/src/lib.rs")
            .replace(
                "key_value_stores = [\"mine\"]\n",
                "key_value_stores = [\"default\"]\n",
            );
        assert_eq!(edit(&own, &caching(true)), (own.clone(), 0));
    }
}
