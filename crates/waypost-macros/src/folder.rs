//! The pattern of a route, from the folder of its crate.

use std::path::{Component, Path, PathBuf};

use waypost_routing::Pattern;

/// Returns the pattern of the crate in `manifest_dir`, which is its folder below the app's `handlers`, or `None` if
/// it is not in an app.
///
/// The app is the nearest parent folder with both `handlers` and `spin.toml`.
pub fn pattern(manifest_dir: &Path) -> Result<Option<Pattern>, String> {
    let Some(handlers) = handlers(manifest_dir) else {
        return Ok(None);
    };
    let below = manifest_dir
        .strip_prefix(&handlers)
        .unwrap_or(Path::new(""));
    let mut names = Vec::new();
    for component in below.components() {
        if let Component::Normal(name) = component {
            let text = name
                .to_str()
                .ok_or_else(|| format!("the folder {name:?} is not UTF-8"))?;
            names.push(text);
        }
    }
    let folder = names.join("/");
    let pattern = Pattern::parse(&folder);
    pattern
        .map(Some)
        .map_err(|error| format!("`handlers/{folder}` is not a valid route: {error}"))
}

fn handlers(manifest_dir: &Path) -> Option<PathBuf> {
    let above = manifest_dir
        .ancestors()
        .filter(|folder| folder.ends_with("handlers"));
    let mut of_app = above.filter(|folder| {
        folder
            .parent()
            .is_some_and(|app| app.join("spin.toml").is_file())
    });
    of_app.next().map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_outside_an_app_has_no_pattern() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert_eq!(pattern(here), Ok(None));
    }
}
