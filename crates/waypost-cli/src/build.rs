//! The build: handlers first, then the table of what they say of themselves, then the router.
//!
//! Cargo does the compiling, once for all handlers. The order matters because the router is
//! compiled with the table.

mod ahead;
pub(crate) mod artefact;
mod cargo;
mod componentize;
mod described;
mod preview1;
mod progress;
mod wasm_target;

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context as _;
use toml_edit::DocumentMut;
use waypost_config::{Fault, read_text_file};

use crate::abi::Abi;
use crate::app::App;
use crate::component_id::{ROUTER, file_name};
use crate::environment::{Environment, Environments};
use crate::failure::Failure;
use crate::foreign::Depth;
use crate::output;
use crate::scan::{Route, RouteKind};
use crate::sync::{Plan, component_file};
pub use ahead::compile_ahead;
use cargo::{CargoBuild, Composed, Outcome};
pub use described::Built;
use progress::Progress;

/// Builds an app and brings its files in step with its folders.
///
/// # Errors
///
/// When a file cannot be kept in step, the target cannot be installed, a route does not compile,
/// or a component does not say what its folder says.
pub fn build<'r>(app: &App, routes: &'r [Route]) -> anyhow::Result<Built<'r>> {
    build_telling(app, routes, || {})
}

/// As [`build`]; calls `in_step` when the files that people write too are in step: who changes them after that is not
/// the build.
///
/// # Errors
///
/// As [`build`].
pub fn build_telling<'r>(
    app: &App,
    routes: &'r [Route],
    in_step: impl FnOnce(),
) -> anyhow::Result<Built<'r>> {
    let start = Instant::now();
    refuse_without_router(app)?;
    bring_in_step(app, routes)?;
    in_step();
    wasm_target::ensure(app, Abi::Wasi03.target())?;
    let manifest = spin_toml(app)?;
    build_handlers(app, routes, &manifest)?;
    let built = describe(app, &component_files(app, routes, &manifest))?;
    build_router(app, &manifest)?;
    output::note(&format!(
        "Built {} and the router in {:.1} s",
        output::routes(routes.len()),
        start.elapsed().as_secs_f64()
    ));
    Ok(built)
}

/// An app that was built before. The code in components that were made elsewhere is not looked at, as their host
/// does so anyway.
///
/// # Errors
///
/// When a component is not there or does not say what its folder says.
pub fn built<'r>(app: &App, routes: &'r [Route]) -> anyhow::Result<Built<'r>> {
    Ok(Built::read(app, &components(app, routes)?, Depth::Outline)?)
}

/// Builds the handlers of an app for a version of WASI, and the router's table; gives the component of each
/// route. Those of WASI 0.2 have their environment inside.
///
/// # Errors
///
/// As [`build`].
pub fn handlers<'r>(
    app: &App,
    routes: &'r [Route],
    abi: Abi,
    environments: &Environments,
) -> anyhow::Result<Vec<(&'r Route, PathBuf)>> {
    if abi == Abi::Wasi03 {
        build(app, routes)?;
        return components(app, routes);
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
    describe(app, &files)?;
    Ok(files)
}

/// Builds the router that is linked with its handlers; `imports` is the Rust file that reaches them.
///
/// # Errors
///
/// When it does not compile.
pub fn composed_router(app: &App, abi: Abi, imports: &Path) -> anyhow::Result<PathBuf> {
    let target_dir = composed_folder(app, abi)?.join("build");
    let composed = Composed {
        imports,
        target_dir: &target_dir,
    };
    let progress = Progress::start("Building the router of the composition".to_owned(), 1);
    let cargo = CargoBuild::new(app, &[ROUTER], abi).composed(composed);
    let outcome = cargo.run(&progress);
    progress.finish();
    let outcome = outcome?;
    let built = match outcome.artefact(ROUTER) {
        Some(file) if outcome.is_success() => file,
        _ => {
            let message = "the router in `router/` does not build for a composition";
            return Err(Failure::new(message).into());
        }
    };
    if abi == Abi::Wasi03 {
        return Ok(built.to_owned());
    }
    let component = composed_folder(app, abi)?.join("router.wasm");
    componentize::componentize(built, &component, &Environment::new())?;
    Ok(component)
}

/// Where a composition is built: below Cargo's folder for the app.
///
/// # Errors
///
/// When Cargo does not tell its folder.
pub fn composed_folder(app: &App, abi: Abi) -> anyhow::Result<PathBuf> {
    let target = cargo::target_directory(app)?;
    Ok(target.join("composed").join(abi.target()))
}

/// The component file of each route, where the manifest has it.
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

fn spin_toml(app: &App) -> anyhow::Result<DocumentMut> {
    read_text_file(app.spin_toml())
        .context("cannot read `spin.toml`")?
        .parse()
        .context("`spin.toml` is not valid TOML")
}

fn build_handlers(app: &App, routes: &[Route], manifest: &DocumentMut) -> anyhow::Result<()> {
    let outcome = compile(app, routes, Abi::Wasi03)?;
    routes.iter().try_for_each(|route| {
        let id = route.id().as_str();
        let made = match route.kind() {
            RouteKind::Source => artefact(&outcome, id)?.to_owned(),
            RouteKind::Component => app.root().join(route.file()),
        };
        install(id, &made, &component_file(app, manifest, route))
    })
}

/// Has Cargo compile all routes that are sources.
fn compile(app: &App, routes: &[Route], abi: Abi) -> anyhow::Result<Outcome> {
    let is_source = |route: &&Route| route.kind() == RouteKind::Source;
    let packages: Vec<&str> = routes
        .iter()
        .filter(is_source)
        .map(|route| route.id().as_str())
        .collect();
    if packages.is_empty() {
        return Ok(Outcome::default());
    }
    if !app.root().join("target").join(abi.target()).is_dir() {
        output::note("The first build compiles what the routes share; later ones take seconds.");
    }
    let progress = Progress::start(
        format!("Building {}", output::routes(packages.len())),
        packages.len(),
    );
    let outcome = CargoBuild::new(app, &packages, abi).run(&progress);
    progress.finish();
    let outcome = outcome?;
    if !outcome.is_success() {
        return Err(does_not_compile(routes, &outcome).into());
    }
    Ok(outcome)
}

fn build_router(app: &App, manifest: &DocumentMut) -> anyhow::Result<()> {
    let progress = Progress::start("Building the router".to_owned(), 1);
    let outcome = CargoBuild::new(app, &[ROUTER], Abi::Wasi03).run(&progress);
    progress.finish();
    let outcome = outcome?;
    if !outcome.is_success() {
        let failure = Failure::new("the router in `router/` does not build");
        return Err(failure.into());
    }
    let file = crate::sync::router_file(app, manifest);
    install(ROUTER, artefact(&outcome, ROUTER)?, &file)
}

/// Puts a component where the manifest wants it, if it was made elsewhere.
fn install(id: &str, made: &Path, file: &Path) -> anyhow::Result<()> {
    artefact::install(made, file)
        .with_context(|| format!("cannot copy the component `{id}` to `{}`", file.display()))
}

/// What Cargo made of a package.
fn artefact<'o>(outcome: &'o Outcome, package: &str) -> Result<&'o Path, Failure> {
    outcome.artefact(package).ok_or_else(|| {
        Failure::new(format!(
            "Cargo made no component of the package `{package}`"
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

/// Looks at components that were just made, and tells the router of them.
fn describe<'r>(app: &App, files: &[(&'r Route, PathBuf)]) -> anyhow::Result<Built<'r>> {
    let built = Built::read(app, files, Depth::Whole)?;
    Plan::of_routes_file(app, &built.entries())?.apply()?;
    Ok(built)
}
