//! Builds the `waypost` command from this checkout, and runs it.
//!
//! The first build of the command takes minutes. `cargo waypost` runs this program instead, which has
//! no dependencies and so builds at once, and tells the user why the command takes so long.

#![allow(
    clippy::print_stderr,
    reason = "a command speaks to its user on stderr"
)]

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const FIRST_BUILD: &str = "\
Building the `waypost` command. It contains the Wasmtime engine and its compiler Cranelift, which are
compiled once: about seven minutes on two cores. Later starts take a second.";

fn main() -> ExitCode {
    match start() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn start() -> Result<ExitCode, String> {
    let command = command_file()?;
    build(command.is_file())?;
    run(&command)
}

/// Returns the path of the command, which Cargo puts beside this program.
fn command_file() -> Result<PathBuf, String> {
    let this = env::current_exe().map_err(|error| format!("can't find this program: {error}"))?;
    Ok(this.with_file_name(format!("waypost{}", env::consts::EXE_SUFFIX)))
}

/// Runs Cargo to build the command. The first build, which takes long, shows Cargo's progress.
///
/// Cargo chooses the features of dependencies for the whole workspace, as it does for `cargo test`. For the command alone
/// it would choose others, and a part of the dependencies would be compiled twice.
fn build(built_before: bool) -> Result<(), String> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .arg("build")
        .arg("--manifest-path")
        .arg(manifest)
        .args(["--workspace", "--bin", "waypost"]);
    // Cargo sets variables that describe this package. Build scripts that depend on them (`ring`'s)
    // would run again each time.
    for (name, _) in env::vars_os().filter(|(name, _)| is_of_this_package(name)) {
        cargo.env_remove(name);
    }
    if built_before {
        cargo.arg("--quiet");
    } else {
        eprintln!("{FIRST_BUILD}");
    }
    match cargo.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err("the `waypost` command does not build; see Cargo's messages above".to_owned()),
        Err(error) => Err(format!("can't start `cargo`: {error}")),
    }
}

fn is_of_this_package(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
}

/// Replaces this process with the command, so that signals and the exit code are the command's own.
#[cfg(unix)]
fn run(command: &Path) -> Result<ExitCode, String> {
    use std::os::unix::process::CommandExt as _;
    let error = Command::new(command).args(env::args_os().skip(1)).exec();
    Err(format!("can't start `{}`: {error}", command.display()))
}

/// Runs the command, and returns its exit code.
#[cfg(not(unix))]
fn run(command: &Path) -> Result<ExitCode, String> {
    let status = Command::new(command).args(env::args_os().skip(1)).status();
    let status = status.map_err(|error| format!("can't start `{}`: {error}", command.display()))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(1)))
}
