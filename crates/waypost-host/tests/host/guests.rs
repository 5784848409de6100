//! Every guest program is there for a test.

use super::support::programs;
use std::path::Path;

#[test]
fn every_guest_program_has_a_test() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/host");
    let entries = std::fs::read_dir(folder).expect("the tests are there");
    let files = entries
        .filter_map(|entry| entry.ok())
        .map(|entry| entry.path());
    let tests: String = files
        .filter_map(|path| std::fs::read_to_string(path).ok())
        .collect();
    let untested: Vec<String> = programs()
        .into_iter()
        // The router is added by name, as the method of the test app.
        .filter(|name| !tests.contains(&format!("\"{name}\"")) && name != "router")
        .collect();
    assert!(untested.is_empty(), "no test runs {untested:?}");
    assert!(tests.contains(".router()"));
}
