//! `cargo component build` in a route's folder makes a WASI 0.2 component of it, without a word about that in its
//! manifest: in the example app, and in a new one. Where the tool is not installed there is nothing to test.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Served, alone, checkout, on_the_path, turn, waypost};

#[test]
fn each_route_is_built_by_cargo_component() {
    let _turn = turn();
    if on_the_path("cargo-component").is_none() {
        return eprintln!("not tried with `cargo component`: there is none on the PATH");
    }
    let folders = folders();
    assert_eq!(folders.len(), alone::ROUTES.len() + 1);
    // A folder of its own: the tool puts components in the place of modules.
    let target = checkout().join("target/cargo-component");
    for folder in folders {
        build(&folder, &target);
    }
    let made = target.join("wasm32-wasip1/release");
    alone::each_on_waypost(&made);
    alone::mixed_behind_the_router(&made, alone::components());
    match on_the_path("wasmtime") {
        Some(wasmtime) => each_on_wasmtime(&wasmtime, &made),
        None => eprintln!("not tried with Wasmtime's own command: there is none on the PATH"),
    }
    a_new_app(&target);
}

/// The folders of the router and of each route: those of the workspace that make a component.
fn folders() -> Vec<PathBuf> {
    let mut folders = vec![checkout().join("router")];
    let mut left = vec![checkout().join("handlers")];
    while let Some(folder) = left.pop() {
        let inside = std::fs::read_dir(&folder).unwrap();
        let inside = inside.map(|entry| entry.unwrap().path());
        left.extend(inside.filter(|path| path.is_dir()));
        if folder.join("route.rs").is_file() {
            folders.push(folder);
        }
    }
    folders
}

fn build(folder: &Path, target: &Path) {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["component", "build", "--release"]);
    cargo.env("CARGO_TARGET_DIR", target).current_dir(folder);
    let output = cargo.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", folder.display());
}

/// Rust's standard library imports `wasi:cli` by itself.
fn each_on_wasmtime(wasmtime: &Path, folder: &Path) {
    for route in &alone::ROUTES {
        route.answers(&on_wasmtime(wasmtime, &folder.join(alone::file(route.id))));
    }
}

fn on_wasmtime(wasmtime: &Path, component: &Path) -> Served {
    // It says on stderr where it listens.
    let serve = "exec \"$0\" serve -Scli --addr 127.0.0.1:0 \"$1\" 2>&1";
    let mut command = Command::new("sh");
    command.args(["-c", serve]).arg(wasmtime).arg(component);
    Served::start(&mut command)
}

fn a_new_app(target: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let run = |within: &Path, args: &[&str]| {
        assert!(waypost(within).args(args).status().unwrap().success());
    };
    run(folder.path(), &["new", "demo"]);
    let app = folder.path().join("demo");
    run(&app, &["add", "items/[slug]"]);
    for package in ["router", "handlers/hello", "handlers/items/[slug]"] {
        build(&app.join(package), &target.join("new"));
    }
    let made = target.join("new/wasm32-wasip1/release/items_slug.wasm");
    let mut command = waypost(&app);
    let served = Served::start(
        command
            .args(["serve", "--listen", "127.0.0.1:0"])
            .arg(&made),
    );
    assert_eq!(served.get("/items/7", "").text(), "slug: 7\n");
    if let Some(wasmtime) = on_the_path("wasmtime") {
        let served = on_wasmtime(&wasmtime, &made);
        assert_eq!(served.get("/items/7", "").text(), "slug: 7\n");
    }
}
