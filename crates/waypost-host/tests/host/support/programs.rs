//! The guest programs, built once per run.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// What the programs are built for.
const TARGET: &str = "wasm32-wasip2";

/// Folder of the built programs. The build is shared by all tests of a run, and cargo's own cache by all runs.
static BUILT: LazyLock<PathBuf> = LazyLock::new(|| {
    let sources = guests();
    // A new machine does not have the target. Without rustup it may still be there.
    let _ = Command::new("rustup")
        .args(["target", "add", TARGET])
        .status();
    // Below the main target folder, wherever that is.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("host-guests");
    let status = Command::new(env!("CARGO"))
        .args([
            "build",
            "--release",
            "--quiet",
            "--target",
            TARGET,
            "--manifest-path",
        ])
        .arg(sources.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .status()
        .expect("cargo starts");
    assert!(
        status.success(),
        "the guest programs do not build; is the target `{TARGET}` there?"
    );
    target.join(TARGET).join("release")
});

/// The component file of a guest program.
pub fn program(name: &str) -> PathBuf {
    BUILT.join(format!("{name}.wasm"))
}

/// Names of all guest programs.
pub fn programs() -> Vec<String> {
    let entries = std::fs::read_dir(guests()).expect("the programs are there");
    let folders = entries
        .filter_map(|entry| entry.ok())
        .filter(|entry| entry.path().is_dir());
    let mut names: Vec<String> = folders
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}

fn guests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guests")
}
