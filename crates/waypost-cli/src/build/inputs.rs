//! The files from which components were compiled, as the compiler reports them: sources, and files of `include_str!`, `include_bytes!` and
//! build scripts, also outside the app.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Returns the inputs of an artefact of the app in `root` from the dependency file that Cargo writes beside it. Packages of a registry or
/// a repository, which never change, and files that a build writes are left out.
pub(super) fn of(artefact: &Path, root: &Path) -> BTreeSet<PathBuf> {
    let text = waypost_config::read_text_file(artefact.with_extension("d")).unwrap_or_default();
    let mut left_out = BTreeMap::new();
    let is_input = |file: &PathBuf| {
        let folder = file.parent().unwrap_or(file);
        let is_left_out = || is_downloaded(folder) || is_generated(folder, root);
        !*left_out
            .entry(folder.to_owned())
            .or_insert_with(is_left_out)
    };
    parse(&text).into_iter().filter(is_input).collect()
}

/// Returns whether a folder belongs to a package of a registry or a repository.
fn is_downloaded(folder: &Path) -> bool {
    let mut downloads = ["registry/src", "git/checkouts"].iter();
    downloads.any(|names| has(folder, Path::new(names)))
}

/// Returns whether a folder is in one that Cargo marks as its own, such as `target` or the one that `build.build-dir` names. A mark above
/// the app says nothing.
fn is_generated(folder: &Path, root: &Path) -> bool {
    let mut folders = folder
        .ancestors()
        .take_while(|folder| !root.starts_with(folder));
    folders.any(|folder| folder.join("CACHEDIR.TAG").is_file())
}

/// Returns whether a path contains consecutive names.
fn has(path: &Path, names: &Path) -> bool {
    path.ancestors().any(|path| path.ends_with(names))
}

/// Parses the rules of a dependency file: `target: file file`, in which a space in a name is escaped.
fn parse(text: &str) -> BTreeSet<PathBuf> {
    let mut files = BTreeSet::new();
    for line in text.lines() {
        let Some((_, dependencies)) = line.split_once(": ") else {
            continue;
        };
        let mut name = String::new();
        let mut chars = dependencies.chars().peekable();
        while let Some(c) = chars.next() {
            match (c, chars.peek()) {
                ('\\', Some(' ')) => name.extend(chars.next()),
                (' ', _) => {
                    files.insert(PathBuf::from(std::mem::take(&mut name)));
                }
                (c, _) => name.push(c),
            }
        }
        files.insert(PathBuf::from(name));
    }
    files.remove(Path::new(""));
    files
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_inputs_of_an_artefact_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("app");
        let release = root.join("target/release");
        fs::create_dir_all(&release).unwrap();
        fs::create_dir(folder.path().join("built")).unwrap();
        for marked in ["", "app/target", "built"] {
            fs::write(folder.path().join(marked).join("CACHEDIR.TAG"), "").unwrap();
        }
        let route = root.join("handlers/route.rs");
        let rules = format!(
            "{}/hello.wasm: {} /shared\\ files/page.html {} {} /home/.cargo/registry/src/x/serde/lib.rs\n",
            release.display(),
            route.display(),
            release.join("build/x/out/made.rs").display(),
            folder
                .path()
                .join("built/release/build/x/out/made.rs")
                .display(),
        );
        fs::write(release.join("hello.d"), rules).unwrap();
        let expected = [route, PathBuf::from("/shared files/page.html")];
        let inputs = |file| of(&release.join(file), &root);
        assert_eq!(inputs("hello.wasm"), BTreeSet::from(expected));
        assert!(inputs("other.wasm").is_empty());
    }
}
