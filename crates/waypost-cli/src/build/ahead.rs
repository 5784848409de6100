//! Compiles components to machine code ahead of the first request.

use std::path::PathBuf;
use std::time::Instant;

use waypost_config::{Fault, Faults};

use super::progress::{Progress, Work};
use crate::app::App;
use crate::component_id::ROUTER;
use crate::output;
use crate::parallel;
use crate::route::Route;
use crate::serve::{CodeCache, Compiler};
use crate::spin_toml::{component_file, router_file};

/// A component, and the names by which it is reported.
struct Part {
    id: String,
    source: String,
    file: PathBuf,
}

/// Compiles the components of a built app for this machine, into the code cache.
///
/// # Errors
///
/// Returns an error with all components that do not compile.
pub fn compile_ahead(app: &App, routes: &[Route], code_cache: CodeCache) -> anyhow::Result<()> {
    let start = Instant::now();
    let compiler = Compiler::new(code_cache)?;
    let parts = parts(app, routes)?;
    let title = "Compiling for this machine".to_owned();
    let progress = Progress::brief(title, parts.len());
    let compile = |part: &Part| {
        let result = compiler.compile(&part.id, &part.file);
        progress.made(&part.id, Work::Fresh);
        result.map_err(|error| Fault::error(error.to_string()).file(&part.source))
    };
    let results = parallel::map(&parts, compile);
    progress.clear();
    Faults::refuse(results.into_iter().filter_map(Result::err).collect())?;
    let seconds = start.elapsed().as_secs_f64();
    if compiler.compiled() > 0 {
        let (new, all) = (compiler.compiled(), parts.len());
        output::note(&format!(
            "Compiled {new} of {all} components for this machine in {seconds:.1} s"
        ));
    }
    Ok(())
}

fn parts(app: &App, routes: &[Route]) -> anyhow::Result<Vec<Part>> {
    let manifest = super::spin_toml(app)?;
    let router = Part {
        id: ROUTER.to_owned(),
        source: ROUTER.to_owned(),
        file: router_file(app, &manifest),
    };
    let part = |route: &Route| Part {
        id: route.id().to_string(),
        source: route.file(),
        file: component_file(app, &manifest, route),
    };
    Ok([router]
        .into_iter()
        .chain(routes.iter().map(part))
        .collect())
}
