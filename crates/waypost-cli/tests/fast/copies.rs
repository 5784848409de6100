//! What the crate of the command holds a copy of, so that it can be published: each is equal to what it copies.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use toml_edit::{DocumentMut, Item};

use crate::support::checkout;

#[test]
fn the_router_of_a_new_app_is_the_one_of_this_repository() {
    for (copy, original) in [("router.toml", "Cargo.toml"), ("router.rs", "src/lib.rs")] {
        let copy = checkout().join("crates/waypost-cli/templates").join(copy);
        let original = checkout().join("router").join(original);
        let text = |file| fs::read_to_string(file).unwrap();
        assert_eq!(text(&copy), text(&original), "{}", copy.display());
    }
}

#[test]
fn a_new_app_has_the_versions_and_the_profile_of_this_repository() {
    let document = |file: &str| {
        let text = fs::read_to_string(checkout().join(file)).unwrap();
        text.parse::<DocumentMut>().unwrap()
    };
    let copy = document("crates/waypost-cli/templates/workspace.toml");
    let original = document("Cargo.toml");
    for table in ["package", "dependencies"] {
        let copied = copy["workspace"][table].as_table().unwrap();
        for (key, item) in copied {
            let original = &original["workspace"][table][key];
            assert_eq!(plain(item), plain(original), "{table}.{key}");
        }
    }
    let of_guests = |document: &DocumentMut| {
        let release = document["profile"]["release"].as_table().unwrap();
        let keys = release.iter().filter(|(_, item)| item.is_value());
        keys.map(|(key, item)| (key.to_owned(), plain(item)))
            .collect::<Vec<_>>()
    };
    assert_eq!(of_guests(&copy), of_guests(&original));
}

#[test]
fn the_store_of_the_router_is_the_one_of_the_host() {
    let router = checkout().join("crates/waypost-router/wit/key-value.wit");
    let host = checkout().join("crates/waypost-host/wit/deps/spin-key-value@3.0.0/key-value.wit");
    let text = |file| fs::read_to_string(file).unwrap();
    assert_eq!(text(router), text(host));
}

#[test]
fn the_interfaces_are_those_of_the_folder_wit() {
    for folder in ["deps", "wasi-0.2"] {
        let copies = files(&checkout().join("crates/waypost-cli/wit").join(folder));
        let originals = files(&checkout().join("wit").join(folder));
        assert!(!originals.is_empty());
        assert!(copies == originals, "{folder} differs");
    }
}

/// Returns the names and the contents of the files in a folder.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let file = |entry: fs::DirEntry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        (name, fs::read_to_string(entry.path()).unwrap())
    };
    entries.map(file).collect()
}

/// Returns an item without comments and space around it.
fn plain(item: &Item) -> String {
    item.to_string().trim().to_owned()
}
