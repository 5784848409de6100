//! The crates as they are published: Cargo packs all of them, with nothing from outside their folders.

use std::process::Command;

use crate::support::{checkout, turn};

#[test]
fn the_crates_can_be_packed() {
    let _turn = turn();
    let target = tempfile::tempdir().unwrap();
    let packages = published();
    let target_dir = target.path().to_str().unwrap();
    let mut args = vec![
        "package",
        "--no-verify",
        "--offline",
        "--allow-dirty",
        "--quiet",
    ];
    args.extend(["--target-dir", target_dir]);
    for package in &packages {
        args.extend(["--package", &package.name]);
    }
    cargo(&args);
    for Package { name, version } in &packages {
        let file = target
            .path()
            .join(format!("package/{name}-{version}.crate"));
        assert!(file.is_file(), "{}", file.display());
    }
}

/// A package that is to be published.
struct Package {
    name: String,
    version: String,
}

/// Returns the packages of the workspace that may be published.
fn published() -> Vec<Package> {
    let args = ["metadata", "--no-deps", "--offline", "--format-version=1"];
    let output = cargo(&args);
    let metadata: serde_json::Value = serde_json::from_slice(&output).unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    packages
        .filter(|package| package["publish"].is_null())
        .map(|package| Package {
            name: text(&package["name"]),
            version: text(&package["version"]),
        })
        .collect()
}

/// Runs Cargo in the checkout, and returns what it printed.
fn cargo(args: &[&str]) -> Vec<u8> {
    let mut cargo = Command::new(env!("CARGO"));
    let output = cargo.args(args).current_dir(checkout()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo {}: {said}", args.join(" "));
    output.stdout
}
