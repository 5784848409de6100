//! From a file to a component that can be instantiated.

mod description;
mod folders;
mod interfaces;
mod shape;

pub use description::{ROUTE_SECTION, route_section};
pub use folders::{MountError, check_mount};
pub use interfaces::{is_candidate, is_offered};
pub use shape::{MAX_COMPONENT, ShapeError, check_outline, check_shape};

use crate::engine::code_cache::CodeCache;
use crate::engine::content::ContentDigest;
use crate::instance::config::{InstanceConfig, Runtime};
use crate::instance::state::InstanceState;
use std::path::{Path, PathBuf};
use wasmtime::Engine;
use wasmtime::component::{Component, InstancePre, Linker};
use wasmtime_wasi_http::handler::ProxyPre;
use wasmtime_wasi_http::{p2, p3};
use waypost_config::read_file;

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
    #[error("component `{component}`: file `{}` is not compiled: {reason}", path.display())]
    Refused {
        component: String,
        path: PathBuf,
        reason: ShapeError,
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
    #[error("component `{component}`: {reason}")]
    Mount {
        component: String,
        reason: MountError,
    },
    #[error("component `{component}` was not loaded: {reason}")]
    Interrupted { component: String, reason: String },
}

fn list(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

impl LoadError {
    /// Returns whether the component may load later though its file stays the same.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(self, Self::Mount { .. } | Self::Interrupted { .. })
    }
}

/// Where the code of a component came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// From the cache.
    Cached,
    /// From the compiler.
    Compiled,
}

/// The file of a component, as it was read.
pub(crate) struct Binary {
    path: PathBuf,
    bytes: Vec<u8>,
    digest: ContentDigest,
}

impl Binary {
    /// Returns what tells this content from any other.
    pub(crate) fn digest(&self) -> ContentDigest {
        self.digest
    }

    /// Returns the description of the route that the component was compiled for, a JSON object, or `None` if it has none. A
    /// component that was made elsewhere has none.
    pub(crate) fn description(&self) -> Option<serde_json::Value> {
        let content = route_section(&self.bytes).ok()?;
        let mut values = serde_json::Deserializer::from_slice(&content).into_iter();
        values.next()?.ok()
    }

    /// Returns whether a text is anywhere in it. A component that reads an environment variable contains its name.
    pub(crate) fn contains(&self, text: &str) -> bool {
        let mut windows = self.bytes.windows(text.len());
        windows.any(|window| window == text.as_bytes())
    }
}

/// Loads a component: compiles what the code cache does not hold, and links it. Call it where blocking is allowed.
///
/// # Errors
///
/// See [`LoadError`].
pub(crate) fn load(
    runtime: &Runtime,
    config: &InstanceConfig,
    binary: &Binary,
) -> Result<ProxyPre<InstanceState>, LoadError> {
    let (id, engine) = (config.labels.component.as_str(), &runtime.engine);
    check_folders(config)?;
    let (component, _) = compile(engine, &runtime.code_cache, id, binary)?;
    let flavour = flavour(id, engine, &component)?;
    let pre = link(id, &runtime.linker, &component)?;
    let pre = match flavour {
        Flavour::P3 => p3::bindings::ServicePre::new(pre).map(ProxyPre::P3),
        Flavour::P2 => p2::bindings::ProxyPre::new(pre).map(ProxyPre::P2),
    };
    pre.map_err(|error| unlinkable(id, &error))
}

/// Compiles a component if the code cache does not hold it. Takes as long as [`load`].
///
/// The limits are not checked again for code that the cache holds: it was compiled within them.
///
/// # Errors
///
/// Returns an error if the component exceeds a limit, or cannot be compiled.
pub(crate) fn compile(
    engine: &Engine,
    code_cache: &CodeCache,
    id: &str,
    binary: &Binary,
) -> Result<(Component, Origin), LoadError> {
    let cached = code_cache.find(engine, &binary.digest);
    if let Some(component) = cached {
        return Ok((component, Origin::Cached));
    }
    check_shape(&binary.bytes).map_err(|reason| LoadError::Refused {
        component: id.to_owned(),
        path: binary.path.clone(),
        reason,
    })?;
    let component = code_cache.compile(engine, &binary.bytes, &binary.digest);
    let component = component.map_err(|error| LoadError::Broken {
        component: id.to_owned(),
        path: binary.path.clone(),
        reason: format!("{error:#}"),
    })?;
    Ok((component, Origin::Compiled))
}

fn check_folders(config: &InstanceConfig) -> Result<(), LoadError> {
    let permissions = &config.permissions;
    let mut mounts = permissions.files.iter();
    mounts
        .try_for_each(|mount| check_mount(&permissions.app_root, &mount.source).map(drop))
        .map_err(|reason| LoadError::Mount {
            component: config.labels.component.to_string(),
            reason,
        })
}

/// Reads the file of a component.
///
/// # Errors
///
/// Returns an error if the file is missing, unreadable, not a regular file or too large, or if it does not begin as
/// a component does.
pub(crate) fn read(id: &str, path: &Path) -> Result<Binary, LoadError> {
    let bytes = read_file(path, MAX_COMPONENT).map_err(|error| match error.kind() {
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
    if let Some(what) = not_a_component(&bytes) {
        return Err(LoadError::NotAComponent {
            component: id.to_owned(),
            path: path.to_owned(),
            what,
        });
    }
    Ok(Binary {
        path: path.to_owned(),
        digest: ContentDigest::of(&bytes),
        bytes,
    })
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
