//! [`Workspace`]: the folders of the benchmark, and the builds that lines need.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

/// A build that lines need. It is done once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Need {
    /// The `waypost` command, as `cargo install` builds it.
    Waypost,
    /// `wasmtime` in `PATH`.
    Wasmtime,
    /// `nginx` in `PATH`.
    Nginx,
    /// The components of `app/`.
    App,
    /// All of `app/` in one component.
    Composed,
    /// An app with this many copies of one route.
    Copies(usize),
    /// These copies in one component.
    ComposedCopies(usize),
    /// An npm package.
    Npm(&'static str),
    /// `next build`.
    Next,
}

/// The folders of the benchmark, and the results of builds.
pub struct Workspace {
    checkout: PathBuf,
    target: PathBuf,
    waypost: Option<PathBuf>,
    built: HashMap<Need, Result<(), String>>,
}

impl Workspace {
    /// Finds the folders. `waypost` is an existing build of the command.
    pub fn new(waypost: Option<PathBuf>) -> anyhow::Result<Self> {
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("..")
            .canonicalize()?;
        let target = checkout.join("target/benches");
        fs::create_dir_all(target.join("run"))?;
        Ok(Self {
            checkout,
            target,
            waypost,
            built: HashMap::new(),
        })
    }

    /// Builds what is needed, unless it was built or has failed before. The error is the reason of the failure.
    pub fn provide(&mut self, need: Need) -> Result<(), String> {
        if let Some(known) = self.built.get(&need) {
            return known.clone();
        }
        let result = self.build(need).map_err(|error| format!("{error:#}"));
        self.built.insert(need, result.clone());
        result
    }

    /// Returns the folder for files that servers write.
    pub fn run(&self) -> PathBuf {
        self.target.join("run")
    }

    pub fn app(&self) -> PathBuf {
        self.checkout.join("benches/app")
    }

    pub fn copies(&self, count: usize) -> PathBuf {
        self.target.join(format!("copies-{count}"))
    }

    pub fn composed(&self) -> PathBuf {
        self.target.join("app.wasm")
    }

    pub fn composed_copies(&self, count: usize) -> PathBuf {
        self.target.join(format!("copies-{count}.wasm"))
    }

    /// Returns the file with the flags for `wasmtime serve` that `waypost compose` advises.
    pub fn advice(&self, count: usize) -> PathBuf {
        self.target.join(format!("copies-{count}.flags"))
    }

    /// Returns the component of one route of `app/`.
    pub fn component(&self, route: &str) -> PathBuf {
        let name: String = route
            .chars()
            .map(|c| if c.is_alphanumeric() { c } else { '_' })
            .collect();
        let name = name
            .split('_')
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join("_");
        self.target
            .join(format!("app/wasm32-wasip2/release/{name}.wasm"))
    }

    /// Returns the folder with a copy of `benches/javascript` and its packages.
    pub fn javascript(&self) -> PathBuf {
        self.target.join("javascript")
    }

    /// Returns the first of these files below `node_modules` that exists, or `None`.
    pub fn npm(&self, files: &[&str]) -> Option<PathBuf> {
        let modules = self.javascript().join("node_modules");
        files
            .iter()
            .map(|file| modules.join(file))
            .find(|file| file.exists())
    }

    /// Returns the `waypost` command with the target directory of an app.
    pub fn waypost(&self, app: &Path) -> Command {
        let built = self.checkout.join("target/dist/waypost");
        let mut command = Command::new(self.waypost.as_ref().unwrap_or(&built));
        command
            .current_dir(app)
            .env("CARGO_TARGET_DIR", self.target.join("app"));
        command
    }

    fn build(&mut self, need: Need) -> anyhow::Result<()> {
        match need {
            Need::Waypost if self.waypost.is_some() => Ok(()),
            Need::Waypost => self.build_waypost(),
            Need::Wasmtime => succeed(Command::new("wasmtime").arg("--version"))
                .context("`wasmtime` is not installed"),
            Need::Nginx => {
                succeed(Command::new("nginx").arg("-v")).context("`nginx` is not installed")
            }
            Need::App => {
                self.require(Need::Waypost)?;
                eprintln!("building benches/app");
                succeed(self.waypost(&self.app()).arg("build"))
            }
            Need::Composed => {
                self.require(Need::App)?;
                eprintln!("composing benches/app");
                succeed(
                    self.waypost(&self.app())
                        .args(["compose", "--output"])
                        .arg(self.composed()),
                )
            }
            Need::Copies(count) => {
                self.require(Need::App)?;
                eprintln!("creating an app with {count} routes");
                self.make_copies(count)?;
                succeed(self.waypost(&self.copies(count)).arg("build"))
            }
            Need::ComposedCopies(count) => {
                self.require(Need::Copies(count))?;
                eprintln!("composing the app with {count} routes");
                let output = self.composed_copies(count);
                let said = said(
                    self.waypost(&self.copies(count))
                        .args(["compose", "--output"])
                        .arg(output),
                )?;
                let flags = said
                    .split_once("`wasmtime serve -")
                    .and_then(|(_, rest)| rest.split_once(" FILE`"));
                let flags = flags.map_or(String::new(), |(flags, _)| format!("-{flags}"));
                Ok(fs::write(self.advice(count), flags)?)
            }
            Need::Npm(package) => self.install(package),
            Need::Next => {
                self.require(Need::Npm("next"))?;
                eprintln!("building the Next app");
                let next = self.javascript().join("node_modules/next/dist/bin/next");
                let mut command = Command::new("node");
                command
                    .arg(next)
                    .arg("build")
                    .env("NEXT_TELEMETRY_DISABLED", "1");
                succeed(command.current_dir(self.javascript()))
            }
        }
    }

    fn require(&mut self, need: Need) -> anyhow::Result<()> {
        self.provide(need).map_err(anyhow::Error::msg)
    }

    fn build_waypost(&self) -> anyhow::Result<()> {
        eprintln!("building `waypost`; the first time takes minutes");
        let mut command = Command::new(env!("CARGO"));
        command.args(["build", "--profile", "dist", "--package", "waypost-cli"]);
        succeed(
            command
                .current_dir(&self.checkout)
                .env("CARGO_TARGET_DIR", self.checkout.join("target")),
        )
    }

    /// Creates an app whose routes are copies of one component. Each file differs, so that no cache treats them as one.
    /// None describes its route, so it answers any path.
    fn make_copies(&self, count: usize) -> anyhow::Result<()> {
        let (app, folder) = (self.app(), self.copies(count));
        fs::create_dir_all(folder.join("router/src"))?;
        for file in [
            "router/Cargo.toml",
            "router/src/lib.rs",
            "Cargo.lock",
            "waypost.toml",
        ] {
            fs::copy(app.join(file), folder.join(file))?;
        }
        let crates = self.checkout.join("crates");
        let manifest = fs::read_to_string(app.join("Cargo.toml"))?
            .replace("../../crates", &crates.to_string_lossy());
        let (head, rest) = manifest
            .split_once("members = [")
            .context("the manifest has members")?;
        // A member may have brackets in its name, so look for the closing bracket on its own line.
        let (_, rest) = rest.split_once("\n]").context("the members end")?;
        fs::write(
            folder.join("Cargo.toml"),
            format!("{head}members = [\"router\"]{rest}"),
        )?;
        let spin = fs::read_to_string(app.join("spin.toml"))?;
        let of_router = spin
            .match_indices("[[trigger.http]]")
            .nth(1)
            .map_or(spin.len(), |(at, _)| at);
        if !folder.join("spin.toml").exists() {
            fs::write(folder.join("spin.toml"), &spin[..of_router])?;
        }
        let original = unnamed(fs::read(self.component("any/[[...rest]]"))?);
        for index in 0..count {
            let route = folder.join(format!("handlers/any/r{index}"));
            fs::create_dir_all(&route)?;
            // A custom section: its id, its length, its name with the name's length, and the content.
            let content = format!("\u{1}n{index:06}");
            let mut component = original.clone();
            component.extend([0, u8::try_from(content.len())?]);
            component.extend(content.bytes());
            fs::write(route.join("route.wasm"), component)?;
        }
        Ok(())
    }

    fn install(&self, package: &str) -> anyhow::Result<()> {
        let (from, to) = (self.checkout.join("benches/javascript"), self.javascript());
        copy_all(&from, &to)?;
        if !to.join("node_modules/.package-lock.json").exists() {
            eprintln!("installing from npm");
            let arguments = ["install", "--no-audit", "--no-fund"];
            succeed(Command::new("npm").args(arguments).current_dir(&to))
                .context("npm failed, or is missing")?;
        }
        let installed = to.join("node_modules").join(package).exists();
        if installed {
            Ok(())
        } else {
            bail!("npm did not install `{package}` for this machine")
        }
    }
}

/// Renames the section that describes the component's route, so that tools don't find it.
fn unnamed(mut component: Vec<u8>) -> Vec<u8> {
    let name = b"waypost:route";
    while let Some(at) = component
        .windows(name.len())
        .position(|window| window == name)
    {
        component[at..at + name.len()].copy_from_slice(b"waypost:bench");
    }
    component
}

fn copy_all(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_all(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Runs a command. Shows its output only if it fails.
fn succeed(command: &mut Command) -> anyhow::Result<()> {
    said(command).map(drop)
}

/// Runs a command, and returns what it wrote to stderr.
fn said(command: &mut Command) -> anyhow::Result<String> {
    let shown = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .with_context(|| format!("cannot start `{shown}`"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        return Ok(text.into_owned());
    }
    let last: Vec<_> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    bail!(
        "`{shown}` failed: {}",
        last[last.len().saturating_sub(5)..].join(" / ")
    )
}
