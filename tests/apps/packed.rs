//! The crates as they are published: packed and verified by Cargo, and then all that a new app is made, built and
//! served from, in a folder elsewhere and offline.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Served, checkout, turn};

/// The profile of a build from packages. They bring no profile of their own; with this one they share the dependencies
/// that this workspace has compiled already. Our own crates are built as quickly as can be.
const PROFILE: [&str; 6] = [
    "profile.dev.debug=false",
    "profile.dev.package.\"*\".opt-level=3",
    "profile.dev.package.\"*\".debug-assertions=false",
    "profile.dev.package.\"*\".overflow-checks=false",
    "profile.dev.opt-level=0",
    "profile.dev.package.waypost-host.opt-level=0",
];

#[test]
fn an_app_is_made_built_and_served_from_packages() {
    let _turn = turn();
    let target = checkout().join("target/packed");
    let packages = published();
    pack(&packages, &target);

    let folder = tempfile::tempdir().unwrap();
    let crates: Vec<_> = packages.iter().map(|p| p.patch(&target)).collect();
    let config = format!("[patch.crates-io]\n{}", crates.concat());
    fs::create_dir(folder.path().join(".cargo")).unwrap();
    fs::write(folder.path().join(".cargo/config.toml"), config).unwrap();
    // Made of a package, the command finds no checkout beside it.
    let waypost = |within: &Path| {
        let mut command = Command::new(target.join("debug/waypost"));
        command.current_dir(within).env("CARGO_NET_OFFLINE", "true");
        command.env("CARGO_TARGET_DIR", target.join("app"));
        command
    };
    let run = |within: &Path, args: &[&str]| {
        let output = waypost(within).args(args).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {said}");
    };
    run(folder.path(), &["new", "shop"]);
    let app = folder.path().join("shop");
    let manifest = fs::read_to_string(app.join("Cargo.toml")).unwrap();
    assert!(!manifest.contains("path ="), "{manifest}");
    assert!(!app.join(".cargo").exists());
    run(&app, &["add", "items/[slug]"]);
    let served = Served::start(waypost(&app).args(["up", "--listen", "127.0.0.1:0"]));
    assert_eq!(served.get("/hello", "").text(), "Hello from /hello\n");
    assert_eq!(served.get("/items/7", "").text(), "slug: 7\n");
    assert_eq!(served.get("/nowhere", "").status, 404);
    assert_eq!(served.stop("TERM"), 0);
}

/// A package that is to be published.
struct Package {
    name: String,
    version: String,
}

impl Package {
    /// Returns the line that puts the unpacked crate in the place of the registry's.
    fn patch(&self, target: &Path) -> String {
        let Self { name, version } = self;
        let path = target.join(format!("package/{name}-{version}"));
        format!("{name} = {{ path = {path:?} }}\n")
    }
}

/// Returns the packages of the workspace that may be published.
fn published() -> Vec<Package> {
    let args = ["metadata", "--no-deps", "--offline", "--format-version=1"];
    let output = cargo(&args, None);
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

/// Packs the crates, unpacks each, and builds it from that.
fn pack(packages: &[Package], target: &Path) {
    let mut args = vec!["package", "--offline", "--allow-dirty", "--quiet"];
    for package in packages {
        args.extend(["--package", &package.name]);
    }
    for setting in PROFILE {
        args.extend(["--config", setting]);
    }
    cargo(&args, Some(target));
}

/// Runs Cargo in the checkout. A target folder is for what comes out at the end; the rest is shared with all builds.
fn cargo(args: &[&str], target: Option<&Path>) -> Vec<u8> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(args).current_dir(checkout());
    if let Some(target) = target {
        cargo.env("CARGO_BUILD_BUILD_DIR", build_folder());
        cargo.env("CARGO_TARGET_DIR", target);
    }
    let output = cargo.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo {}: {said}", args.join(" "));
    output.stdout
}

/// Returns the folder that this program was built in.
fn build_folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    folder.parent().unwrap().to_owned()
}
