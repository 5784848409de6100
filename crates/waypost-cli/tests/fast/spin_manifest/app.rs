//! What the manifest of an app of Waypost says beyond Spin's schema: that it is the manifest that a person would
//! write for this app.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use ignore::gitignore::GitignoreBuilder;
use serde::Deserialize;

use super::schema::{Commands, Component, ComponentSpec, KebabId, Manifest, Route, Source};

/// Where an app's build leaves its components, and what the file of a package is called.
const ARTEFACTS: &str = "target/wasm32-wasip2/release";

/// An app on disk: what Cargo knows of it.
pub struct App {
    root: PathBuf,
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    targets: Vec<Target>,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

#[derive(Deserialize)]
struct Dependency {
    path: Option<PathBuf>,
}

impl App {
    pub fn at(root: &Path) -> Self {
        #[derive(Deserialize)]
        struct Metadata {
            packages: Vec<Package>,
        }
        let root = root.canonicalize().unwrap();
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["metadata", "--no-deps", "--offline", "--format-version=1"]);
        let output = cargo.current_dir(&root).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        let metadata: Metadata = serde_json::from_slice(&output.stdout).unwrap();
        Self {
            root,
            packages: metadata.packages,
        }
    }

    /// Reads the app's manifest.
    pub fn manifest(&self) -> String {
        std::fs::read_to_string(self.root.join("spin.toml")).unwrap()
    }

    /// Lists what is wrong with a manifest, if Spin takes it.
    pub fn faults(&self, text: &str) -> Vec<String> {
        let manifest = match Manifest::parse(text) {
            Ok(manifest) => manifest,
            Err(error) => return vec![error],
        };
        let mut faults = routes(&manifest);
        for (id, component) in &manifest.components {
            let mut said = hosts(id, component);
            said.extend(self.source_and_build(component).err());
            faults.extend(said.into_iter().map(|fault| format!("{id}: {fault}")));
        }
        faults
    }

    /// Checks that the build command makes the file that Spin loads, and that what it is made of is watched.
    fn source_and_build(&self, component: &Component) -> Result<(), String> {
        let build = component.build.as_ref().ok_or("it has no build command")?;
        let Commands::Single(command) = &build.command else {
            return Err("one command builds a component".to_owned());
        };
        let workdir = build.workdir.as_deref().unwrap_or_default();
        let package = self.built_by(command, &self.root.join(workdir))?;
        let library = package
            .targets
            .iter()
            .find(|target| target.kind.iter().any(|kind| kind == "cdylib"))
            .ok_or("its package is no component")?;
        let expected = format!("{ARTEFACTS}/{}.wasm", library.name.replace('-', "_"));
        match &component.source {
            Source::Local(source) if *source == expected => {}
            source => return Err(format!("{source:?} is not {expected}, which is built")),
        }
        let mut made_of = self.sources(package);
        if package.name == "router" {
            made_of.insert(self.root.join("router/routes.txt"));
            made_of.extend(self.cache_table());
        }
        let watched = self.watched(workdir, &build.watch)?;
        match watched == made_of {
            true => Ok(()),
            false => Err(format!("{watched:?} is watched, and not {made_of:?}")),
        }
    }

    /// The manifest and the Rust files of a package, and of the app's other packages that it uses.
    fn sources(&self, package: &Package) -> BTreeSet<PathBuf> {
        let folder = package.folder();
        let is_own = |file: &PathBuf| {
            let mut above = file.ancestors().skip(1);
            above.find(|above| above.join("Cargo.toml").is_file()) == Some(folder)
        };
        let mut sources: BTreeSet<_> = files(folder).into_iter().filter(is_own).collect();
        for dependency in &package.dependencies {
            let used = self.packages.iter().find(|package| {
                // Waypost itself is as good as from a registry.
                dependency.path.as_deref() == Some(package.folder())
                    && !package.name.starts_with("waypost")
            });
            sources.extend(used.into_iter().flat_map(|used| self.sources(used)));
        }
        sources
    }

    /// The package that a command builds, for the only target that Spin runs, and without debug information.
    fn built_by(&self, command: &str, workdir: &Path) -> Result<&Package, String> {
        let (begin, manifest) = match command.split_once(" --manifest-path ") {
            Some((begin, manifest)) => (begin, Some(unquoted(manifest))),
            None => (command, None),
        };
        let words: Vec<&str> = begin.split(' ').collect();
        let [
            "cargo",
            "build",
            "--target",
            "wasm32-wasip2",
            "--release",
            rest @ ..,
        ] = &words[..]
        else {
            return Err(format!("`{command}` is no build of a component"));
        };
        let at = |manifest: &str| {
            let file = workdir.join(manifest);
            let mut packages = self.packages.iter();
            packages.find(|package| package.manifest_path == file)
        };
        let found = match (rest, manifest) {
            // Where the source is, whatever Cargo's configuration says.
            (["--target-dir", "target"], Some(manifest)) => at(&manifest),
            (
                [
                    "--features",
                    "waypost-router/cache",
                    "--target-dir",
                    "target",
                ],
                Some(manifest),
            ) => at(&manifest).filter(|_| self.cache_table().is_some()),
            (["-p", name], None) => self.packages.iter().find(|package| package.name == *name),
            ([], None) => at("Cargo.toml"),
            _ => None,
        };
        if !workdir.is_dir() {
            return Err(format!("there is no {}", workdir.display()));
        }
        found.ok_or_else(|| format!("`{command}` builds no package of the app"))
    }

    /// The files of all packages for which `spin watch` would build again.
    ///
    /// Spin puts `workdir` and a slash before a glob (`src/commands/watch/filters.rs`) and gives all globs of a
    /// component to watchexec, whose filter takes them for lines of a `.gitignore` at the app's folder.
    fn watched(&self, workdir: &str, globs: &[String]) -> Result<BTreeSet<PathBuf>, String> {
        let mut rules = GitignoreBuilder::new(&self.root);
        for glob in globs {
            let glob = match workdir {
                "" => glob.clone(),
                workdir => format!("{}/{glob}", workdir.trim_end_matches('/')),
            };
            rules
                .add_line(None, &glob)
                .map_err(|error| format!("`{glob}`: {error}"))?;
        }
        let rules = rules.build().map_err(|error| error.to_string())?;
        let files = self.files();
        let watched = files
            .into_iter()
            .filter(|file| rules.matched(file, false).is_ignore());
        Ok(watched.collect())
    }

    /// Everything that the app has beside what is built.
    fn files(&self) -> BTreeSet<PathBuf> {
        let mut files = files(&self.root);
        files.insert(self.root.join("router/routes.txt"));
        files.extend(self.cache_table());
        files
    }

    /// The table of cache policies, if a route has one.
    fn cache_table(&self) -> Option<PathBuf> {
        let table = self.root.join("router/cache.txt");
        table.is_file().then_some(table)
    }
}

impl Package {
    fn folder(&self) -> &Path {
        self.manifest_path.parent().unwrap()
    }
}

/// The manifests and Rust files below a folder.
fn files(folder: &Path) -> BTreeSet<PathBuf> {
    let mut files = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            let is_made = name == ".git" || path.join("CACHEDIR.TAG").exists();
            files.extend((!is_made).then(|| self::files(&path)).into_iter().flatten());
        } else if name == "Cargo.toml" || name.ends_with(".rs") {
            files.insert(path);
        }
    }
    files
}

/// The router alone is public, and each component has one trigger.
fn routes(manifest: &Manifest) -> Vec<String> {
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    for trigger in &manifest.triggers.http {
        let Some(ComponentSpec::Reference(id)) = &trigger.component else {
            faults.push("a trigger has no component by its id".to_owned());
            continue;
        };
        if !seen.insert(id) {
            faults.push(format!("{id}: two triggers"));
        }
        match (&trigger.route, id.as_ref()) {
            (Route::Public(route), "router") if route == "/..." => {}
            (Route::Private(_), id) if id != "router" => {}
            (route, id) => faults.push(format!("{id}: {route:?}")),
        }
    }
    let without = manifest.components.keys().filter(|id| !seen.contains(id));
    faults.extend(without.map(|id| format!("{id}: no trigger")));
    if !manifest.components.keys().any(|id| id.as_ref() == "router") {
        faults.push("there is no router".to_owned());
    }
    faults
}

/// The router may ask the app's components and nobody else; whom a handler may ask is named.
fn hosts(id: &KebabId, component: &Component) -> Vec<String> {
    let granted = &component.allowed_outbound_hosts;
    if id.as_ref() == "router" {
        return match granted.as_slice() {
            [all] if all == "http://*.spin.internal" => Vec::new(),
            _ => vec![format!("{granted:?}")],
        };
    }
    let mut faults: Vec<_> = granted
        .iter()
        .filter_map(|host| exact(host).err())
        .collect();
    if !component.allowed_http_hosts.is_empty() {
        faults.push("`allowed_http_hosts` is of the first manifest".to_owned());
    }
    faults
}

/// Checks that a grant is `scheme://host` or `scheme://host:port`, without a wildcard
/// (`crates/outbound-networking-config/src/allowed_hosts.rs`).
fn exact(grant: &str) -> Result<(), String> {
    let refused = || format!("`{grant}` is no exact host");
    let (scheme, rest) = grant.split_once("://").ok_or_else(refused)?;
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (rest, None),
    };
    let has_default_port = ["http", "https"].contains(&scheme);
    let port_fits = match port {
        Some(port) => port.parse::<u16>().is_ok(),
        None => has_default_port,
    };
    let fits = scheme.chars().all(char::is_alphabetic)
        && !host.is_empty()
        && !host.contains(['*', '/', '{', '?', '#', '@'])
        && port_fits;
    fits.then_some(()).ok_or_else(refused)
}

/// The word that a shell makes of this one.
fn unquoted(word: &str) -> String {
    match word
        .strip_prefix('"')
        .and_then(|word| word.strip_suffix('"'))
    {
        Some(quoted) => quoted.replace('\\', ""),
        None => word.to_owned(),
    }
}
