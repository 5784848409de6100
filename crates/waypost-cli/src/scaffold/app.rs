//! The files of a new app.

use std::path::Path;
use std::str::FromStr;

use toml_edit::{Array, DocumentMut, Item, Table, Value};
use waypost_routing::Pattern;

use super::manifest::{self, inherited, workspace_dependency, workspace_item};
use super::route::{MethodName, route_manifest, route_source};
use crate::component_id;
use crate::failure::Failure;

const SPIN_TOML: &str = include_str!("../../templates/spin.toml");
const WAYPOST_TOML: &str = include_str!("../../templates/waypost.toml");
const README: &str = include_str!("../../templates/README.md");
const GITIGNORE: &str = include_str!("../../templates/gitignore");
const ROUTER_MANIFEST: &str = include_str!("../../templates/router.toml");
/// The source of the router of every app.
pub const ROUTER_SOURCE: &str = include_str!("../../templates/router.rs");
const ROUTES: &str = "hello GET /hello\n";

/// The name of an app, which is that of its folder and in `spin.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppName(String);

impl FromStr for AppName {
    type Err = Failure;

    fn from_str(name: &str) -> Result<AppName, Failure> {
        let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic());
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if starts_well && name.chars().all(is_word) {
            return Ok(AppName(name.to_owned()));
        }
        Err(Failure::new(format!("`{name}` is not a valid app name"))
            .hint("it has to begin with a letter, followed by letters, digits, `-` and `_`"))
    }
}

/// Returns the files of a new app, by their path in it. `checkout` is this repository, if it is still there.
#[expect(clippy::expect_used, reason = "`hello` is a valid pattern")]
pub fn files(name: &AppName, checkout: Option<&Path>) -> Vec<(&'static str, String)> {
    let hello = Pattern::parse("hello").expect("a plain word is a pattern");
    let id = component_id::derive(&hello, |_| false);
    let workspace = workspace(checkout);
    let named = |text: &str| called(text, checkout).replace("{{name}}", &name.0);
    let mut files = vec![
        ("Cargo.toml", workspace.to_string()),
        ("spin.toml", named(SPIN_TOML)),
        ("waypost.toml", named(WAYPOST_TOML)),
        ("README.md", named(README)),
        (".gitignore", GITIGNORE.to_owned()),
        ("router/Cargo.toml", ROUTER_MANIFEST.to_owned()),
        ("router/src/lib.rs", named(ROUTER_SOURCE)),
        ("router/routes.txt", ROUTES.to_owned()),
        ("handlers/hello/Cargo.toml", route_manifest(&id, &workspace)),
        (
            "handlers/hello/route.rs",
            route_source(&hello, &[MethodName::Get]),
        ),
    ];
    if let Some(checkout) = checkout {
        files.push((".cargo/config.toml", cargo_config(checkout)));
    }
    files
}

/// Returns a text with the command called as this app can call it: `cargo waypost` is an alias that needs the checkout.
fn called(text: &str, checkout: Option<&Path>) -> String {
    match checkout {
        Some(_) => text.to_owned(),
        None => text.replace("cargo waypost", "waypost"),
    }
}

/// Returns a virtual workspace with the dependencies of the router and of routes.
#[expect(
    clippy::expect_used,
    reason = "a test compares this text with a manifest that Cargo reads"
)]
fn workspace(checkout: Option<&Path>) -> DocumentMut {
    let ours = manifest::ours();
    let router: DocumentMut = ROUTER_MANIFEST
        .parse()
        .expect("Cargo reads the router's manifest in this repository");
    let mut workspace = Table::new();
    workspace.insert("resolver", "3".into());
    workspace.insert("members", members().into());
    workspace.insert("package", Item::Table(package(&ours)));
    workspace.insert("dependencies", Item::Table(dependencies(&router, checkout)));
    let mut document = DocumentMut::new();
    document.insert("workspace", Item::Table(workspace));
    document.insert("profile", release_profile(&ours));
    document
}

fn members() -> Array {
    let mut members = Array::new();
    for member in ["router", "handlers/hello"] {
        let mut member = Value::from(member);
        member.decor_mut().set_prefix("\n    ");
        members.push_formatted(member);
    }
    members.set_trailing("\n");
    members.set_trailing_comma(true);
    members
}

/// Returns the keys of `[workspace.package]` that a new app shares with this repository.
fn package(ours: &DocumentMut) -> Table {
    let mut package = Table::new();
    package.insert("version", "0.1.0".into());
    for key in ["edition", "rust-version"] {
        if let Some(item) = workspace_item(ours, "package", key) {
            package.insert(key, item.clone());
        }
    }
    package
}

fn dependencies(router: &DocumentMut, checkout: Option<&Path>) -> Table {
    let mut names = inherited(router);
    names.extend(["serde".to_owned(), "waypost".to_owned()]);
    names.sort();
    names.dedup();
    let mut dependencies = Table::new();
    for name in names {
        let dependency = manifest::inline(workspace_dependency(&name, checkout));
        dependencies.insert(&name, dependency);
    }
    dependencies
}

/// Returns `[profile.release]` of this repository without its comments.
fn release_profile(ours: &DocumentMut) -> Item {
    let release = ours
        .get("profile")
        .and_then(|profile| profile.get("release"));
    let mut copy = Table::new();
    let keys = release.and_then(Item::as_table_like);
    for (key, item) in keys.into_iter().flat_map(|keys| keys.iter()) {
        copy.insert(key, item.clone());
    }
    let mut profile = Table::new();
    profile.set_implicit(true);
    profile.insert("release", Item::Table(copy));
    Item::Table(profile)
}

/// Returns the alias `cargo waypost`, which runs this repository's command.
fn cargo_config(checkout: &Path) -> String {
    let manifest = checkout.join("Cargo.toml").display().to_string();
    let words = ["run", "--quiet", "--manifest-path", &manifest];
    let words = words
        .into_iter()
        .chain(["--package", "waypost-start", "--"]);
    let mut alias = Table::new();
    alias.insert("waypost", Array::from_iter(words).into());
    let mut document = DocumentMut::new();
    document.insert("alias", Item::Table(alias));
    document.to_string()
}
