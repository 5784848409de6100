//! `spin.toml` is a manifest that Spin reads and that a person would have written.

mod app;
mod schema;

use std::path::Path;

use crate::support::{checkout, waypost};
use app::App;

#[test]
fn the_manifests_in_this_repository() {
    for folder in ["", "tests/conformance/app"] {
        check(&checkout().join(folder));
    }
}

#[test]
fn the_manifest_of_a_new_app_that_grows() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["new", "demo"]);
    let app = folder.path().join("demo");
    check(&app);
    for pattern in [
        "/",
        "items",
        "items/[slug]",
        // As globs, these would be what the brackets around `slug` say.
        "items/s",
        "items/l",
        "blog/[...path]",
        "docs/[[...page]]",
        "(shop)/cart",
        "(shop)/cart/[item]/parts/[part]",
        "rss.xml",
        "v1/2026",
        "a b",
        "ünï",
    ] {
        run(&app, &["add", pattern]);
    }
    check(&app);
    it_is_split_up(&app);
    // A first build has that to do, and `--check` does not do it.
    let output = waypost(&app).args(["build", "--check"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("watch `handlers/items/model/**/*.rs` for `items`"),
        "{said}"
    );
    run(&app, &["add", "last"]);
    check(&app);
}

/// Modules, and a package that routes share.
fn it_is_split_up(app: &Path) {
    let put = |file: &str, text: &str| {
        let file = app.join(file);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    };
    put("handlers/items/sizes.rs", "");
    put("handlers/items/model/mod.rs", "");
    put("handlers/items/[slug]/model/deep/mod.rs", "");
    put("handlers/_stock/src/lib.rs", "");
    let stock = "[package]\nname = \"stock\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    put("handlers/_stock/Cargo.toml", stock);
    let workspace = std::fs::read_to_string(app.join("Cargo.toml")).unwrap();
    let members = workspace.replacen("members = [", "members = [\n    \"handlers/_stock\",", 1);
    put("Cargo.toml", &members);
    let route = std::fs::read_to_string(app.join("handlers/items/Cargo.toml")).unwrap();
    let uses = route.replacen(
        "[dependencies]",
        "[dependencies]\nstock = { path = \"../_stock\" }",
        1,
    );
    put("handlers/items/Cargo.toml", &uses);
}

/// The model says no, too: each of these is one change away from what it takes.
#[test]
fn what_is_no_manifest_of_an_app() {
    let app = App::at(&checkout());
    let manifest = app.manifest();
    for (right, wrong, why) in [
        ("version = 2", "version = 1", "version 1 is not 2"),
        (
            "[application]",
            "[application]\nicon = \"x\"",
            "unknown field `icon`",
        ),
        (
            "[component.hello]",
            "[component.hello]\nmemory = 1",
            "unknown field `memory`",
        ),
        (
            "[component.hello.build]",
            "[component.hello.build]\nshell = true",
            "unknown field `shell`",
        ),
        (
            "component = \"hello\"",
            "component = \"hello\"\nmethods = []",
            "unknown field `methods`",
        ),
        (
            "component = \"hello\"",
            "component = \"helo\"",
            "no component `helo`",
        ),
        ("component = \"hello\"", "", "either a component or"),
        ("private = true", "private = false", "can only be true"),
        (
            "private = true",
            "private = true, public = 1",
            "did not match",
        ),
        (
            "route = \"/...\"",
            "route = \"...\"",
            "router: Public(\"...\")",
        ),
        ("route = \"/...\"", "route = \"/\"", "router: Public(\"/\")"),
        (
            "route = { private = true }",
            "route = \"/hello\"",
            "root: Public(\"/hello\")",
        ),
        (
            "[\"http://*.spin.internal\"]",
            "[\"*://*:*\"]",
            "router: [\"*://*:*\"]",
        ),
        (
            "[component.hello]",
            "[component.hello]\nallowed_outbound_hosts = [\"https://*.example.com\"]",
            "hello: `https://*.example.com` is no exact host",
        ),
        (
            "--manifest-path router/Cargo.toml\"",
            "--manifest-path router/Cargo.toml\"\nworkdir = \"rooter\"",
            "router: there is no",
        ),
        (
            "--manifest-path handlers/hello/",
            "--manifest-path handlers/hallo/",
            "builds no package",
        ),
        (
            "--release --target-dir target --manifest-path handlers/hello/",
            "--target-dir target --manifest-path handlers/hello/",
            "is no build of a component",
        ),
        ("release/hello.wasm", "release/helo.wasm", "which is built"),
        (
            "\"handlers/items/[[]slug[]]/*.rs\"",
            "\"handlers/items/[slug]/*.rs\"",
            "items-slug: {",
        ),
        ("\"handlers/hello/*.rs\"", "\"*.txt\"", "hello: {"),
        (
            "\"handlers/hello/*.rs\"",
            "\"handlers/[hello/*.rs\"",
            "hello: {",
        ),
        (
            "\"handlers/items/*.rs\"",
            "\"handlers/items/**/*.rs\"",
            "items: {",
        ),
        (
            "\"handlers/_catalog/**/*.rs\"",
            "\"handlers/_catalog\"",
            "items: {",
        ),
        ("\"router/routes.txt\"", "\"router/table.txt\"", "router: {"),
    ] {
        assert!(manifest.contains(right), "{right}");
        let text = manifest.replacen(right, wrong, 1);
        let faults = app.faults(&text);
        assert!(
            faults.iter().any(|fault| fault.contains(why)),
            "{wrong}: {faults:#?}"
        );
    }
    assert_eq!(app.faults(&manifest), [""; 0]);
}

#[test]
fn ids_of_components() {
    let is_id = |id: &str| schema::KebabId::try_from(id.to_owned()).is_ok();
    for id in ["a", "items-slug", "a1-b2", "ABC-d"] {
        assert!(is_id(id), "{id}");
    }
    for id in ["", "-a", "a--b", "a_b", "1a", "items-1", "aB", "ü", "a b"] {
        assert!(!is_id(id), "{id}");
    }
}

fn check(folder: &Path) {
    let app = App::at(folder);
    let faults = app.faults(&app.manifest());
    assert!(faults.is_empty(), "{}: {faults:#?}", folder.display());
}

fn run(folder: &Path, args: &[&str]) {
    let output = waypost(folder).args(args).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {said}");
}
