//! The crates as they are published: packed by Cargo, and then all that a new app is made, built and served from, in a
//! folder elsewhere and offline.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Served, checkout, turn};

/// The profile of the command. With it the build shares the dependencies that the tests have compiled already; our own
/// crates are built as quickly as can be.
fn profile() -> String {
    let manifest = fs::read_to_string(checkout().join("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let packages = manifest["profile"]["dev"]["package"].as_table();
    let theirs = packages
        .unwrap()
        .iter()
        .filter(|(name, _)| !name.starts_with("waypost"));
    let theirs: toml::Table = theirs
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let mut dev = toml::Table::new();
    dev.insert("opt-level".to_owned(), 0.into());
    dev.insert("debug".to_owned(), false.into());
    dev.insert("incremental".to_owned(), false.into());
    dev.insert("package".to_owned(), theirs.into());
    let profile = toml::Table::from_iter([("dev".to_owned(), toml::Value::from(dev))]);
    toml::Table::from_iter([("profile".to_owned(), toml::Value::from(profile))]).to_string()
}

#[test]
fn an_app_is_made_built_and_served_from_packages() {
    let folder = tempfile::tempdir().unwrap();
    let packages = packed(folder.path());
    let waypost = command_of(folder.path(), &packages);
    // The build above takes minutes and measures nothing: other tests run meanwhile.
    let _turn = turn();
    // As a published crate would be found, but offline.
    fs::create_dir(folder.path().join(".cargo")).unwrap();
    fs::write(folder.path().join(".cargo/config.toml"), patch(&packages)).unwrap();
    let waypost = |within: &Path| {
        let mut command = Command::new(&waypost);
        command.current_dir(within).env("CARGO_NET_OFFLINE", "true");
        command.env("CARGO_TARGET_DIR", folder.path().join("app-target"));
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

/// A package that is to be published, and the folder that it was unpacked into.
struct Package {
    name: String,
    folder: PathBuf,
}

/// Packs the crates that may be published, and unpacks them into a folder.
fn packed(folder: &Path) -> Vec<Package> {
    let metadata = cargo(
        &checkout(),
        &["metadata", "--no-deps", "--offline", "--format-version=1"],
    );
    let metadata: serde_json::Value = serde_json::from_slice(&metadata).unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let published: Vec<_> = packages
        .filter(|package| package["publish"].is_null())
        .map(|package| (text(&package["name"]), text(&package["version"])))
        .collect();
    let target = folder.join("packed");
    let mut args = vec![
        "package",
        "--no-verify",
        "--offline",
        "--allow-dirty",
        "--quiet",
    ];
    args.extend(["--target-dir", target.to_str().unwrap()]);
    for (name, _) in &published {
        args.extend(["--package", name]);
    }
    cargo(&checkout(), &args);
    let unpack = |(name, version)| {
        let archive = target.join(format!("package/{name}-{version}.crate"));
        let tar = Command::new("tar")
            .current_dir(folder)
            .arg("xzf")
            .arg(archive)
            .status();
        assert!(tar.unwrap().success(), "{name} does not unpack");
        let folder = folder.join(format!("{name}-{version}"));
        Package { name, folder }
    };
    published.into_iter().map(unpack).collect()
}

/// Builds the command from its package, and returns its file.
fn command_of(folder: &Path, packages: &[Package]) -> PathBuf {
    let cli = packages
        .iter()
        .find(|package| package.name == "waypost-cli");
    let workspace = format!(
        "[workspace]\nresolver = \"3\"\nmembers = [{:?}]\n{}{}",
        cli.unwrap().folder,
        patch(packages),
        profile()
    );
    fs::write(folder.join("Cargo.toml"), workspace).unwrap();
    fs::copy(checkout().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    cargo(
        folder,
        &["build", "--offline", "--quiet", "--bin", "waypost"],
    );
    fs::remove_file(folder.join("Cargo.toml")).unwrap();
    folder.join("target/debug/waypost")
}

/// Puts the packages in the place of the registry's.
fn patch(packages: &[Package]) -> String {
    let mut text = "[patch.crates-io]\n".to_owned();
    for Package { name, folder } in packages {
        writeln!(text, "{name} = {{ path = {folder:?} }}").unwrap();
    }
    text
}

/// Runs Cargo, and returns what it printed. What it compiles on the way is shared with the build of the tests.
fn cargo(folder: &Path, args: &[&str]) -> Vec<u8> {
    let shared = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(args).current_dir(folder);
    cargo.env("CARGO_BUILD_BUILD_DIR", shared);
    let output = cargo.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo {}: {said}", args.join(" "));
    output.stdout
}
