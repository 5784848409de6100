//! Composition: the router and all handlers of an app as one component.
//!
//! The router of a composition imports each handler under a name of its own, with the interface of WASI's HTTP handler.
//! It is built for that (`imports`); then everything is compacted and linked (`link`). The resulting component imports
//! only WASI HTTP and the interfaces that this builds on, so any host of WASI HTTP can serve it.

mod cache;
mod cli_stub;
mod imports;
mod link;
mod pool;
mod selection;
pub(crate) mod standard;
mod uncompacted;

use std::path::PathBuf;

use anyhow::Context as _;
use waypost_cache::internal::CACHE_VARIABLE;
use waypost_config::{Fault, Faults, read_file};

use crate::abi::Abi;
use crate::anatomy::Anatomy;
use crate::app::App;
use crate::build::caching::is_told;
use crate::build::{self, Handlers};
use crate::environment::{Environment, Environments};
use crate::failure::Failure;
use crate::route::Route;
use crate::serve::MAX_COMPONENT;
pub use cache::{CacheSize, cache_warning};
pub use pool::Demand;
pub use selection::{Below, Selection};
pub use uncompacted::{Uncompacted, warnings};

/// The largest number of handlers in one component: Wasmtime refuses to compile a component with more than 100 memories,
/// and the router and the stub have one each.
const MAX_HANDLERS: usize = 98;

/// An app in one component.
pub struct Composition {
    /// The component.
    pub component: Vec<u8>,
    /// The number of routes in it.
    pub routes: usize,
    /// The resources that one instance of it takes from a host's pools.
    pub demand: Demand,
    /// The parts that could not be compacted.
    pub uncompacted: Vec<Uncompacted>,
    /// The patterns of the routes with a cache policy.
    pub cached: Vec<String>,
}

/// How an app is composed.
#[derive(Debug, Clone, Copy)]
pub struct Form {
    /// The version of WASI HTTP.
    pub abi: Abi,
    /// The memory of the response cache in each instance, or `None` if there is no cache.
    pub cache: Option<CacheSize>,
}

/// A handler that goes into a composition.
struct Part {
    id: String,
    component: Vec<u8>,
    environment: Environment,
}

/// Builds an app and links it into one component.
///
/// # Errors
///
/// When the app has too many routes or does not build, or with all handlers that can't be part of a component for any
/// host.
pub fn compose(
    app: &App,
    routes: &[Route],
    selection: &Selection,
    form: Form,
    environments: &Environments,
) -> anyhow::Result<Composition> {
    let Form { abi, cache } = form;
    refuse_cache(form)?;
    let chosen = selection.of(routes)?;
    let has_environment = |route: &&&Route| environments.contains_key(route.id().as_str());
    refuse_count(chosen.len(), chosen.iter().filter(has_environment).count())?;
    let Handlers {
        mut files,
        mut policies,
    } = build::handlers(app, routes, abi, environments)?;
    files.retain(|(route, _)| selection.takes(route));
    policies.retain(|(id, _)| files.iter().any(|(route, _)| route.id().as_str() == id));
    let cached = chosen.iter().filter(|route| {
        let mut cached = policies.iter();
        cached.any(|(id, _)| route.id().as_str() == id)
    });
    let cached: Vec<_> = cached.map(|route| route.pattern().to_string()).collect();
    let caching = cache.filter(|_| !cached.is_empty());
    let parts = parts(&files, abi, environments, caching.is_some())?;
    let with_environment = parts.iter().filter(|part| !part.environment.is_empty());
    refuse_count(parts.len(), with_environment.count())?;
    let imports = imports::write(app, &chosen, abi, caching.map(|size| (size, &policies[..])))?;
    let router = build::composed_router(app, abi, &imports, caching.is_some())?;
    let router = read_file(&router, MAX_COMPONENT)
        .with_context(|| format!("cannot read `{}`", router.display()))?;
    let linked = link::link(abi, router, parts).context("the app cannot be linked")?;
    let demand = Demand::of(&Anatomy::parse(&linked.component)?, linked.adapters);
    Ok(Composition {
        component: linked.component,
        routes: chosen.len(),
        demand,
        uncompacted: linked.uncompacted,
        cached,
    })
}

/// Checks that the router of a composition can cache.
fn refuse_cache(form: Form) -> Result<(), Failure> {
    match (form.cache, form.abi) {
        (Some(_), Abi::Wasi02) => Err(Failure::new(
            "a composition of WASI 0.2 has no response cache",
        )
        .hint("leave out `--wasi 0.2`, or `--cache`")),
        _ => Ok(()),
    }
}

/// Checks that one component can hold the routes. An environment takes a memory, as a route does.
///
/// # Errors
///
/// When there are no routes, or too many.
pub(crate) fn refuse_count(routes: usize, with_environment: usize) -> Result<(), Failure> {
    let (count, hint) = match routes + with_environment {
        0 => ("none", "`cargo waypost add hello` adds one".to_owned()),
        1..=MAX_HANDLERS => return Ok(()),
        many => {
            let hint = format!(
                "{many} are here (one with an `environment` counts twice): make several compositions, with \
                 `--only /some/path` and `--except /some/path`, or serve them with `cargo waypost up` or Spin, where \
                 each route stays a component of its own"
            );
            ("more than that", hint)
        }
    };
    let message = format!("a composition has 1 to {MAX_HANDLERS} routes, and this app has {count}");
    Err(Failure::new(message).hint(hint))
}

fn parts(
    files: &[(&Route, PathBuf)],
    abi: Abi,
    environments: &Environments,
    is_cached: bool,
) -> anyhow::Result<Vec<Part>> {
    let (mut parts, mut faults) = (Vec::new(), Vec::new());
    for (route, file) in files {
        let component = read_file(file, MAX_COMPONENT)
            .with_context(|| format!("cannot read `{}`", file.display()))?;
        let found = faults_of(&Anatomy::parse(&component)?, abi);
        faults.extend(found.into_iter().map(|fault| fault.file(route.file())));
        let id = route.id().to_string();
        let mut environment = environments.get(&id).cloned().unwrap_or_default();
        if is_cached && is_told(&component) {
            environment.insert(CACHE_VARIABLE.to_owned(), "1".to_owned());
        }
        parts.push(Part {
            id,
            component,
            environment,
        });
    }
    Faults::refuse(faults)?;
    Ok(parts)
}

/// Returns the reasons why a handler can't be part of a composition.
fn faults_of(handler: &Anatomy, abi: Abi) -> Vec<Fault> {
    let mut faults = Vec::new();
    match Abi::of(&handler.exports) {
        Ok(found) if found == abi => {}
        Ok(found) => {
            let fault = Fault::error(format!("a handler of {found} in a composition of {abi}"));
            faults.push(
                fault.hint("one component has one version: build all of its handlers for the same"),
            );
        }
        Err(none) => {
            let hint = none.hint("its `route.rs` needs `waypost::export!(…);`");
            faults.push(Fault::error(format!("the component {none}")).hint(hint));
        }
    }
    let foreign = handler
        .imports
        .iter()
        .filter(|name| !standard::is_met(name));
    faults.extend(foreign.map(|name| {
        Fault::error(format!(
            "the handler imports `{name}`, which is not part of plain WASI HTTP"
        ))
        .hint("remove the import, or serve the app with `cargo waypost up` or Spin")
    }));
    faults
}
