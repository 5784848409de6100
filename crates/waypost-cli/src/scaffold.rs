//! The text of the files that `new` and `add` write. This module writes nothing itself.
//!
//! A new app shares its router, the versions of its dependencies and its release profile with Waypost's
//! repository. The folder `templates` has them; a test compares them with the repository's own.

mod app;
mod manifest;
mod route;

pub use app::{AppName, ROUTER_SOURCE, files};
pub use route::{MethodName, route_manifest, route_source};

/// Returns the repository in which this command was built, or `None` if it is no longer there.
///
/// A new app depends on the repository by path if it is there, and on the published version otherwise.
pub fn checkout() -> Option<std::path::PathBuf> {
    let crates = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    let is_there = crates.join("waypost").join("Cargo.toml").is_file();
    is_there.then(|| crates.parent().map(ToOwned::to_owned))?
}
