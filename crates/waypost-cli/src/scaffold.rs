//! Files that `new` and `add` write: texts only, nothing here touches the disk.
//!
//! A new app shares its router, the versions of its dependencies and its release profile with Waypost's
//! repository. The folder `templates` has them; a test compares them with the repository's own.

mod app;
mod manifest;
mod route;

pub use app::{AppName, ROUTER_SOURCE, files};
pub use route::{MethodName, route_manifest, route_source};

/// The repository that this command was built in, while it is still there.
///
/// A new app then depends on it by path, and on the published version otherwise.
pub fn checkout() -> Option<std::path::PathBuf> {
    let crates = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    let is_there = crates.join("waypost").join("Cargo.toml").is_file();
    is_there.then(|| crates.parent().map(ToOwned::to_owned))?
}
