//! Warns if a new app lies in another workspace that includes its folder: Cargo then refuses to build that workspace.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use toml_edit::DocumentMut;
use waypost_config::Fault;

/// What Cargo says of a workspace that includes another one.
const REFUSED: &str = "multiple workspace roots";

/// Returns a warning if the nearest workspace above `folder` can no longer be built.
pub(super) fn warning(folder: &Path) -> Option<Fault> {
    let manifest = workspace_above(folder)?;
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .arg("--manifest-path")
        .arg(&manifest)
        .stdin(Stdio::null())
        .output()
        .ok()?;
    if output.status.success() || !String::from_utf8_lossy(&output.stderr).contains(REFUSED) {
        return None;
    }
    let root = manifest.parent()?;
    let within = folder.strip_prefix(root).ok()?.display().to_string();
    let within = within.replace('\\', "/");
    let message = "the members of another workspace include the app, so Cargo refuses to build that workspace";
    let hint = format!("add `exclude = [\"{within}\"]` to `[workspace]` there");
    let shown = manifest.display().to_string();
    Some(Fault::warning(message).file(shown).hint(hint))
}

fn workspace_above(folder: &Path) -> Option<PathBuf> {
    let manifests = folder
        .ancestors()
        .skip(1)
        .map(|folder| folder.join("Cargo.toml"));
    manifests.into_iter().find(|manifest| {
        let text = waypost_config::read_text_file(manifest).unwrap_or_default();
        let manifest: Result<DocumentMut, _> = text.parse();
        manifest.is_ok_and(|manifest| manifest.contains_key("workspace"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_workspace_that_includes_the_app_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let shop = folder.path().join("apps/shop");
        fs::create_dir_all(&shop).unwrap();
        fs::write(shop.join("Cargo.toml"), "[workspace]\n").unwrap();
        let outer = folder.path().join("Cargo.toml");
        for (workspace, is_warned) in [
            ("[workspace]\nmembers = [\"apps/*\"]\n", true),
            (
                "[workspace]\nmembers = [\"apps/*\"]\nexclude = [\"apps/shop\"]\n",
                false,
            ),
            ("[workspace]\nmembers = []\n", false),
        ] {
            fs::write(&outer, workspace).unwrap();
            let warning = warning(&shop);
            assert_eq!(warning.is_some(), is_warned, "{workspace}");
            if let Some(warning) = warning {
                assert_eq!(
                    warning.advice(),
                    Some("add `exclude = [\"apps/shop\"]` to `[workspace]` there")
                );
            }
        }
    }
}
