//! From a file to a component that can be instantiated.

mod interfaces;

pub use interfaces::{is_candidate, is_offered};

use crate::instance::config::{InstanceConfig, Runtime};
use crate::instance::state::InstanceState;
use std::path::{Path, PathBuf};
use wasmtime::Engine;
use wasmtime::component::{Component, InstancePre, Linker};
use wasmtime_wasi_http::handler::ProxyPre;
use wasmtime_wasi_http::{p2, p3};

/// Why a component cannot be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum LoadError {
    #[error("component `{component}`: file `{}` is missing; run `cargo waypost build`", path.display())]
    Missing { component: String, path: PathBuf },
    #[error("component `{component}`: file `{}` cannot be read: {reason}", path.display())]
    Unreadable {
        component: String,
        path: PathBuf,
        reason: String,
    },
    #[error("component `{component}`: file `{}` is {what}, not a WebAssembly component; build it for `wasm32-wasip2`", path.display())]
    NotAComponent {
        component: String,
        path: PathBuf,
        what: &'static str,
    },
    #[error("component `{component}`: file `{}` does not compile: {reason}; build it again", path.display())]
    Broken {
        component: String,
        path: PathBuf,
        reason: String,
    },
    #[error(
        "component `{component}` answers no HTTP: it exports neither `wasi:http/handler@0.3` nor `wasi:http/incoming-handler@0.2`; add `waypost::export!` to its route file"
    )]
    NoHandler { component: String },
    #[error(
        "component `{component}` imports what this host does not offer: {}; build it without",
        list(missing)
    )]
    MissingImports {
        component: String,
        missing: Vec<String>,
    },
    #[error("component `{component}` does not link: {reason}")]
    Unlinkable { component: String, reason: String },
    #[error("component `{component}`: the folder `{}` below `files` is missing or no folder; create it or fix `spin.toml`", path.display())]
    MissingFolder { component: String, path: PathBuf },
    #[error("component `{component}` was not loaded: {reason}")]
    Interrupted { component: String, reason: String },
}

fn list(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

/// Loads a component from its file. Reads, and compiles what the code cache does not hold: call it where blocking is
/// allowed.
///
/// # Errors
///
/// See [`LoadError`].
pub(crate) fn load(
    runtime: &Runtime,
    config: &InstanceConfig,
    source: &Path,
) -> Result<ProxyPre<InstanceState>, LoadError> {
    let id = config.labels.component.as_str();
    check_folders(config)?;
    let component = compile(&runtime.engine, id, source)?;
    let flavour = flavour(id, &runtime.engine, &component)?;
    let pre = link(id, &runtime.linker, &component)?;
    let pre = match flavour {
        Flavour::P3 => p3::bindings::ServicePre::new(pre).map(ProxyPre::P3),
        Flavour::P2 => p2::bindings::ProxyPre::new(pre).map(ProxyPre::P2),
    };
    pre.map_err(|error| unlinkable(id, &error))
}

/// Reads a component, and compiles it if the code cache does not hold it. Takes as long as [`load`].
///
/// # Errors
///
/// When the file cannot be read, or is no component that can be compiled.
pub(crate) fn compile(engine: &Engine, id: &str, path: &Path) -> Result<Component, LoadError> {
    let bytes = read(id, path)?;
    Component::from_binary(engine, &bytes).map_err(|error| LoadError::Broken {
        component: id.to_owned(),
        path: path.to_owned(),
        reason: format!("{error:#}"),
    })
}

fn check_folders(config: &InstanceConfig) -> Result<(), LoadError> {
    let mut mounts = config.permissions.files.iter();
    match mounts.find(|mount| !mount.source.is_dir()) {
        None => Ok(()),
        Some(mount) => Err(LoadError::MissingFolder {
            component: config.labels.component.to_string(),
            path: mount.source.clone(),
        }),
    }
}

fn read(id: &str, path: &Path) -> Result<Vec<u8>, LoadError> {
    let bytes = std::fs::read(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => LoadError::Missing {
            component: id.to_owned(),
            path: path.to_owned(),
        },
        _ => LoadError::Unreadable {
            component: id.to_owned(),
            path: path.to_owned(),
            reason: error.to_string(),
        },
    })?;
    match not_a_component(&bytes) {
        None => Ok(bytes),
        Some(what) => Err(LoadError::NotAComponent {
            component: id.to_owned(),
            path: path.to_owned(),
            what,
        }),
    }
}

/// Says what a file is that is no component, by its first eight bytes: the magic number, then version
/// and layer (component model, `Binary.md`).
fn not_a_component(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [] => Some("empty"),
        [0, b'a', b's', b'm', _, _, 1, 0, ..] => None,
        [0, b'a', b's', b'm', _, _, 0, 0, ..] => Some("a core WebAssembly module"),
        _ => Some("no WebAssembly"),
    }
}

enum Flavour {
    P2,
    P3,
}

fn flavour(id: &str, engine: &Engine, component: &Component) -> Result<Flavour, LoadError> {
    let ty = component.component_type();
    let exports = |name: &str| {
        ty.exports(engine)
            .any(|(export, _)| export.starts_with(name) && !is_candidate(export))
    };
    if exports("wasi:http/handler@0.3.") {
        Ok(Flavour::P3)
    } else if exports("wasi:http/incoming-handler@0.2.") {
        Ok(Flavour::P2)
    } else {
        Err(LoadError::NoHandler {
            component: id.to_owned(),
        })
    }
}

fn link(
    id: &str,
    linker: &Linker<InstanceState>,
    component: &Component,
) -> Result<InstancePre<InstanceState>, LoadError> {
    let ty = component.component_type();
    let imports = ty.imports(linker.engine()).map(|(name, _)| name);
    let missing: Vec<String> = imports
        .filter(|name| !interfaces::is_offered(name))
        .map(str::to_owned)
        .collect();
    if !missing.is_empty() {
        return Err(LoadError::MissingImports {
            component: id.to_owned(),
            missing,
        });
    }
    linker
        .instantiate_pre(component)
        .map_err(|error| unlinkable(id, &error))
}

fn unlinkable(id: &str, error: &wasmtime::Error) -> LoadError {
    LoadError::Unlinkable {
        component: id.to_owned(),
        reason: format!("{error:#}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_apart_by_their_preamble() {
        assert_eq!(not_a_component(b"\0asm\x0d\0\x01\0"), None);
        assert_eq!(
            not_a_component(b"\0asm\x01\0\0\0"),
            Some("a core WebAssembly module")
        );
        assert_eq!(not_a_component(b""), Some("empty"));
        assert_eq!(not_a_component(b"#!/bin/sh"), Some("no WebAssembly"));
    }
}
