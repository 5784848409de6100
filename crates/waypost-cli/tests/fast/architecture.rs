//! Who may use whom: the crates of the workspace depend on each other one way only.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use crate::support::checkout;

/// What each crate may use of ours; a handler may use the SDK and what is private to the app.
const MAY_USE: &[(&str, &[&str])] = &[
    ("waypost-routing", &[]),
    ("waypost-cache", &["waypost-routing"]),
    ("waypost-config", &["waypost-cache", "waypost-routing"]),
    ("waypost-macros", &["waypost-cache", "waypost-routing"]),
    (
        "waypost",
        &["waypost-cache", "waypost-macros", "waypost-routing"],
    ),
    ("waypost-router", &["waypost-cache", "waypost-routing"]),
    (
        "waypost-host",
        &[
            "waypost-cache",
            "waypost-config",
            "waypost-router",
            "waypost-routing",
        ],
    ),
    ("waypost-compact", &[]),
    (
        "waypost-cli",
        &[
            "waypost-cache",
            "waypost-compact",
            "waypost-config",
            "waypost-host",
            "waypost-routing",
        ],
    ),
    ("waypost-start", &[]),
    ("waypost-conformance", &[]),
    (
        "waypost-invariants",
        &[
            "waypost",
            "waypost-cache",
            "waypost-router",
            "waypost-routing",
        ],
    ),
    ("waypost-pages", &["waypost"]),
    ("router", &["waypost", "waypost-router"]),
];

/// The test programs that `cargo t` leaves out, and why: it is to be done in a minute.
const SLOW: &[(&str, &str, &str)] = &[
    ("waypost", "messages", "runs Cargo for each message"),
    ("waypost-cli", "apps", "builds and serves apps"),
    ("waypost-cli", "soak", "sends requests for minutes"),
    ("waypost-host", "bounds", "attacks a server"),
    ("waypost-host", "host", "builds guests and serves them"),
];

/// What belongs to the host, and never becomes part of a guest.
const OF_THE_HOST: [&str; 4] = ["wasmtime", "wasmtime-wasi", "wasmtime-wasi-http", "tokio"];

#[test]
fn dependencies_go_one_way() {
    let crates = crates();
    let ours = |name: &str| crates.contains_key(name);
    for (name, (folder, uses)) in &crates {
        let rule = MAY_USE.iter().find(|(known, _)| known == name);
        let is_handler = folder.contains("handlers");
        assert!(
            rule.is_some() || is_handler,
            "`{name}` has no rule in this test"
        );
        for used in uses.iter().filter(|used| ours(used)) {
            let private = crates[used].0.contains("handlers/_");
            let allowed = match rule {
                Some((_, allowed)) => allowed.contains(&used.as_str()),
                None => used == "waypost" || private,
            };
            assert!(allowed, "`{name}` may not use `{used}`");
        }
        let is_native = ["waypost-host", "waypost-cli"].contains(&name.as_str());
        let foreign = uses
            .iter()
            .find(|used| OF_THE_HOST.contains(&used.as_str()));
        assert!(
            is_native || foreign.is_none(),
            "`{name}` may not use `{foreign:?}`"
        );
    }
}

#[test]
fn routing_has_no_required_dependency_and_the_sdk_few() {
    let count = |name: &str| {
        let metadata = metadata();
        let package = metadata["packages"]
            .as_array()
            .unwrap()
            .iter()
            .find(|p| p["name"] == name);
        let dependencies = package.unwrap()["dependencies"].as_array().unwrap().clone();
        let required = dependencies.iter().filter(|d| {
            let ours = d["path"].is_string();
            d["kind"].is_null() && d["optional"] == false && d["target"].is_null() && !ours
        });
        required.count()
    };
    assert_eq!(count("waypost-routing"), 0);
    // The ninth reads compressed bodies: an inflate of our own would be worse.
    assert!(count("waypost") <= 9);
}

/// The folders of the host's crate, from the top to the bottom: each uses itself and those that follow.
const HOST_LAYERS: [&str; 12] = [
    "lib", "host", "error", "options", "http", "app", "instance", "wasi", "engine", "request",
    "observe", "compat",
];

/// Imports of the host's crate that go up, and why they may.
const HOST_EXCEPTIONS: &[(&str, &str, &str)] = &[
    (
        "app",
        "options",
        "options are plain data of the embedding program, which the app is built from",
    ),
    (
        "engine",
        "error",
        "`Compiler` is a part of the crate's API, which has one error",
    ),
    (
        "engine",
        "instance",
        "`Compiler` compiles components as they are compiled when they are loaded",
    ),
];

#[test]
fn modules_of_the_host_use_what_is_below_them() {
    let source = checkout().join("crates/waypost-host/src");
    let mut needed = BTreeSet::new();
    let mut upward = Vec::new();
    for file in rust_files(&source) {
        let inside = file.strip_prefix(&source).unwrap();
        let folder = inside.components().next().unwrap().as_os_str();
        let folder = folder.to_str().unwrap().trim_end_matches(".rs");
        for used in crate_paths(&std::fs::read_to_string(&file).unwrap()) {
            if layer(folder) <= layer(&used) {
                continue;
            }
            let exception = HOST_EXCEPTIONS
                .iter()
                .find(|(from, to, _)| *from == folder && *to == used);
            match exception {
                Some(exception) => drop(needed.insert(exception)),
                None => upward.push(format!("{} uses `crate::{used}`", inside.display())),
            }
        }
    }
    assert!(upward.is_empty(), "imports that go up: {upward:#?}");
    assert_eq!(
        needed.len(),
        HOST_EXCEPTIONS.len(),
        "only {needed:?} are needed"
    );
}

fn layer(folder: &str) -> usize {
    let layer = HOST_LAYERS.iter().position(|layer| *layer == folder);
    layer.unwrap_or_else(|| panic!("`{folder}` has no layer in this test"))
}

fn rust_files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| match path.is_dir() {
            true => rust_files(&path),
            false => vec![path],
        })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

/// The first segments of all paths that begin with `crate::`, also in braces.
fn crate_paths(text: &str) -> BTreeSet<String> {
    let name = |text: &str| {
        let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        text[..end.unwrap_or(text.len())].to_owned()
    };
    let mut names = BTreeSet::new();
    for (start, prefix) in text.match_indices("crate::") {
        let rest = &text[start + prefix.len()..];
        match rest.strip_prefix('{') {
            Some(list) => {
                let list = list.split('}').next().unwrap_or_default();
                names.extend(list.split(',').map(|item| name(item.trim())));
            }
            None => drop(names.insert(name(rest))),
        }
    }
    // Names in capitals are re-exported by the crate's root.
    names.retain(|name| name.starts_with(|c: char| c.is_ascii_lowercase()));
    names
}

/// `cargo waypost` builds the command with the features that the workspace asks for, and `cargo test` adds those that tests
/// ask for. Where these are features of something that Wasmtime uses, Wasmtime is compiled twice, which takes minutes.
#[test]
fn one_build_of_wasmtime_serves_the_command_and_the_tests() {
    // What the compiler runs has features of its own, and must not stand in for what the program has.
    for edges in ["no-proc-macro", "build"] {
        let normal = format!("normal,{edges}");
        let of_wasmtime: BTreeSet<_> = features(&["--package", "wasmtime-wasi-http"], &normal)
            .iter()
            .map(|line| name_and_version(line))
            .collect();
        let command = features(&["--workspace"], &normal);
        let tests = features(&["--workspace"], &format!("dev,{normal}"));
        let twice: Vec<_> = command
            .difference(&tests)
            .filter(|line| of_wasmtime.contains(&name_and_version(line)))
            .collect();
        assert!(
            twice.is_empty(),
            "other features for `cargo test`: {twice:#?}"
        );
    }
}

#[test]
fn every_test_program_is_fast_or_has_a_reason() {
    let config = std::fs::read_to_string(checkout().join(".cargo/config.toml")).unwrap();
    let config: toml::Table = config.parse().unwrap();
    let words = config["alias"]["t"].as_array().unwrap();
    let words: Vec<_> = words.iter().map(|word| word.as_str().unwrap()).collect();
    let named = words.windows(2).filter(|pair| pair[0] == "--test");
    let named: BTreeSet<_> = named.map(|pair| pair[1]).collect();
    let metadata = metadata();
    let mut left: BTreeSet<_> = SLOW.iter().map(|(of, name, _)| (*of, *name)).collect();
    let mut unknown = named.clone();
    for package in metadata["packages"].as_array().unwrap() {
        let of = package["name"].as_str().unwrap();
        for target in package["targets"].as_array().unwrap() {
            let name = target["name"].as_str().unwrap();
            if target["kind"][0] != "test" {
                continue;
            }
            unknown.remove(name);
            let is_slow = left.remove(&(of, name));
            assert_ne!(named.contains(name), is_slow, "`{name}` of `{of}`");
        }
    }
    assert!(
        left.is_empty() && unknown.is_empty(),
        "{left:?} {unknown:?}"
    );
}

/// The crates that a build has, each with its features.
fn features(selection: &[&str], edges: &str) -> BTreeSet<String> {
    let format = ["--prefix", "none", "--no-dedupe", "--format", "{p} {f}"];
    let tree = cargo(&[&["tree", "--offline", "--edges", edges], selection, &format].concat());
    tree.lines().map(|line| line.replace(" (*)", "")).collect()
}

fn name_and_version(line: &str) -> String {
    line.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

/// The crates of the workspace by name, each with its folder and what it uses outside its tests.
fn crates() -> BTreeMap<String, (String, Vec<String>)> {
    let metadata = metadata();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let packages = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| {
            let dependencies = package["dependencies"].as_array().unwrap().iter();
            let uses = dependencies
                .filter(|d| d["kind"].is_null())
                .map(|d| text(&d["name"]))
                .collect();
            (
                text(&package["name"]),
                (text(&package["manifest_path"]), uses),
            )
        });
    packages.collect()
}

fn metadata() -> serde_json::Value {
    let args = [
        "metadata",
        "--no-deps",
        "--offline",
        "--format-version",
        "1",
    ];
    serde_json::from_str(&cargo(&args)).unwrap()
}

fn cargo(args: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(args)
        .current_dir(checkout())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}
