//! One route alone: its component is a complete service, which answers its own pattern and no other path, and
//! those of both versions of WASI are mixed behind one router.
//!
//! The components of WASI 0.2 are made as `cargo component build` makes them; `cargo_component` has
//! them made by itself.

use crate::support::{alone, turn};

#[test]
fn each_route_answers_its_pattern_by_itself() {
    let newer = alone::components();
    alone::modules();
    let _turn = turn();
    alone::each_on_waypost(newer);
    let older = tempfile::tempdir().unwrap();
    for package in alone::packages() {
        alone::componentize(package, &older.path().join(alone::file(package)));
    }
    alone::each_on_waypost(older.path());
    alone::mixed_behind_the_router(newer, older.path());
    alone::mixed_behind_the_router(older.path(), newer);
}
