//! Manifests before and after: `tests/sync/<case>` has the tree, `Cargo.toml` and `spin.toml` as
//! their owner left them, and with `.after` as they become; `notes` says what changed.
//!
//! Cases that begin with `fail-` cannot be edited and stay as they are.

use std::fs;
use std::path::Path;

use crate::support::{cases, compare, fixtures, manifest, settle, write, write_tree};
use waypost_cli::App;
use waypost_cli::route::{Route, RouteKind};
use waypost_cli::scan::Scan;
use waypost_cli::sync::{Plan, SyncError};

const MANIFESTS: [&str; 2] = ["Cargo.toml", "spin.toml"];

fn routes(app: &App) -> Vec<Route> {
    Scan::of(app).into_routes().unwrap()
}

fn sync(app: &App) -> Result<String, SyncError> {
    let plan = Plan::of_manifests(app, &routes(app))?;
    plan.apply()?;
    let mut notes: String = plan
        .changes(app)
        .iter()
        .map(|change| format!("{change}\n"))
        .collect();
    for warning in plan.warnings() {
        notes += &format!("warning: {warning}\n");
    }
    let again = Plan::of_manifests(app, &routes(app))?;
    assert!(
        again.is_empty(),
        "not in step after one round: {:?}",
        again.changes(app)
    );
    Ok(notes)
}

fn run(case: &Path) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    write_tree(
        folder.path(),
        &fs::read_to_string(case.join("tree")).unwrap(),
    );
    for file in MANIFESTS {
        fs::copy(case.join(file), folder.path().join(file)).unwrap();
    }
    let app = App::at(folder.path()).unwrap();
    let result = sync(&app);
    let is_refused = case
        .file_name()
        .unwrap()
        .to_str()
        .unwrap()
        .starts_with("fail-");
    assert_eq!(
        result.is_err(),
        is_refused,
        "{}: {result:?}",
        case.display()
    );
    let notes = result.unwrap_or_else(|error| format!("error: {error}\n"));
    let mut differences: Vec<String> = compare(&case.join("notes"), &notes).into_iter().collect();
    for file in MANIFESTS {
        let before = fs::read_to_string(case.join(file)).unwrap();
        let after = fs::read_to_string(folder.path().join(file)).unwrap();
        // A file without an `.after` stays as it is, to the byte.
        let found = if before == after { "" } else { &after };
        differences.extend(compare(&case.join(format!("{file}.after")), found));
    }
    differences
}

#[test]
fn manifests_follow_the_folders() {
    settle(
        cases(&fixtures("sync"))
            .iter()
            .flat_map(|case| run(case))
            .collect(),
    );
}

/// Numbers that look random and are the same on every run (xorshift64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(bound).unwrap()).unwrap()
    }
}

const FOLDERS: [&str; 8] = [
    "",
    "a",
    "a/[id]",
    "a/[id]/b",
    "(group)/c",
    "docs/[...path]",
    "e/[[...rest]]",
    "rss.xml",
];

#[test]
fn any_history_of_folders_ends_in_step_and_keeps_what_people_wrote() {
    for seed in 1..60 {
        let mut numbers = Numbers(seed * 0x9e37_79b9);
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        write(
            &root.join("Cargo.toml"),
            "[workspace] # mine\nmembers = [ \"tools/*\" ]\n",
        );
        write(
            &root.join("spin.toml"),
            "# mine\n[application]\nname = \"x\" # mine\n# end\n",
        );
        fs::create_dir(root.join("handlers")).unwrap();
        let app = App::at(root).unwrap();
        for _ in 0..8 {
            change(root, &mut numbers);
            sync(&app).unwrap();
            assert_in_step(&app);
        }
    }
}

/// Adds a route, removes one, gives one another package name, or makes a component of a source or back.
fn change(root: &Path, numbers: &mut Numbers) {
    let number = numbers.below(FOLDERS.len());
    let folder = root.join("handlers").join(FOLDERS[number]);
    let is_route = ["route.rs", "route.wasm"]
        .iter()
        .any(|file| folder.join(file).exists());
    for file in ["route.rs", "Cargo.toml", "route.wasm"] {
        // What is not there need not go.
        let _ = fs::remove_file(folder.join(file));
    }
    if is_route && numbers.below(2) == 0 {
        return;
    }
    if numbers.below(3) == 0 {
        return write(&folder.join("route.wasm"), "");
    }
    let name = format!("route-n{number}-x{}", numbers.below(2));
    write(&folder.join("route.rs"), "");
    write(&folder.join("Cargo.toml"), &manifest(&name));
}

fn assert_in_step(app: &App) {
    let cargo = fs::read_to_string(app.cargo_toml()).unwrap();
    let spin = fs::read_to_string(app.spin_toml()).unwrap();
    assert_eq!(cargo.matches("# mine").count(), 1, "{cargo}");
    assert!(cargo.contains("\"tools/*\""), "{cargo}");
    assert_eq!(spin.matches("# mine").count(), 2, "{spin}");
    assert_eq!(spin.matches("# end").count(), 1, "{spin}");
    let routes = routes(app);
    let sources = routes
        .iter()
        .filter(|route| route.kind() == RouteKind::Source);
    assert_eq!(
        cargo.matches("handlers").count(),
        sources.count(),
        "{cargo}"
    );
    let document: toml_edit::DocumentMut = spin.parse().unwrap();
    let components = document["component"].as_table().unwrap();
    let triggers = document["trigger"]["http"].as_array_of_tables().unwrap();
    assert_eq!(components.len(), routes.len() + 1, "{spin}");
    assert_eq!(triggers.len(), routes.len() + 1, "{spin}");
    for route in routes {
        let component = &components[route.id().as_str()];
        assert_eq!(component["source"].as_str(), Some(route.source().as_str()));
        let is_built = component.get("build").is_some();
        assert_eq!(is_built, route.kind() == RouteKind::Source, "{spin}");
    }
}
