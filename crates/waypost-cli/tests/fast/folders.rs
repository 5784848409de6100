//! What `waypost check` says of trees of route files, against what Next.js was recorded to say when it
//! built and started them (`tests/conformance/recordings/build.jsonl`).

use std::path::Path;

use crate::support::{checkout, waypost};
use serde::Deserialize;

/// Trees that Next takes and Waypost refuses, each with the rule that says so (`docs/differences.md`).
const STRICTER: [(&str, u8); 5] = [
    ("build-sibling-dynamic-names-deep", 12),
    ("build-catchall-vs-optional", 12),
    ("build-catchall-vs-optional-same-name", 12),
    ("build-param-digit-first", 13),
    ("build-runtime-param-name-forms", 13),
];

/// What Next refuses for something that stands inside a file: the compiler's business here, and none of
/// the tree's.
const ABOUT_SOURCES: [&str; 9] = [
    "build-dynamic-error-request-url",
    "build-static-returns-undefined",
    "build-bad-revalidate-value",
    "build-bad-revalidate-negative",
    "build-nonliteral-dynamic",
    "build-edge-gsp",
    "build-gsp-not-array",
    "build-gsp-number-value",
    "build-gsp-catchall-string",
];

/// What Next refuses for files that mean nothing here: pages, metadata files, middleware.
const ABOUT_OTHER_FILES: [&str; 4] = [
    "build-page-and-route",
    "build-middleware-and-proxy",
    "build-pages-api-conflict",
    "build-metadata-robots-conflict",
];

/// A manifest as a build would leave it, but for the routes.
const SPIN: &str = r#"spin_manifest_version = 2

[application]
name = "trees"

[[trigger.http]]
route = "/..."
component = "router"

[component.router]
source = "router.wasm"
"#;

/// A line of the recordings.
#[derive(Deserialize)]
struct Case {
    id: String,
    files: Vec<String>,
    #[serde(default)]
    expect: Outcome,
    #[serde(flatten)]
    started: Outcome,
}

#[derive(Default, Deserialize)]
struct Outcome {
    build_ok: Option<bool>,
    start_error: Option<String>,
}

impl Case {
    /// Tells whether Next built the tree and could start it.
    fn is_sound(&self) -> bool {
        let built = self.expect.build_ok.or(self.started.build_ok);
        built.expect("the build has an outcome") && self.started.start_error.is_none()
    }

    /// Tells whether `waypost check` has to take the tree.
    fn is_to_be_taken(&self) -> bool {
        let is_listed = |ids: &[&str]| ids.contains(&self.id.as_str());
        let stricter = STRICTER.map(|(id, _)| id);
        assert!(!is_listed(&stricter) || self.is_sound(), "{}", self.id);
        let lenient = is_listed(&ABOUT_SOURCES) || is_listed(&ABOUT_OTHER_FILES);
        assert!(!lenient || !self.is_sound(), "{}", self.id);
        (self.is_sound() && !is_listed(&stricter)) || lenient
    }
}

#[test]
fn trees_are_judged_as_recorded() {
    let recordings = checkout().join("tests/conformance/recordings/build.jsonl");
    let recordings = std::fs::read_to_string(recordings).unwrap();
    let mut wrong = Vec::new();
    for line in recordings.lines() {
        let case: Case = serde_json::from_str(line).unwrap();
        let said = check(&case.files);
        if said.is_ok() != case.is_to_be_taken() {
            wrong.push(format!("{} {:?}: {said:?}", case.id, case.files));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Makes the tree and checks it; what is said of a refused one is the error.
fn check(files: &[String]) -> Result<(), String> {
    let app = tempfile::tempdir().unwrap();
    let app = app.path();
    std::fs::write(app.join("spin.toml"), SPIN).unwrap();
    std::fs::write(app.join("Cargo.toml"), "[workspace]\n").unwrap();
    std::fs::create_dir(app.join("handlers")).unwrap();
    for (letter, file) in ('a'..='z').zip(files) {
        if let Some(folder) = route_folder(file) {
            add(&app.join("handlers").join(folder), letter);
        }
    }
    let output = waypost(app).arg("check").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    match output.status.code() {
        Some(0) => Ok(()),
        Some(1) => Err(said),
        code => panic!("{code:?}: {said}"),
    }
}

/// Gives the folder of a route of Next; other files have no counterpart.
fn route_folder(file: &str) -> Option<&str> {
    let (folder, name) = file.rsplit_once('/')?;
    let is_route = name.strip_prefix("route.").is_some();
    let folder = folder.strip_prefix("app")?;
    is_route.then(|| folder.trim_start_matches('/'))
}

/// Writes a route as Waypost has it: a source and its package.
fn add(folder: &Path, letter: char) {
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join("route.rs"), "").unwrap();
    let package = format!(
        "[package]\nname = \"route-{letter}\"\n\n[lib]\npath = \"route.rs\"\ncrate-type = [\"cdylib\"]\n"
    );
    std::fs::write(folder.join("Cargo.toml"), package).unwrap();
}
