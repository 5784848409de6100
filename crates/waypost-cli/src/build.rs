//! Builds an app: first the handlers, then the table with their descriptions, then the router.
//!
//! Cargo compiles handlers with equal dependencies in one run (`groups`). The order matters because the router is compiled with the table.

mod ahead;
pub(crate) mod artefact;
pub(crate) mod caching;
mod cargo;
mod componentize;
mod described;
mod freshness;
mod groups;
mod inputs;
mod machine;
mod preview1;
mod progress;
mod wasm_target;

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context as _;
use toml_edit::DocumentMut;
use waypost_cache::Policy;
use waypost_config::{Fault, read_text_file};

use crate::abi::Abi;
use crate::app::App;
use crate::component_id::{ROUTER, file_name};
use crate::environment::{Environment, Environments};
use crate::failure::Failure;
use crate::foreign::Depth;
use crate::output;
use crate::route::{Route, RouteKind};
use crate::spin_toml::{component_file, router_file};
use crate::sync::{Inputs, Plan};
pub use ahead::compile_ahead;
use cargo::{CargoBuild, Composed, Outcome, Package};
pub use described::Built;
pub(crate) use described::cache_policy;
use progress::Progress;

const SPIN_TOML: &str = "spin.toml";

/// The record of [`freshness`], in Cargo's target folder.
const INPUTS: &str = "waypost-inputs.txt";

/// Builds an app, and updates its files to match its folders.
///
/// # Errors
///
/// When a file cannot be updated, the target cannot be installed, a route does not compile, or the description of a
/// component does not match its folder.
pub fn build<'r>(app: &App, routes: &'r [Route]) -> anyhow::Result<Built<'r>> {
    build_telling(app, routes, |_| {})
}

/// Builds an app as [`build`] does. Calls `written` with the names of files that people edit too, once they are synchronised; later
/// changes are the user's.
///
/// # Errors
///
/// As [`build`].
pub fn build_telling<'r>(
    app: &App,
    routes: &'r [Route],
    mut written: impl FnMut(&[&str]),
) -> anyhow::Result<Built<'r>> {
    let start = Instant::now();
    refuse_without_router(app)?;
    bring_in_step(app, routes)?;
    written(&["Cargo.toml", SPIN_TOML]);
    wasm_target::ensure(app, Abi::Wasi03.target())?;
    let manifest = spin_toml(app)?;
    let record = cargo::folders(app)?.target.join(INPUTS);
    freshness::renew(&record).iter().for_each(output::fault);
    let mut inputs = build_handlers(app, routes, &manifest)?;
    if watch_inputs(app, &manifest, &inputs)? {
        written(&[SPIN_TOML]);
    }
    let files = component_files(app, routes, &manifest);
    let built = describe(app, &files)?;
    let (versions, is_changed) = caching::follow(app, &built, &files)?;
    if is_changed {
        written(&[SPIN_TOML]);
    }
    inputs.extend(build_router(app, &manifest, versions.as_deref())?);
    freshness::record(&record, inputs.values().flatten());
    let built = built.made_of(inputs.into_values().flatten().collect());
    output::note(&format!(
        "Built {} and the router in {:.1} s",
        output::routes(routes.len()),
        start.elapsed().as_secs_f64()
    ));
    Ok(built)
}

/// Returns the last build of an app. The code in components that were made elsewhere is not validated, because the
/// host does so anyway.
///
/// # Errors
///
/// When a component is missing, or its description does not match its folder.
pub fn built<'r>(app: &App, routes: &'r [Route]) -> anyhow::Result<Built<'r>> {
    Ok(Built::read(app, &components(app, routes)?, Depth::Outline)?)
}

/// The handlers of an app, and what the router needs to know of them.
pub struct Handlers<'r> {
    /// The component of each route.
    pub files: Vec<(&'r Route, PathBuf)>,
    /// The cache policies of routes, by the ids of their components.
    pub policies: Vec<(String, Policy)>,
}

/// Builds the handlers of an app for a version of WASI, and the router's table. Those for WASI 0.2 contain their environment.
///
/// # Errors
///
/// As [`build`].
pub fn handlers<'r>(
    app: &App,
    routes: &'r [Route],
    abi: Abi,
    environments: &Environments,
) -> anyhow::Result<Handlers<'r>> {
    if abi == Abi::Wasi03 {
        let policies = owned(build(app, routes)?.policies());
        let files = components(app, routes)?;
        return Ok(Handlers { files, policies });
    }
    refuse_without_router(app)?;
    bring_in_step(app, routes)?;
    wasm_target::ensure(app, abi.target())?;
    let outcome = compile(app, routes, abi)?;
    let folder = composed_folder(app, abi)?.join("handlers");
    let mut files = Vec::new();
    for route in routes {
        let file = match route.kind() {
            RouteKind::Source => folder.join(file_name(route.id())),
            RouteKind::Component => app.root().join(route.file()),
        };
        if route.kind() == RouteKind::Source {
            let id = route.id().as_str();
            let none = Environment::new();
            let environment = environments.get(id).unwrap_or(&none);
            componentize::componentize(artefact(&outcome, id)?, &file, environment)?;
        }
        files.push((route, file));
    }
    let policies = owned(describe(app, &files)?.policies());
    Ok(Handlers { files, policies })
}

fn owned(policies: Vec<(&str, &Policy)>) -> Vec<(String, Policy)> {
    let owned = |(id, policy): (&str, &Policy)| (id.to_owned(), policy.clone());
    policies.into_iter().map(owned).collect()
}

/// Builds the router of a composition. `imports` is the Rust file that calls its handlers, and has the cache policies if the
/// router caches their responses.
///
/// # Errors
///
/// When it does not compile.
pub fn composed_router(
    app: &App,
    abi: Abi,
    imports: &Path,
    is_cached: bool,
) -> anyhow::Result<PathBuf> {
    let target_dir = composed_folder(app, abi)?.join("build");
    let composed = Composed {
        imports,
        target_dir: &target_dir,
        build_dir: &cargo::folders(app)?.build,
    };
    let progress = Progress::start("Building the router of the composition".to_owned(), 1);
    let router = [Package::new(app, ROUTER, ROUTER)];
    // An instance, and so its cache, has one version of each component.
    let versions = is_cached.then_some("");
    let cargo = CargoBuild::new(app, &router, abi)
        .composed(composed)
        .caching(versions);
    let outcome = cargo.run(&progress);
    progress.finish();
    let failure = "the router in `router/` cannot be built for a composition";
    let outcome = outcome?.or_failure(|_| Failure::new(failure))?;
    let built = artefact(&outcome, ROUTER)?;
    if abi == Abi::Wasi03 {
        return Ok(built.to_owned());
    }
    let component = composed_folder(app, abi)?.join("router.wasm");
    componentize::componentize(built, &component, &Environment::new())?;
    Ok(component)
}

/// Returns the folder in which a composition is built, below Cargo's target folder for the app.
///
/// # Errors
///
/// When Cargo does not report its target folder.
pub fn composed_folder(app: &App, abi: Abi) -> anyhow::Result<PathBuf> {
    let target = cargo::folders(app)?.target;
    Ok(target.join("composed").join(abi.target()))
}

/// Returns the component file of each route, as named in the manifest.
///
/// # Errors
///
/// When `spin.toml` cannot be read.
pub fn components<'r>(app: &App, routes: &'r [Route]) -> anyhow::Result<Vec<(&'r Route, PathBuf)>> {
    Ok(component_files(app, routes, &spin_toml(app)?))
}

fn component_files<'r>(
    app: &App,
    routes: &'r [Route],
    manifest: &DocumentMut,
) -> Vec<(&'r Route, PathBuf)> {
    let file = |route: &'r Route| (route, component_file(app, manifest, route));
    routes.iter().map(file).collect()
}

fn refuse_without_router(app: &App) -> Result<(), Failure> {
    match app.root().join(ROUTER).join("Cargo.toml").is_file() {
        true => Ok(()),
        false => Err(
            Failure::new("the app has no router: `router/Cargo.toml` is missing")
                .hint("copy the folder `router` from an app that `cargo waypost new` makes"),
        ),
    }
}

fn bring_in_step(app: &App, routes: &[Route]) -> anyhow::Result<()> {
    let plan = Plan::of_manifests(app, routes)?;
    for warning in plan.warnings() {
        output::fault(&Fault::warning(warning.as_str()));
    }
    plan.apply()?;
    plan.changes(app)
        .iter()
        .for_each(|change| output::note(change));
    Ok(())
}

/// Adds the files from which the components were compiled to the watch lists of `spin.toml`. Returns whether it wrote the file: if
/// somebody saved it since the build began, the next build adds them.
fn watch_inputs(app: &App, manifest: &DocumentMut, inputs: &Inputs) -> anyhow::Result<bool> {
    let plan = Plan::of_inputs(app, &manifest.to_string(), inputs)?;
    let is_as_it_was =
        || read_text_file(app.spin_toml()).is_ok_and(|text| text == manifest.to_string());
    if plan.is_empty() || !is_as_it_was() {
        return Ok(false);
    }
    plan.apply()?;
    plan.changes(app)
        .iter()
        .for_each(|change| output::note(change));
    Ok(true)
}

fn spin_toml(app: &App) -> anyhow::Result<DocumentMut> {
    read_text_file(app.spin_toml())
        .context("cannot read `spin.toml`")?
        .parse()
        .context("`spin.toml` is not valid TOML")
}

/// Builds the handlers, and returns the files from which they were compiled.
fn build_handlers(app: &App, routes: &[Route], manifest: &DocumentMut) -> anyhow::Result<Inputs> {
    let outcome = compile(app, routes, Abi::Wasi03)?;
    for route in routes {
        let id = route.id().as_str();
        let made = match route.kind() {
            RouteKind::Source => artefact(&outcome, id)?.to_owned(),
            RouteKind::Component => app.root().join(route.file()),
        };
        install(id, &made, &component_file(app, manifest, route))?;
    }
    Ok(outcome.inputs(app.root()))
}

/// Compiles all routes that have a `route.rs`.
fn compile(app: &App, routes: &[Route], abi: Abi) -> anyhow::Result<Outcome> {
    let is_source = |route: &&Route| route.kind() == RouteKind::Source;
    let packages: Vec<Package> = routes
        .iter()
        .filter(is_source)
        .map(|route| Package::new(app, route.id().as_str(), route.folder()))
        .collect();
    if packages.is_empty() {
        return Ok(Outcome::default());
    }
    if !app.root().join("target").join(abi.target()).is_dir() {
        output::note(
            "The first build compiles the dependencies of the routes; later builds take seconds.",
        );
    }
    let progress = Progress::start(
        format!("Building {}", output::routes(packages.len())),
        packages.len(),
    );
    let outcome = CargoBuild::run_groups(app, &groups::of(packages), abi, &progress);
    progress.finish();
    let failure = |outcome: &Outcome| does_not_compile(routes, outcome);
    Ok(outcome?.or_failure(failure)?)
}

/// Builds the router, and returns the files from which it was compiled.
fn build_router(
    app: &App,
    manifest: &DocumentMut,
    versions: Option<&str>,
) -> anyhow::Result<Inputs> {
    let progress = Progress::start("Building the router".to_owned(), 1);
    let router = [Package::new(app, ROUTER, ROUTER)];
    let cargo = CargoBuild::new(app, &router, Abi::Wasi03).caching(versions);
    let outcome = cargo.run(&progress);
    progress.finish();
    let failure = "the router in `router/` cannot be built";
    let outcome = outcome?.or_failure(|_| Failure::new(failure))?;
    let file = router_file(app, manifest);
    install(ROUTER, artefact(&outcome, ROUTER)?, &file)?;
    Ok(outcome.inputs(app.root()))
}

/// Copies a component to the file named in the manifest, unless it is there.
fn install(id: &str, made: &Path, file: &Path) -> anyhow::Result<()> {
    artefact::install(made, file)
        .with_context(|| format!("cannot copy the component `{id}` to `{}`", file.display()))
}

/// Returns the component that Cargo made of a package.
fn artefact<'o>(outcome: &'o Outcome, package: &str) -> Result<&'o Path, Failure> {
    outcome.artefact(package).ok_or_else(|| {
        Failure::new(format!(
            "Cargo did not build a component for the package `{package}`"
        ))
        .hint("its `[lib]` needs `crate-type = [\"cdylib\"]`")
    })
}

fn does_not_compile(routes: &[Route], outcome: &Outcome) -> Failure {
    let failed: Vec<String> = routes
        .iter()
        .filter(|route| outcome.has_failed(route.id().as_str()))
        .map(|route| format!("`{}` ({})", route.pattern(), route.file()))
        .collect();
    match failed.as_slice() {
        [] => Failure::new("Cargo could not build the routes"),
        [one] => Failure::new(format!("the route {one} does not compile")),
        many => Failure::new(format!(
            "{} routes do not compile: {}",
            many.len(),
            many.join(", ")
        )),
    }
}

/// Reads the descriptions of new components, and writes the router's table.
fn describe<'r>(app: &App, files: &[(&'r Route, PathBuf)]) -> anyhow::Result<Built<'r>> {
    let built = Built::read(app, files, Depth::Whole)?;
    Plan::of_routes_file(app, &built.entries())?.apply()?;
    Ok(built)
}
