//! Composition: the router and all handlers of an app as one component.
//!
//! The router of a composition has each handler as an import of its own, with the shape of WASI's HTTP
//! handler. It is built for that (`imports`), and then everything is linked (`link`). What comes of it imports
//! nothing but WASI HTTP and what that builds on, so any host of WASI HTTP can serve it.

mod cli_stub;
mod compact;
mod imports;
mod link;
mod pool;
mod selection;
pub(crate) mod standard;

use std::path::PathBuf;

use anyhow::Context as _;
use waypost_config::{Fault, Faults, read_file};

use crate::abi::Abi;
use crate::anatomy::Anatomy;
use crate::app::App;
use crate::build;
use crate::environment::{Environment, Environments};
use crate::failure::Failure;
use crate::host::MAX_COMPONENT;
use crate::scan::Route;
pub use pool::Demand;
pub use selection::{Below, Selection};

/// How many handlers one component holds: Wasmtime compiles none with more than 100 memories, and the router
/// and the stub have one each.
const MAX_HANDLERS: usize = 98;

/// An app in one component.
pub struct Composition {
    /// The component.
    pub component: Vec<u8>,
    /// How many routes it has.
    pub routes: usize,
    /// What one instance of it takes from a host's pools.
    pub demand: Demand,
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
/// When it has too many routes, does not build, or a handler can't be part of a component for any host: all of
/// those at once.
pub fn compose(
    app: &App,
    routes: &[Route],
    selection: &Selection,
    abi: Abi,
    environments: &Environments,
) -> anyhow::Result<Composition> {
    let chosen = selection.of(routes)?;
    let has_environment = |route: &&&Route| environments.contains_key(route.id().as_str());
    refuse_count(chosen.len(), chosen.iter().filter(has_environment).count())?;
    let mut files = build::handlers(app, routes, abi, environments)?;
    files.retain(|(route, _)| selection.takes(route));
    let parts = parts(&files, abi, environments)?;
    let imports = imports::write(app, &chosen, abi)?;
    let router = build::composed_router(app, abi, &imports)?;
    let router = read_file(&router, MAX_COMPONENT)
        .with_context(|| format!("cannot read `{}`", router.display()))?;
    let linked = link::link(abi, router, parts).context("the app cannot be linked")?;
    let component = linked.component;
    let demand = Demand::of(&Anatomy::parse(&component)?, linked.adapters);
    Ok(Composition {
        component,
        routes: chosen.len(),
        demand,
    })
}

/// Refuses as many routes as one component can't hold. An environment takes a memory, as a route does.
///
/// # Errors
///
/// When there is no route, or too many.
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
) -> anyhow::Result<Vec<Part>> {
    let (mut parts, mut faults) = (Vec::new(), Vec::new());
    for (route, file) in files {
        let component = read_file(file, MAX_COMPONENT)
            .with_context(|| format!("cannot read `{}`", file.display()))?;
        let found = faults_of(&Anatomy::parse(&component)?, abi);
        faults.extend(found.into_iter().map(|fault| fault.file(route.file())));
        let id = route.id().to_string();
        let environment = environments.get(&id).cloned().unwrap_or_default();
        parts.push(Part {
            id,
            component,
            environment,
        });
    }
    Faults::refuse(faults)?;
    Ok(parts)
}

/// What keeps a handler out of a composition.
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
            "the handler imports `{name}`, which plain WASI HTTP has not"
        ))
        .hint("leave it out, or serve the app with `cargo waypost up` or Spin")
    }));
    faults
}
