//! What a build does for the response cache of the router component: its table, its entries in `spin.toml`, and the versions of
//! the components whose responses it stores.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};
use waypost_cache::internal::CACHE_VARIABLE;
use waypost_config::read_file;

use super::Built;
use crate::app::App;
use crate::output;
use crate::route::Route;
use crate::serve::MAX_COMPONENT;
use crate::sync::{Caching, Plan};

/// How many bytes of a digest tell the versions of a component apart.
const VERSION: usize = 8;

/// Writes the policies of the routes and what `spin.toml` needs for them. Returns the versions of their components, or `None`
/// if no route has a policy, and whether it wrote `spin.toml`.
pub(super) fn follow(
    app: &App,
    built: &Built<'_>,
    files: &[(&Route, PathBuf)],
) -> anyhow::Result<(Option<String>, bool)> {
    let policies = built.policies();
    write_table(app, &policies)?;
    let mut caching = Caching {
        is_on: !policies.is_empty(),
        ..Caching::default()
    };
    let mut versions = Vec::new();
    for (route, file) in files {
        let id = route.id().as_str();
        caching.routes.push(id.to_owned());
        if !caching.is_on {
            continue;
        }
        let component = component(file)?;
        if is_told(&component) {
            caching.told.push(id.to_owned());
        }
        if policies.iter().any(|(cached, _)| *cached == id) {
            versions.push(format!("{id}={}", version(&component)));
        }
    }
    let plan = Plan::of_caching(app, &caching)?;
    plan.apply()?;
    plan.changes(app)
        .iter()
        .for_each(|change| output::note(change));
    let versions = caching.is_on.then(|| versions.join(" "));
    Ok((versions, !plan.is_empty()))
}

fn write_table(app: &App, policies: &[(&str, &waypost_cache::Policy)]) -> anyhow::Result<()> {
    let file = app.cache_txt();
    if !policies.is_empty() {
        return Ok(Plan::of_cache_table(app, policies)?.apply()?);
    }
    match file.is_file() {
        true => {
            fs::remove_file(&file).with_context(|| format!("cannot remove `{}`", file.display()))
        }
        false => Ok(()),
    }
}

fn component(file: &Path) -> anyhow::Result<Vec<u8>> {
    read_file(file, MAX_COMPONENT).with_context(|| format!("cannot read `{}`", file.display()))
}

/// Returns whether a component reads the variable that tells of a cache.
pub(crate) fn is_told(component: &[u8]) -> bool {
    let name = CACHE_VARIABLE.as_bytes();
    component.windows(name.len()).any(|window| window == name)
}

fn version(component: &[u8]) -> String {
    let digest = Sha256::digest(component);
    let start = digest.iter().take(VERSION);
    start.map(|byte| format!("{byte:02x}")).collect()
}
