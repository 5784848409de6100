//! The command, and fixtures: trees of files written as lists, and expected files that can be blessed.
//!
//! With `WAYPOST_BLESS=1` in the environment a test writes what it found as what is expected; look
//! at the difference before committing it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Returns the folder of this checkout, which is the example app.
pub fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// Returns the `waypost` command in a folder, ready for arguments.
pub fn waypost(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_waypost"));
    command.current_dir(folder);
    command
}

/// The folder of this crate's fixtures of one kind.
pub fn fixtures(kind: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(kind)
}

/// The folders in a folder, sorted.
pub fn cases(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let mut cases: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    cases.retain(|path| path.is_dir());
    cases.sort();
    assert!(!cases.is_empty(), "no cases in {}", folder.display());
    cases
}

/// Compares with an expected file, or writes it. A difference is returned, so that a test can
/// show those of all cases.
pub fn compare(file: &Path, found: &str) -> Option<String> {
    if std::env::var_os("WAYPOST_BLESS").is_some() {
        match found {
            "" if file.exists() => fs::remove_file(file).unwrap(),
            "" => {}
            found => fs::write(file, found).unwrap(),
        }
        return None;
    }
    let expected = fs::read_to_string(file).unwrap_or_default();
    (expected != found).then(|| {
        format!(
            "== {}\n-- expected\n{expected}\n-- found\n{found}",
            file.display()
        )
    })
}

/// Fails with all differences at once.
pub fn settle(differences: Vec<String>) {
    assert!(
        differences.is_empty(),
        "{}\n(WAYPOST_BLESS=1 takes what was found as expected)",
        differences.join("\n")
    );
}

/// Writes a tree below `root`.
///
/// A line is a path; lines indented by four spaces are its content. `path -> target` is a link. A
/// `route.rs` gets a sound `Cargo.toml` unless the list has one; `route.rs !` gets none.
pub fn write_tree(root: &Path, list: &str) {
    fs::create_dir_all(root.join("handlers")).unwrap();
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    let mut current = String::new();
    for line in list.lines() {
        if let Some(content) = line.strip_prefix("    ") {
            files
                .get_mut(&current)
                .unwrap()
                .push_str(&format!("{content}\n"));
        } else if let Some((link, target)) = line.split_once(" -> ") {
            symlink(target, &root.join(link));
        } else {
            current = line.trim_end_matches(" !").to_owned();
            files.insert(current.clone(), String::new());
            if let Some(folder) = line.strip_suffix("route.rs") {
                let manifest = sound_manifest(files.len());
                files
                    .entry(format!("{folder}Cargo.toml"))
                    .or_insert(manifest);
            }
        }
        if line.ends_with("/Cargo.toml") {
            files.insert(current.clone(), String::new());
        }
    }
    for (file, content) in files {
        write(&root.join(file), &content);
    }
}

pub fn write(file: &Path, content: &str) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, content).unwrap();
}

/// The manifest of the nth route.
pub fn sound_manifest(number: usize) -> String {
    manifest(&format!("r{number}"))
}

pub fn manifest(name: &str) -> String {
    format!(
        "[package]\nname = \"{name}\"\n\n[lib]\npath = \"route.rs\"\ncrate-type = [\"cdylib\"]\n"
    )
}

#[cfg(unix)]
fn symlink(target: &str, link: &Path) {
    fs::create_dir_all(link.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(target, link).unwrap();
}

/// Copies a folder with all that is in it.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}

/// All files below a folder, by their path in it.
pub fn snapshot(folder: &Path) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    collect(folder, folder, &mut files);
    files
}

fn collect(root: &Path, folder: &Path, files: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, files);
        } else {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap();
            files.insert(name.to_owned(), fs::read_to_string(&path).unwrap());
        }
    }
}
