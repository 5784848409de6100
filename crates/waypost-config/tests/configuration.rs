//! Configuration files with the expected result of reading each.
//!
//! `tests/manifests/NAME.txt` is the content of the valid `NAME.toml` beside it, and `tests/manifests/fail/NAME.stderr`
//! the faults of the invalid `NAME.toml`. The same holds for `tests/settings`. Lines `# env: NAME=value` set the
//! environment in which a manifest is resolved. To rewrite the expected files:
//! `WAYPOST_BLESS=1 cargo test -p waypost-config --test configuration`.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test may panic")]

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use waypost_config::manifest::Component;
use waypost_config::settings::{Limits, RouteLimits};
use waypost_config::{Manifest, Settings};

#[test]
fn valid_manifests_are_read() {
    check("tests/manifests", "txt", |text, path| {
        describe_manifest(text, path).unwrap_or_else(|errors| panic!("{errors}"))
    });
}

#[test]
fn invalid_manifests_are_refused_with_every_fault() {
    check(
        "tests/manifests/fail",
        "stderr",
        |text, path| match describe_manifest(text, path) {
            Ok(given) => panic!("{} is accepted:\n{given}", path.display()),
            Err(errors) => errors,
        },
    );
}

#[test]
fn valid_settings_are_read() {
    check("tests/settings", "txt", |text, path| {
        describe_settings(text, path).unwrap_or_else(|errors| panic!("{errors}"))
    });
}

#[test]
fn invalid_settings_are_refused_with_every_fault() {
    check(
        "tests/settings/fail",
        "stderr",
        |text, path| match describe_settings(text, path) {
            Ok(given) => panic!("{} is accepted:\n{given}", path.display()),
            Err(errors) => errors,
        },
    );
}

#[test]
fn a_missing_manifest_is_a_fault_and_missing_settings_are_not() {
    let path = Path::new("tests/none.toml");
    let errors = Manifest::load(path).unwrap_err();
    assert_eq!(
        errors.to_string(),
        "tests/none.toml: cannot be read: there is no such file"
    );
    let settings = Settings::load(path).unwrap();
    assert_eq!(settings.limits, Limits::default());
}

#[test]
fn the_trigger_of_a_path_is_the_most_specific() {
    let path = Path::new("tests/manifests/routes.toml");
    let manifest = Manifest::load(path).unwrap();
    for (path, expected) in [
        ("/", "everything"),
        ("/none", "everything"),
        ("/one", "one-exact"),
        ("/one/", "one-exact"),
        ("/one/two", "one-two-below"),
        ("/one/two/three", "one-two-below"),
        ("/one/two/three/four", "one-two-below"),
        ("/one/twofold", "one-below"),
    ] {
        let trigger = manifest.trigger_for(path).unwrap();
        assert_eq!(trigger.component.as_str(), expected, "{path}");
    }
}

/// Compares the result of each file in a folder with the file beside it.
fn check(folder: &str, extension: &str, describe: impl Fn(&str, &Path) -> String) {
    let bless = std::env::var_os("WAYPOST_BLESS").is_some();
    let mut differences = String::new();
    for path in files(folder) {
        let text = fs::read_to_string(&path).unwrap();
        let given = describe(&text, Path::new(path.file_name().unwrap())) + "\n";
        let beside = path.with_extension(extension);
        if bless {
            fs::write(&beside, &given).unwrap();
        }
        let expected = fs::read_to_string(&beside).unwrap_or_default();
        if given != expected {
            writeln!(differences, "{}:\n{given}\n", beside.display()).unwrap();
        }
    }
    assert!(differences.is_empty(), "these files differ:\n{differences}");
}

fn files(folder: &str) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{folder} holds no files");
    files
}

fn describe_manifest(text: &str, path: &Path) -> Result<String, String> {
    let manifest = Manifest::parse(text, path).map_err(|errors| errors.to_string())?;
    let environment = environment(text);
    let resolved = manifest
        .resolve(|name| environment.get(name).map(Into::into))
        .map_err(|errors| errors.to_string())?;
    let mut out = format!("{:#?}\n", manifest.application);
    for (name, variable) in &manifest.variables {
        writeln!(out, "{name}: {variable:?}").unwrap();
    }
    for trigger in &manifest.triggers {
        let (id, route, component) = (&trigger.id, &trigger.route, &trigger.component);
        writeln!(out, "trigger {id}: {route} -> {component}").unwrap();
    }
    for (id, component) in &manifest.components {
        write!(out, "\n{id}: {}", describe_component(component)).unwrap();
        write!(out, "{:#?}", resolved[id].variables).unwrap();
        write!(out, "\n{:?}", resolved[id].allowed_hosts).unwrap();
    }
    Ok(out)
}

/// Omits the fields that only the resolved component shows in full.
fn describe_component(component: &Component) -> String {
    let Component {
        source,
        description,
        environment,
        files,
        key_value_stores,
        build,
        ..
    } = component;
    format!(
        "{source:?} {description:?}\n{environment:?} {key_value_stores:?}\n{files:?}\n{build:?}\n"
    )
}

fn environment(text: &str) -> HashMap<String, String> {
    text.lines()
        .filter_map(|line| line.strip_prefix("# env: ")?.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn describe_settings(text: &str, path: &Path) -> Result<String, String> {
    let settings = Settings::parse(text, path).map_err(|errors| errors.to_string())?;
    settings
        .check_routes(&["/", "/items/[slug]", "/upload"])
        .map_err(|errors| errors.to_string())?;
    let (server, limits, outbound) = (&settings.server, &settings.limits, &settings.outbound);
    let items: RouteLimits = settings.route_limits("/items/[slug]");
    let upload = settings.route_limits("/upload");
    Ok(format!(
        "{server:#?}\n{outbound:#?}\n{limits:#?}\n/items/[slug] {items:#?}\n/upload {upload:#?}"
    ))
}
