//! The one place that knows the embedded host: its configuration, and serving.

mod code_cache;
mod memory;
mod serving;
mod signals;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

pub use code_cache::CacheArgs;
pub use serving::{Loading, Place, Version, probe, serve};
pub use waypost_host::{
    CodeCache, Compiler, HostProfile as Manner, InstanceSize, MAX_COMPONENT, ShapeError,
    check_outline, check_shape, is_candidate, is_offered,
};
use waypost_host::{MountError, check_mount};

use waypost_config::manifest::Component;
use waypost_config::{Fault, Faults, Manifest, Settings, read_text_file};

use crate::app::App;
use crate::component_id::ROUTER;
use crate::environment::Environments;
use crate::scan::Route;
use crate::sync::Plan;

/// The address of whatever has no `waypost.toml`.
pub const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 3000);

/// How many memories a single component's requests may take at once: half of what the host has room for, since
/// an instance that ends overlaps with the one that follows.
const MOST_MEMORIES: usize = 5_000;

/// How long requests in flight may take while an app is worked on.
const SHORT_GRACE: Duration = Duration::from_millis(500);

/// What an app's `spin.toml` and `waypost.toml` say.
pub struct Configuration {
    manifest: Manifest,
    settings: Settings,
    /// Both files as they were read: where these are equal, all is.
    texts: [String; 2],
}

impl Configuration {
    /// Reads both files, `spin.toml` as a build would leave it: what a person wrote counts, and the
    /// entries of routes that were never built are not missed.
    ///
    /// # Errors
    ///
    /// With all faults of both at once, among them settings for a route that is not in `routes`.
    pub fn load(app: &App, routes: &[Route]) -> Result<Configuration, Faults> {
        let manifest = manifest(app, routes);
        let patterns: Vec<String> = routes
            .iter()
            .map(|route| route.pattern().to_string())
            .collect();
        let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
        let settings = Settings::load(&app.waypost_toml())
            .and_then(|settings| settings.check_routes(&patterns).map(|()| settings));
        let configuration = match (manifest, settings) {
            (Ok(manifest), Ok(settings)) => Ok(Configuration {
                manifest,
                settings,
                // Without one of them there are defaults.
                texts: [app.spin_toml(), app.waypost_toml()]
                    .map(|file| read_text_file(file).unwrap_or_default()),
            }),
            (Err(manifest), Err(settings)) => Err(manifest.and(settings)),
            (Err(faults), Ok(_)) | (Ok(_), Err(faults)) => Err(faults),
        };
        configuration.map_err(|faults| faults.relative_to(app.root()))
    }

    /// Makes the configuration of a single component, which may send requests to the places in `allow`. It
    /// gets what all routes of an app together would get, as far as the address space has room for `size`.
    ///
    /// # Errors
    ///
    /// When a place is none that a component can be granted.
    pub fn of_component(
        file: &Path,
        allow: &[String],
        size: InstanceSize,
    ) -> Result<Configuration, Faults> {
        let text = manifest_of_component(file, allow);
        let manifest = Manifest::parse(&text, Path::new("spin.toml")).map_err(|faults| {
            // The user wrote no such file: its lines and hints would be misleading.
            faults.map(|fault| Fault::error(fault.message()))
        })?;
        let mut settings = Settings::default();
        let limits = &mut settings.limits;
        let memories = size.memories.max(1);
        limits.concurrency = limits.concurrency.min(MOST_MEMORIES / memories).max(1);
        limits.route_concurrency = limits.concurrency;
        let memories = u64::try_from(memories).unwrap_or(u64::MAX);
        limits.memory = limits.memory.saturating_mul(memories);
        Ok(Configuration {
            manifest,
            settings,
            texts: [text, String::new()],
        })
    }

    /// The same, for a server that soon gives way to the next: a stream that lasts does not hold it up.
    pub fn with_short_grace(mut self) -> Configuration {
        let grace = &mut self.settings.server.shutdown_grace;
        *grace = SHORT_GRACE.min(*grace);
        self
    }

    /// The environment of each component that has one.
    pub fn environments(&self) -> Environments {
        let components = self.manifest.components.iter();
        components
            .filter(|(_, component)| !component.environment.is_empty())
            .map(|(id, component)| (id.to_string(), component.environment.clone()))
            .collect()
    }

    /// Says what the app's files have that one component of WASI HTTP does not get, as far as it is about a
    /// component that is part of it.
    pub fn lost_in_a_composition(&self, is_part: impl Fn(&str) -> bool) -> Vec<Fault> {
        let of = |has: fn(&Component) -> bool| {
            let components = self.manifest.components.iter();
            let handlers =
                components.filter(|(id, _)| id.as_str() != ROUTER && is_part(id.as_str()));
            let having = handlers.filter(|(_, component)| has(component));
            having.map(|(id, _)| format!("`{id}`")).collect::<Vec<_>>()
        };
        let lost = [
            (
                "files",
                of(|component| !component.files.is_empty()),
                "build them in with `include_str!`, or serve the app with `cargo waypost up` or Spin",
            ),
            (
                "variables",
                of(Component::has_variables),
                "give them as `environment`, or serve the app with `cargo waypost up` or Spin",
            ),
            (
                "allowed_outbound_hosts",
                of(Component::has_outbound_hosts),
                "all routes may ask what the host of the composition lets it ask",
            ),
        ];
        let lost = lost.into_iter().filter(|(_, ids, _)| !ids.is_empty());
        let mut warnings: Vec<Fault> = lost
            .map(|(name, ids, hint)| {
                let message = format!(
                    "a composition has no `{name}`, as here for {}",
                    ids.join(", ")
                );
                Fault::warning(message).file("spin.toml").hint(hint)
            })
            .collect();
        let own = Settings::default();
        let has_own = self.settings.limits != own.limits
            || self.settings.server != own.server
            || self.settings.has_route_limits();
        if has_own {
            let message = "a composition has no limits and no settings of a server";
            let hint = "set them where it is served; `cargo waypost serve` has the default limits";
            warnings.push(Fault::warning(message).file("waypost.toml").hint(hint));
        }
        warnings
    }

    /// Returns what is wrong with the folders below `files`: one that is missing may come later, and is a warning.
    pub fn mount_faults(&self, root: &Path) -> Vec<Fault> {
        let components = self.manifest.components.iter();
        let mounts = components.flat_map(|(id, component)| {
            let sources = component.files.iter().map(|mount| &mount.source);
            sources.map(move |source| (id, source))
        });
        mounts
            .filter_map(|(id, source)| {
                let error = check_mount(root, source).err()?;
                let message = format!("component `{id}`: {error}");
                let fault = match error {
                    MountError::NotAFolder { .. } => Fault::warning(message),
                    _ => Fault::error(message),
                };
                Some(fault.file("spin.toml"))
            })
            .collect()
    }

    /// The address for those who watch the app, unless the command line names one.
    pub fn admin(&self) -> Option<SocketAddr> {
        self.settings.server.admin
    }

    /// The address to listen on, unless the command line names one.
    pub fn listen(&self) -> SocketAddr {
        self.settings.server.listen
    }
}

fn manifest(app: &App, routes: &[Route]) -> Result<Manifest, Faults> {
    let file = app.spin_toml();
    Manifest::load(&file).or_else(|errors| {
        // The faults that are told are those of the file as it is, with its lines.
        let plan = Plan::of_manifests(app, routes).ok();
        let planned = plan.as_ref().and_then(|plan| plan.text_of(&file));
        planned
            .and_then(|text| Manifest::parse(text, &file).ok())
            .ok_or(errors)
    })
}

/// The manifest that a person would write to serve one component.
fn manifest_of_component(file: &Path, allow: &[String]) -> String {
    let source = toml_edit::Value::from(file.display().to_string());
    let allow = toml_edit::Value::from_iter(allow);
    format!(
        r#"spin_manifest_version = 2

[application]
name = "app"

[[trigger.http]]
route = "/..."
component = "app"

[component.app]
source = {source}
allowed_outbound_hosts = {allow}
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_part_of_a_composition_loses_nothing() {
        let manifest = "spin_manifest_version = 2\n[application]\nname = \"a\"\n\
            [[trigger.http]]\nroute = \"/...\"\ncomponent = \"a\"\n\
            [component.a]\nsource = \"a.wasm\"\n\
            files = [{ source = \"pages\", destination = \"/\" }]\n\
            [component.b]\nsource = \"b.wasm\"\nallowed_outbound_hosts = [\"https://a.example\"]\n";
        let configuration = Configuration {
            manifest: Manifest::parse(manifest, Path::new("spin.toml")).unwrap(),
            settings: Settings::default(),
            texts: Default::default(),
        };
        let lost = |ids: &[&str]| {
            let faults = configuration.lost_in_a_composition(|id| ids.contains(&id));
            let messages = faults.iter().map(|fault| fault.message().to_owned());
            messages.collect::<Vec<_>>()
        };
        assert_eq!(
            lost(&["a"]),
            ["a composition has no `files`, as here for `a`"]
        );
        assert_eq!(lost(&["a", "b"]).len(), 2);
        assert_eq!(lost(&["c"]), [""; 0]);
    }
}
