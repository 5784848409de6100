//! The commands, one file each. Each has arguments that `resolve` into a command, which `exec` runs.

mod add;
mod build;
mod cache;
mod check;
mod compose;
mod doctor;
mod new;
mod routes;
mod serve;
mod up;

pub use add::AddArgs;
pub use build::BuildArgs;
pub use cache::CacheArgs;
pub use check::CheckArgs;
pub use compose::ComposeArgs;
pub use doctor::DoctorArgs;
pub use new::NewArgs;
pub use routes::RoutesArgs;
pub use serve::ServeArgs;
pub use up::UpArgs;

use crate::app::App;
use crate::output;
use crate::route::Route;
use crate::scan::Scan;

/// Scans an app, prints the warnings and returns the routes.
///
/// # Errors
///
/// With all faults of the routes at once.
fn scan(app: &App) -> anyhow::Result<Vec<Route>> {
    let scan = Scan::of(app);
    scan.warnings().for_each(output::fault);
    Ok(scan.into_routes()?)
}
