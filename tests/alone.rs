//! One route alone: its component is a complete service, which answers its own pattern and no other path, and
//! those of both versions of WASI are mixed behind one router.
//!
//! The components of WASI 0.2 are made as `cargo component build` makes them; `tests/cargo_component.rs` has
//! them made by itself.

mod support;

use std::path::Path;
use std::process::Command;

use support::{alone, checkout};

#[test]
fn each_route_answers_its_pattern_by_itself() {
    let newer = alone::build("wasm32-wasip2");
    alone::each_on_waypost(&newer);
    let older = tempfile::tempdir().unwrap();
    componentize(&alone::build("wasm32-wasip1"), older.path());
    alone::each_on_waypost(older.path());
    alone::mixed_behind_the_router(&newer, older.path());
    alone::mixed_behind_the_router(older.path(), &newer);
}

/// Makes components of the modules in a folder.
fn componentize(modules: &Path, components: &Path) {
    let build = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../componentize");
    for package in alone::packages() {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["run", "--quiet", "--target-dir"]).arg(&build);
        cargo.arg("--").arg(modules.join(alone::file(package)));
        cargo.arg(components.join(alone::file(package)));
        let tool = checkout().join("tests/componentize");
        assert!(cargo.current_dir(tool).status().unwrap().success());
    }
}
