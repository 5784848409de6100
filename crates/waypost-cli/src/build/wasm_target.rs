//! Installs the Rust target of components.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Context as _;

use crate::app::App;
use crate::failure::Failure;
use crate::output;

/// Installs a target through rustup, unless the toolchain in use has it already.
pub(super) fn ensure(app: &App, target: &str) -> anyhow::Result<()> {
    if is_installed(app, target)? {
        return Ok(());
    }
    output::note(&format!(
        "Installing the Rust target `{target}` (once): rustup target add {target}"
    ));
    let status = Command::new("rustup")
        .args(["target", "add", target])
        .current_dir(app.root())
        .status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(Failure::new(format!(
            "rustup could not install the Rust target `{target}`"
        ))
        .hint(format!(
            "see its message above, and try again with `rustup target add {target}`"
        ))
        .into()),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(no_rustup(target).into()),
        Err(error) => Err(error).context("cannot run `rustup`"),
    }
}

/// Returns whether the toolchain has the target's standard library.
fn is_installed(app: &App, target: &str) -> anyhow::Result<bool> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(&rustc)
        .args(["--print", "target-libdir", "--target", target])
        .current_dir(app.root())
        .output()
        .with_context(|| format!("cannot run `{}`", PathBuf::from(&rustc).display()))?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(anyhow::anyhow!(message).context(Failure::new(format!(
            "this Rust toolchain does not know the target `{target}`"
        ))));
    }
    let folder = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Ok(PathBuf::from(folder).is_dir())
}

fn no_rustup(target: &str) -> Failure {
    Failure::new(format!(
        "the Rust target `{target}` is not installed, and there is no `rustup` to install it"
    ))
    .hint("install Rust with rustup (https://rustup.rs), or add the target with your system's packages")
}
