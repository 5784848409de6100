//! Checks the pages in `docs`: their links, and the commands, flags and files that they name.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap().to_owned()
}

/// The Markdown files that people read first, and all in `docs`.
fn pages() -> Vec<PathBuf> {
    let root = root();
    let mut pages = vec![root.join("README.md"), root.join("ARCHITECTURE.md")];
    let mut folders = vec![root.join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false if path.extension().is_some_and(|kind| kind == "md") => pages.push(path),
                false => {}
            }
        }
    }
    pages.sort();
    pages
}

/// What a page says, without what stands between lines of "```" where `code` is not wanted.
fn lines(page: &Path, with_code: bool) -> Vec<String> {
    let text = fs::read_to_string(page).unwrap();
    let mut is_code = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        } else if with_code || !is_code {
            lines.push(line.to_owned());
        }
    }
    lines
}

/// The targets of `[text](target)` and `[name]: target`.
fn links(page: &Path) -> Vec<String> {
    let mut links = Vec::new();
    for line in lines(page, false) {
        if let Some((_, target)) = line.split_once("]: ").filter(|_| line.starts_with('[')) {
            links.push(target.trim().to_owned());
        }
        let ends = line.split("](").skip(1);
        links.extend(ends.filter_map(|end| Some(end.split_once(')')?.0.to_owned())));
    }
    links
}

/// The anchors of a page's headings, as GitHub makes them.
fn anchors(page: &Path) -> BTreeSet<String> {
    let heading = |line: String| {
        let text = line.strip_prefix('#')?.trim_start_matches('#').trim();
        let kept = text
            .chars()
            .filter(|c| c.is_alphanumeric() || "-_ ".contains(*c));
        Some(kept.collect::<String>().to_lowercase().replace(' ', "-"))
    };
    lines(page, false).into_iter().filter_map(heading).collect()
}

#[test]
fn links_lead_somewhere() {
    let mut lost = Vec::new();
    for page in pages() {
        for link in links(&page) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = match file {
                "" => page.clone(),
                file => page.parent().unwrap().join(file),
            };
            let is_found =
                target.exists() && (anchor.is_empty() || anchors(&target).contains(anchor));
            if !is_found {
                lost.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(lost.is_empty(), "links lead nowhere:\n{}", lost.join("\n"));
}

/// The code spans of a page that name a file or folder of the repository.
fn named_paths(page: &Path) -> Vec<String> {
    const FOLDERS: [&str; 5] = ["benches/", "crates/", "fuzz/", "tests/", "wit/"];
    let lines = lines(page, false);
    let spans = lines
        .iter()
        .flat_map(|line| line.split('`').skip(1).step_by(2));
    spans
        .filter(|span| FOLDERS.iter().any(|folder| span.starts_with(folder)))
        .map(str::to_owned)
        .collect()
}

#[test]
fn named_files_exist() {
    let (mut lost, mut named) = (Vec::new(), 0);
    for page in pages() {
        for path in named_paths(&page) {
            named += 1;
            if !root().join(&path).exists() {
                lost.push(format!("{}: {path}", page.display()));
            }
        }
    }
    assert!(lost.is_empty(), "no such files:\n{}", lost.join("\n"));
    assert!(named > 20, "the pages name files, and {named} were found");
}

/// The commands in a line, each as its words after `waypost`.
fn commands(line: &str) -> Vec<Vec<String>> {
    let clean = line.replace(['`', '|', '#', ';', '(', ')', ',', '"', '…'], "\n");
    let mut commands = Vec::new();
    for part in clean.replace("&&", "\n").lines() {
        let words: Vec<&str> = part.split_whitespace().collect();
        let starts = words.iter().enumerate().filter(|(index, word)| {
            let is_named = **word == "waypost" || word.ends_with("/waypost");
            let before = index.checked_sub(1).and_then(|before| words.get(before));
            // `--bin waypost` and `-o /out/waypost` name a file.
            is_named && before.is_none_or(|before| !before.starts_with('-'))
        });
        for (start, _) in starts {
            let words = words[start + 1..].iter().map(|word| (*word).to_owned());
            commands.push(words.collect());
        }
    }
    commands
}

fn help(command: &str) -> Option<String> {
    let mut waypost = Command::new(env!("CARGO_BIN_EXE_waypost"));
    let output = waypost.args([command, "--help"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    output.status.success().then_some(text)
}

#[test]
fn commands_and_flags_are_there() {
    let mut helps: BTreeMap<String, Option<String>> = BTreeMap::new();
    let (mut unknown, mut known) = (Vec::new(), 0);
    for page in pages() {
        let code = lines(&page, true);
        let is_of_waypost = |line: &&String| line.contains("waypost ");
        for words in code
            .iter()
            .filter(is_of_waypost)
            .flat_map(|line| commands(line))
        {
            // Prose goes on with a word that is no command; what has a flag is a command.
            let Some(command) = words.first().filter(|word| !word.starts_with('-')) else {
                continue;
            };
            let flags: Vec<&String> = words.iter().filter(|word| word.starts_with("--")).collect();
            let help = helps
                .entry(command.clone())
                .or_insert_with(|| help(command));
            let has = |flag: &str| {
                let flag = flag.split('=').next().unwrap_or(flag);
                let help = help.as_deref().unwrap_or_default();
                help.contains(&format!("{flag} ")) || help.contains(&format!("{flag}\n"))
            };
            known += usize::from(help.is_some());
            let lost = flags.iter().filter(|flag| !has(flag));
            unknown.extend(lost.map(|flag| format!("{}: {command} {flag}", page.display())));
        }
    }
    assert!(
        unknown.is_empty(),
        "not in the help:\n{}",
        unknown.join("\n")
    );
    assert!(
        known > 20,
        "the pages name commands, and {known} were found"
    );
}

/// Each claim of `docs/bounds.md` names its tests: `module::test`, or a module of tests.
#[test]
fn tests_that_bounds_names_exist() {
    let text = fs::read_to_string(root().join("docs/bounds.md")).unwrap();
    let (_, table) = text.split_once("### Each claim and its test").unwrap();
    let (table, _) = table.split_once("\n## ").unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| "));
    let mut names = rows.filter_map(|row| row.split('|').nth(2));
    let mut count = 0;
    let missing: Vec<_> = names
        .by_ref()
        .flat_map(|tests| tests.split('`').skip(1).step_by(2))
        .filter(|name| name.contains("::"))
        .inspect(|_| count += 1)
        .filter(|name| !is_there(name))
        .collect();
    assert!(missing.is_empty(), "no such tests: {missing:?}");
    assert!(count > 30, "only {count} tests are named");
}

fn is_there(name: &str) -> bool {
    let (module, test) = name.rsplit_once("::").unwrap();
    let file = module.replace("::", "/");
    let read = |path: String| fs::read_to_string(root().join("crates").join(path)).ok();
    if test == "tests" {
        let files = ["waypost-host", "waypost-config"].map(|of| format!("{of}/src/{file}"));
        return files.iter().any(|file| {
            let within = read(format!("{file}.rs")).is_some_and(|text| text.contains("mod tests"));
            within || read(format!("{file}/tests.rs")).is_some()
        });
    }
    let test = format!("fn {test}(");
    read(format!("waypost-host/tests/host/{file}.rs")).is_some_and(|text| text.contains(&test))
}
