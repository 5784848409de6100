//! One run of `cargo build`: what it made, what failed, and its messages.
//!
//! Diagnostics arrive as JSON, so each is shown once and is known by its package. Cargo's own
//! lines arrive on stderr: its status lines become progress, its summaries of the diagnostics are
//! dropped, anything else (a broken manifest, say) is passed on.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::Context as _;
use serde::Deserialize;

use super::progress::{Progress, Work};
use crate::abi::Abi;
use crate::app::App;

/// What Cargo begins its status lines with.
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

/// Summaries of diagnostics that have been shown already.
const SUMMARIES: [&str; 3] = [
    "error: could not compile",
    "warning: build failed",
    "error: aborting due to",
];

/// A release build of some packages of an app's workspace.
pub(super) struct CargoBuild<'a> {
    app: &'a App,
    packages: &'a [&'a str],
    abi: Abi,
    composed: Option<Composed<'a>>,
}

/// What the build of a composed router needs beside.
#[derive(Clone, Copy)]
pub(super) struct Composed<'a> {
    /// The Rust file with the imports of its handlers.
    pub(super) imports: &'a Path,
    /// Where it is built: the chained router has the same name.
    pub(super) target_dir: &'a Path,
}

/// What a build came to.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    is_success: bool,
    artefacts: BTreeMap<String, PathBuf>,
    failed: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(tag = "reason")]
enum Message {
    #[serde(rename = "compiler-artifact")]
    Artefact {
        target: Target,
        filenames: Vec<PathBuf>,
        fresh: bool,
    },
    #[serde(rename = "compiler-message")]
    Diagnostic { target: Target, message: Diagnostic },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

#[derive(Deserialize)]
struct Diagnostic {
    level: String,
    rendered: Option<String>,
}

impl Outcome {
    pub(super) fn is_success(&self) -> bool {
        self.is_success
    }

    /// The component file that Cargo made of a package.
    pub(super) fn artefact(&self, package: &str) -> Option<&Path> {
        self.artefacts
            .get(&crate_name(package))
            .map(PathBuf::as_path)
    }

    /// Whether the compiler found errors in a package.
    pub(super) fn has_failed(&self, package: &str) -> bool {
        self.failed.contains(&crate_name(package))
    }
}

impl<'a> CargoBuild<'a> {
    pub(super) fn new(app: &'a App, packages: &'a [&'a str], abi: Abi) -> CargoBuild<'a> {
        CargoBuild {
            app,
            packages,
            abi,
            composed: None,
        }
    }

    /// The same build, of a composed router.
    pub(super) fn composed(self, composed: Composed<'a>) -> CargoBuild<'a> {
        let composed = Some(composed);
        CargoBuild { composed, ..self }
    }

    pub(super) fn run(&self, progress: &Progress) -> anyhow::Result<Outcome> {
        let mut cargo = self
            .command(progress)
            .spawn()
            .context("cannot run `cargo`")?;
        let (stdout, stderr) = pipes(&mut cargo);
        let outcome = std::thread::scope(|scope| {
            scope.spawn(|| pass_on(stderr, progress));
            Reader::new(self, progress).read(stdout)
        });
        let status = cargo.wait().context("cannot wait for `cargo`")?;
        let mut outcome = outcome?;
        outcome.is_success = status.success();
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
            .args(self.packages.iter().flat_map(|package| ["-p", package]))
            .current_dir(self.app.root())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(composed) = self.composed {
            command
                .args(["--features", "waypost-router/composed", "--target-dir"])
                .arg(composed.target_dir)
                .env("WAYPOST_COMPOSED", composed.imports);
        }
        command
    }
}

/// Asks Cargo for the folder that it builds an app in.
///
/// # Errors
///
/// When Cargo can't tell, as the workspace is broken.
pub(super) fn target_directory(app: &App) -> anyhow::Result<PathBuf> {
    #[derive(Deserialize)]
    struct Metadata {
        target_directory: PathBuf,
    }
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
    let metadata: Metadata =
        serde_json::from_slice(&output.stdout).context("cannot read what `cargo` says")?;
    Ok(metadata.target_directory)
}

/// Cargo sets this for what it starts; it is the Cargo of the toolchain in use.
fn program() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

fn pipes(cargo: &mut Child) -> (impl Read + use<>, impl Read + Send + use<>) {
    let stdout = cargo.stdout.take().expect("stdout was asked for as a pipe");
    let stderr = cargo.stderr.take().expect("stderr was asked for as a pipe");
    (stdout, stderr)
}

/// Reads Cargo's JSON messages.
struct Reader<'a> {
    wanted: BTreeSet<String>,
    progress: &'a Progress,
    shown: HashSet<String>,
    outcome: Outcome,
}

impl<'a> Reader<'a> {
    fn new(build: &CargoBuild, progress: &'a Progress) -> Reader<'a> {
        Reader {
            wanted: build
                .packages
                .iter()
                .map(|package| crate_name(package))
                .collect(),
            progress,
            shown: HashSet::new(),
            outcome: Outcome::default(),
        }
    }

    fn read(mut self, stdout: impl Read) -> anyhow::Result<Outcome> {
        for line in BufReader::new(stdout).lines() {
            let line = line.context("cannot read what `cargo` says")?;
            match serde_json::from_str(&line) {
                Ok(Message::Artefact {
                    target,
                    filenames,
                    fresh,
                }) => {
                    self.artefact(&target, filenames, fresh);
                }
                Ok(Message::Diagnostic { target, message }) => {
                    self.diagnostic(&target, message);
                }
                // A build script or a macro may print to stdout.
                Ok(Message::Other) | Err(_) => {}
            }
        }
        Ok(self.outcome)
    }

    fn artefact(&mut self, target: &Target, files: Vec<PathBuf>, fresh: bool) {
        let name = crate_name(&target.name);
        let is_component = |file: &PathBuf| file.extension().is_some_and(|kind| kind == "wasm");
        if !self.wanted.contains(&name) {
            return;
        }
        if let Some(file) = files.into_iter().find(is_component) {
            let work = if fresh { Work::Fresh } else { Work::Compiled };
            self.progress.made(&package_name(&name), work);
            self.outcome.artefacts.insert(name, file);
        }
    }

    fn diagnostic(&mut self, target: &Target, message: Diagnostic) {
        if message.level.starts_with("error") {
            self.outcome.failed.insert(crate_name(&target.name));
        }
        let text = message.rendered.unwrap_or_default();
        let text = text.trim_end();
        let is_summary = plain(text).starts_with("error: aborting due to");
        if !text.is_empty() && !is_summary && self.shown.insert(text.to_owned()) {
            self.progress.print(&format!("{text}\n"));
        }
    }
}

/// Shows Cargo's stderr: status as progress, the rest as it is.
fn pass_on(stderr: impl Read, progress: &Progress) {
    for line in BufReader::new(stderr).lines().map_while(Result::ok) {
        let first = line.split_whitespace().next().unwrap_or_default();
        if STATUS.contains(&first) && line.starts_with(' ') {
            progress.doing(line.trim());
        } else if !is_summary(&line) {
            progress.print(&line);
        }
    }
}

fn is_summary(line: &str) -> bool {
    let counts_warnings = line.starts_with("warning: `") && line.contains("generated");
    line.is_empty() || counts_warnings || SUMMARIES.iter().any(|start| line.starts_with(start))
}

/// The text without the colours of a terminal.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        plain.push_str(before);
        rest = after.split_once('m').map_or("", |(_, rest)| rest);
    }
    plain + rest
}

/// The crate of a package: Cargo names files and targets so.
fn crate_name(package: &str) -> String {
    package.replace('-', "_")
}

/// The package of a crate of ours: component ids never have `_`.
fn package_name(name: &str) -> String {
    name.replace('_', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Outcome {
        let app = tempfile::tempdir().unwrap();
        std::fs::create_dir(app.path().join("handlers")).unwrap();
        std::fs::write(app.path().join("spin.toml"), "").unwrap();
        let app = App::at(app.path()).unwrap();
        let progress = Progress::hidden();
        let build = CargoBuild::new(&app, &["items-slug", "hello"], Abi::Wasi03);
        Reader::new(&build, &progress)
            .read(text.as_bytes())
            .unwrap()
    }

    #[test]
    fn components_and_failures_are_known_by_their_package() {
        let outcome = read(concat!(
            r#"{"reason":"compiler-artifact","target":{"name":"serde"},"filenames":["libserde.rlib"],"fresh":true}"#,
            "\nnot JSON\n",
            r#"{"reason":"compiler-artifact","target":{"name":"hello"},"filenames":["x/hello.d","x/hello.wasm"],"fresh":false}"#,
            "\n",
            r#"{"reason":"compiler-message","target":{"name":"items_slug"},"message":{"level":"error","rendered":null}}"#,
            "\n",
            r#"{"reason":"build-finished","success":false}"#,
        ));
        assert_eq!(outcome.artefact("hello"), Some(Path::new("x/hello.wasm")));
        assert_eq!(outcome.artefact("serde"), None);
        assert!(outcome.has_failed("items-slug"));
        assert!(!outcome.has_failed("hello"));
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
