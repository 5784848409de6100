//! The files from which components were compiled, as the compiler reports them: sources, and files of `include_str!`, `include_bytes!` and
//! build scripts, also outside the app.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Returns the inputs of an artefact from the dependency file that Cargo writes beside it. Packages of a registry or a repository, which
/// never change, and files that a build writes are left out.
pub(super) fn of(artefact: &Path) -> BTreeSet<PathBuf> {
    let text = waypost_config::read_text_file(artefact.with_extension("d")).unwrap_or_default();
    let target = target_folder(artefact);
    let is_input = |file: &PathBuf| {
        let is_downloaded = ["registry/src", "git/checkouts"].iter().any(|folder| {
            file.parent()
                .is_some_and(|parent| has(parent, Path::new(folder)))
        });
        !is_downloaded && !target.is_some_and(|target| file.starts_with(target))
    };
    parse(&text).into_iter().filter(is_input).collect()
}

/// Returns the folder that Cargo marks as its target folder.
fn target_folder(artefact: &Path) -> Option<&Path> {
    let mut folders = artefact.ancestors().skip(1);
    folders.find(|folder| folder.join("CACHEDIR.TAG").is_file())
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
        let release = folder.path().join("target/release");
        fs::create_dir_all(&release).unwrap();
        fs::write(folder.path().join("target/CACHEDIR.TAG"), "").unwrap();
        let generated = release.join("build/x/out/made.rs").display().to_string();
        let rules = format!(
            "{}/hello.wasm: /app/route.rs /shared\\ files/page.html {generated} /home/.cargo/registry/src/x/serde/lib.rs\n",
            release.display()
        );
        fs::write(release.join("hello.d"), rules).unwrap();
        let expected = ["/app/route.rs", "/shared files/page.html"].map(PathBuf::from);
        assert_eq!(of(&release.join("hello.wasm")), BTreeSet::from(expected));
        assert!(of(&release.join("other.wasm")).is_empty());
    }
}
