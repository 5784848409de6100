//! Runs `cargo build` and collects its artefacts, failures and messages.
//!
//! Diagnostics arrive as JSON, so each is printed once and its package is known. Cargo's own lines arrive on stderr:
//! status lines become progress, summaries of the diagnostics are dropped, anything else (a malformed manifest, for
//! example) is passed on.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;
use serde::Deserialize;
use url::Url;

use super::inputs;
use super::machine::{self, Symptom};
use super::progress::{Progress, Work};
use crate::abi::Abi;
use crate::app::App;
use crate::failure::Failure;
use crate::sync::{CACHE_FEATURE, Inputs};

/// The first words of Cargo's status lines.
const STATUS: [&str; 14] = [
    "Adding",
    "Blocking",
    "Building",
    "Checking",
    "Compiling",
    "Dirty",
    "Downloaded",
    "Downloading",
    "Finished",
    "Fresh",
    "Locking",
    "Updating",
    "Removing",
    "Unpacking",
];

/// Summaries of diagnostics that were printed already.
const SUMMARIES: [&str; 3] = [
    "error: could not compile",
    "warning: build failed",
    "error: aborting due to",
];

/// A release build of some packages of an app's workspace.
pub(super) struct CargoBuild<'a> {
    app: &'a App,
    packages: &'a [Package],
    abi: Abi,
    composed: Option<Composed<'a>>,
    /// The versions of the components whose responses the router caches, or `None` if it caches nothing.
    versions: Option<&'a str>,
}

/// A package of the app. It is known by its folder, because a dependency may have the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Package {
    pub(super) name: String,
    /// The canonical folder.
    folder: PathBuf,
}

impl Package {
    /// Returns the package `name` in `folder`, which is relative to the app's root.
    pub(super) fn new(app: &App, name: &str, folder: &str) -> Package {
        // Cargo finds the workspace from its working folder, which never contains links.
        let root = app.root().canonicalize();
        let root = root.unwrap_or_else(|_| app.root().to_owned());
        Package {
            name: name.to_owned(),
            folder: root.join(folder),
        }
    }

    /// Returns the package `name` in a canonical folder.
    #[cfg(test)]
    pub(super) fn in_folder(name: &str, folder: PathBuf) -> Package {
        let name = name.to_owned();
        Package { name, folder }
    }

    /// Returns its canonical folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns its package id (`cargo help pkgid`), or its name if the folder has none.
    fn spec(&self) -> String {
        match Url::from_file_path(&self.folder) {
            Ok(url) => format!("path+{url}#{}", self.name),
            Err(()) => self.name.clone(),
        }
    }
}

/// The additional input for the router of a composition.
#[derive(Clone, Copy)]
pub(super) struct Composed<'a> {
    /// The Rust file that imports its handlers.
    pub(super) imports: &'a Path,
    /// Its target folder, because the chained router has the same file name.
    pub(super) target_dir: &'a Path,
    /// The folder in which the app is compiled, so that both routers share what they consist of.
    pub(super) build_dir: &'a Path,
}

/// The result of a build.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    is_success: bool,
    artefacts: BTreeMap<String, PathBuf>,
    failed: BTreeSet<String>,
    /// The setting of this machine because of which the build failed, if there is one.
    machine: Option<Failure>,
}

#[derive(Deserialize)]
#[serde(tag = "reason")]
enum Message {
    #[serde(rename = "compiler-artifact")]
    Artefact {
        manifest_path: PathBuf,
        filenames: Vec<PathBuf>,
        fresh: bool,
    },
    #[serde(rename = "compiler-message")]
    Diagnostic {
        manifest_path: PathBuf,
        message: Diagnostic,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Diagnostic {
    level: String,
    #[serde(default)]
    message: String,
    rendered: Option<String>,
}

impl Outcome {
    /// Returns the component file that Cargo made of a package.
    pub(super) fn artefact(&self, package: &str) -> Option<&Path> {
        self.artefacts.get(package).map(PathBuf::as_path)
    }

    /// Returns the files and folders from which the component of each package of the app in `root` was compiled.
    pub(super) fn inputs(&self, root: &Path) -> Inputs {
        let artefacts = self.artefacts.iter();
        artefacts
            .map(|(package, file)| (package.clone(), inputs::of(file, root)))
            .collect()
    }

    /// Returns the outcome if the build succeeded.
    ///
    /// # Errors
    ///
    /// The setting of this machine because of which the build failed, or else `failure`.
    pub(super) fn or_failure(
        mut self,
        failure: impl FnOnce(&Outcome) -> Failure,
    ) -> Result<Outcome, Failure> {
        match (self.is_success, self.machine.take()) {
            (true, _) => Ok(self),
            (false, Some(machine)) => Err(machine),
            (false, None) => Err(failure(&self)),
        }
    }

    /// Adds the outcome of another run.
    fn add(&mut self, other: Outcome) {
        self.is_success &= other.is_success;
        self.artefacts.extend(other.artefacts);
        self.failed.extend(other.failed);
        self.machine = self.machine.take().or(other.machine);
    }

    /// Returns whether the compiler found errors in a package.
    pub(super) fn has_failed(&self, package: &str) -> bool {
        self.failed.contains(package)
    }
}

impl<'a> CargoBuild<'a> {
    pub(super) fn new(app: &'a App, packages: &'a [Package], abi: Abi) -> CargoBuild<'a> {
        CargoBuild {
            app,
            packages,
            abi,
            composed: None,
            versions: None,
        }
    }

    /// Builds the router of a composition.
    pub(super) fn composed(self, composed: Composed<'a>) -> CargoBuild<'a> {
        let composed = Some(composed);
        CargoBuild { composed, ..self }
    }

    /// Builds the router with the response cache, if there are versions of components that it caches.
    pub(super) fn caching(self, versions: Option<&'a str>) -> CargoBuild<'a> {
        CargoBuild { versions, ..self }
    }

    /// Builds groups of packages, one after the other, and returns the outcome of all.
    pub(super) fn run_groups(
        app: &App,
        groups: &[Vec<Package>],
        abi: Abi,
        progress: &Progress,
    ) -> anyhow::Result<Outcome> {
        let mut all = Outcome {
            is_success: true,
            ..Outcome::default()
        };
        for packages in groups {
            all.add(CargoBuild::new(app, packages, abi).run(progress)?);
            if all.machine.is_some() {
                // The others would fail in the same way.
                break;
            }
        }
        Ok(all)
    }

    pub(super) fn run(&self, progress: &Progress) -> anyhow::Result<Outcome> {
        let mut cargo = self
            .command(progress)
            .spawn()
            .context("cannot run `cargo`")?;
        let (stdout, stderr) = (cargo.stdout.take(), cargo.stderr.take());
        let cause = |symptom: &Symptom| machine::failure(self.app, self.abi.target(), symptom);
        let (outcome, machine) = std::thread::scope(|scope| {
            let lines = scope.spawn(|| pass_on(stderr?, progress, &cause));
            let reader = Reader::new(self.packages, progress, &cause);
            let outcome = stdout.map_or(Ok(Outcome::default()), |stdout| reader.read(stdout));
            // A thread that panicked has printed why.
            (outcome, lines.join().unwrap_or_default())
        });
        let status = cargo.wait().context("cannot wait for `cargo`")?;
        let mut outcome = outcome?;
        outcome.is_success = status.success();
        outcome.machine = outcome.machine.or(machine);
        Ok(outcome)
    }

    fn command(&self, progress: &Progress) -> Command {
        let ansi = if progress.is_terminal() {
            "json-diagnostic-rendered-ansi"
        } else {
            "json"
        };
        let mut command = Command::new(program());
        command
            .args([
                "build",
                "--target",
                self.abi.target(),
                "--release",
                "--keep-going",
            ])
            .args(["--message-format", ansi, "--color", "never"])
            .args(
                self.packages
                    .iter()
                    .flat_map(|package| ["-p".to_owned(), package.spec()]),
            )
            .current_dir(self.app.root())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(versions) = self.versions {
            command
                .args(["--features", CACHE_FEATURE])
                .env("WAYPOST_VERSIONS", versions);
        }
        if let Some(composed) = self.composed {
            command
                .args(["--features", "waypost-router/composed", "--target-dir"])
                .arg(composed.target_dir)
                .env("CARGO_BUILD_BUILD_DIR", composed.build_dir)
                .env("WAYPOST_COMPOSED", composed.imports);
        }
        command
    }
}

/// Cargo's folders for an app. They are the same unless `build.build-dir` is set.
#[derive(Deserialize)]
pub(super) struct Folders {
    /// Where Cargo puts what it has built.
    #[serde(rename = "target_directory")]
    pub(super) target: PathBuf,
    /// Where Cargo compiles.
    #[serde(rename = "build_directory")]
    pub(super) build: PathBuf,
}

/// Asks Cargo for its folders for an app.
///
/// # Errors
///
/// When Cargo cannot read the workspace.
pub(super) fn folders(app: &App) -> anyhow::Result<Folders> {
    let output = Command::new(program())
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(app.root())
        .stdin(Stdio::null())
        .output()
        .context("cannot run `cargo`")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(anyhow::anyhow!(said).context("Cargo cannot read the app's workspace"));
    }
    serde_json::from_slice(&output.stdout).context("cannot read the output of `cargo`")
}

/// Returns the Cargo of the toolchain in use, which it names in this variable for its child processes.
fn program() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Returns the setting of this machine that has a symptom.
type Cause<'a> = &'a (dyn Fn(&Symptom) -> Option<Failure> + Sync);

/// Reads Cargo's JSON messages.
struct Reader<'a> {
    packages: &'a [Package],
    progress: &'a Progress,
    cause: Cause<'a>,
    shown: HashSet<String>,
    outcome: Outcome,
}

impl<'a> Reader<'a> {
    fn new(packages: &'a [Package], progress: &'a Progress, cause: Cause<'a>) -> Reader<'a> {
        Reader {
            packages,
            progress,
            cause,
            shown: HashSet::new(),
            outcome: Outcome::default(),
        }
    }

    fn read(mut self, stdout: impl Read) -> anyhow::Result<Outcome> {
        for line in BufReader::new(stdout).lines() {
            let line = line.context("cannot read the output of `cargo`")?;
            match serde_json::from_str(&line) {
                Ok(Message::Artefact {
                    manifest_path,
                    filenames,
                    fresh,
                }) => {
                    self.artefact(&manifest_path, filenames, fresh);
                }
                Ok(Message::Diagnostic {
                    manifest_path,
                    message,
                }) => {
                    self.diagnostic(&manifest_path, message);
                }
                // A build script or a macro may print to stdout.
                Ok(Message::Other) | Err(_) => {}
            }
        }
        Ok(self.outcome)
    }

    /// Returns the name of the package with this manifest, if it is one of those that are built.
    fn package(&self, manifest: &Path) -> Option<String> {
        let folder = manifest.parent()?;
        let is_it = |package: &&Package| package.folder == folder;
        Some(self.packages.iter().find(is_it)?.name.clone())
    }

    fn artefact(&mut self, manifest: &Path, files: Vec<PathBuf>, fresh: bool) {
        let is_component = |file: &PathBuf| file.extension().is_some_and(|kind| kind == "wasm");
        let file = files.into_iter().find(is_component);
        if let Some((package, file)) = self.package(manifest).zip(file) {
            let work = if fresh { Work::Fresh } else { Work::Compiled };
            self.progress.made(&package, work);
            self.outcome.artefacts.insert(package, file);
        }
    }

    fn diagnostic(&mut self, manifest: &Path, message: Diagnostic) {
        if message.level.starts_with("error") {
            self.outcome.failed.extend(self.package(manifest));
            if let Some(symptom) = Symptom::of_diagnostic(&message.message) {
                self.outcome.machine = (self.cause)(&symptom);
                if self.outcome.machine.is_some() {
                    // The failure says what to do; the output of the linker does not.
                    return;
                }
            }
        }
        let text = message.rendered.unwrap_or_default();
        let text = text.trim_end();
        let is_summary = plain(text).starts_with("error: aborting due to");
        if !text.is_empty() && !is_summary && self.shown.insert(text.to_owned()) {
            self.progress.print(&format!("{text}\n"));
        }
    }
}

/// Passes on Cargo's stderr: status lines as progress, other lines unchanged. If a setting of this machine is the cause of an error,
/// drops the rest and returns its failure.
fn pass_on(stderr: impl Read, progress: &Progress, cause: Cause<'_>) -> Option<Failure> {
    let mut machine = None;
    for line in BufReader::new(stderr).lines().map_while(Result::ok) {
        machine = machine.or_else(|| Symptom::of_line(&line).and_then(|symptom| cause(&symptom)));
        if machine.is_some() {
            continue;
        }
        let first = line.split_whitespace().next().unwrap_or_default();
        if STATUS.contains(&first) && line.starts_with(' ') {
            progress.doing(line.trim());
        } else if !is_summary(&line) {
            progress.print(&line);
        }
    }
    machine
}

fn is_summary(line: &str) -> bool {
    let counts_warnings = line.starts_with("warning: `") && line.contains("generated");
    line.is_empty() || counts_warnings || SUMMARIES.iter().any(|start| line.starts_with(start))
}

/// Returns the text without terminal colours.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        plain.push_str(before);
        rest = after.split_once('m').map_or("", |(_, rest)| rest);
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, folder: &str) -> Package {
        Package {
            name: name.to_owned(),
            folder: folder.into(),
        }
    }

    #[test]
    fn components_and_failures_are_known_by_their_folder() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","manifest_path":"/deps/hello/Cargo.toml","filenames":["hello.wasm"],"fresh":true}"#,
            "\nnot JSON\n",
            r#"{"reason":"compiler-artifact","manifest_path":"/app/hello/Cargo.toml","filenames":["x/hello.d","x/hello.wasm"],"fresh":false}"#,
            "\n",
            r#"{"reason":"compiler-message","manifest_path":"/app/[slug]/Cargo.toml","message":{"level":"error","rendered":null}}"#,
            "\n",
            r#"{"reason":"compiler-message","manifest_path":"/deps/hello/Cargo.toml","message":{"level":"error","rendered":null}}"#,
            "\n",
            r#"{"reason":"build-finished","success":false}"#,
        );
        let packages = [
            package("slug", "/app/[slug]"),
            package("hello", "/app/hello"),
        ];
        let progress = Progress::hidden();
        let reader = Reader::new(&packages, &progress, &|_| None);
        let outcome = reader.read(messages.as_bytes()).unwrap();
        assert_eq!(outcome.artefact("hello"), Some(Path::new("x/hello.wasm")));
        assert!(outcome.has_failed("slug"));
        assert!(!outcome.has_failed("hello"));
    }

    #[cfg(unix)]
    #[test]
    fn a_package_is_named_by_its_folder() {
        let spec = package("time", "/a b/handlers/[slug]").spec();
        assert_eq!(spec, "path+file:///a%20b/handlers/[slug]#time");
    }

    #[test]
    fn summaries_of_shown_diagnostics_are_dropped() {
        assert!(is_summary(
            "error: could not compile `x` (lib) due to 1 previous error"
        ));
        assert!(is_summary("warning: `x` (lib) generated 2 warnings"));
        assert!(!is_summary(
            "error: failed to parse manifest at `x/Cargo.toml`"
        ));
    }

    #[test]
    fn colours_do_not_hide_a_summary() {
        let text =
            "\u{1b}[0m\u{1b}[1m\u{1b}[38;5;9merror\u{1b}[0m: aborting due to 1 previous error";
        assert!(plain(text).starts_with("error: aborting"));
    }
}
