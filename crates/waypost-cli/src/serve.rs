//! Serving an app on Waypost's own host: its configuration, and the process around it. No other module uses
//! `waypost_host`.

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
    CodeCache, Compiler, HostProfile, InstanceSize, MAX_COMPONENT, ROUTE_SECTION, ShapeError,
    check_outline, check_shape, is_candidate, is_offered, route_section,
};
use waypost_host::{MountError, check_mount};

use waypost_cache::internal::CACHE_VARIABLE;
use waypost_config::manifest::Component;
use waypost_config::{Fault, Faults, Manifest, Settings, read_text_file};

use crate::app::App;
use crate::component_id::ROUTER;
use crate::environment::Environments;
use crate::route::Route;
use crate::sync::Plan;

/// The address to listen on without a `waypost.toml`.
pub const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 3000);

/// The number of memories that the concurrent requests of a single component may use: half of the host's limit,
/// because an instance that ends overlaps with the next one.
const MOST_MEMORIES: usize = 5_000;

/// How long requests in flight may take while an app is being developed.
const SHORT_GRACE: Duration = Duration::from_millis(500);

/// The settings in an app's `spin.toml` and `waypost.toml`.
pub struct Configuration {
    manifest: Manifest,
    settings: Settings,
    /// The texts of both files and of `.env`, to compare configurations.
    texts: [String; 3],
}

impl Configuration {
    /// Reads both files. `spin.toml` is read as a build would leave it, so entries of routes that were never built
    /// are not missing.
    ///
    /// # Errors
    ///
    /// With all faults of both files, including settings for a route that is not in `routes`.
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
                // A file that is missing has the defaults.
                texts: [app.spin_toml(), app.waypost_toml(), app.dotenv()]
                    .map(|file| read_text_file(file).unwrap_or_default()),
            }),
            (Err(manifest), Err(settings)) => Err(manifest.and(settings)),
            (Err(faults), Ok(_)) | (Ok(_), Err(faults)) => Err(faults),
        };
        configuration.map_err(|faults| faults.relative_to(app.root()))
    }

    /// Returns the configuration of a single component, which may send requests to the places in `allow`. It has the
    /// limits that all routes of an app together would have, as far as the address space has room for instances of
    /// `size`.
    ///
    /// # Errors
    ///
    /// When an outbound host in `allow` is invalid.
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
            texts: [text, String::new(), String::new()],
        })
    }

    /// Shortens the grace period, for a server that is soon replaced by the next one: a long stream must not delay
    /// that.
    pub fn with_short_grace(mut self) -> Configuration {
        let grace = &mut self.settings.server.shutdown_grace;
        *grace = SHORT_GRACE.min(*grace);
        self
    }

    /// Returns the environment variables of each component that has some.
    pub fn environments(&self) -> Environments {
        let components = self.manifest.components.iter();
        let environments = components.map(|(id, component)| {
            let mut environment = component.environment.clone();
            // It is for a router on Spin.
            environment.remove(CACHE_VARIABLE);
            (id.to_string(), environment)
        });
        environments
            .filter(|(_, environment)| !environment.is_empty())
            .collect()
    }

    /// Returns a warning for each setting that is lost in a composition and concerns a component in it.
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
                "embed them with `include_str!`, or serve the app with `cargo waypost up` or Spin",
            ),
            (
                "variables",
                of(Component::has_variables),
                "pass them as `environment`, or serve the app with `cargo waypost up` or Spin",
            ),
            (
                "allowed_outbound_hosts",
                of(Component::has_outbound_hosts),
                "every route may send requests wherever the host of the composition allows it to",
            ),
        ];
        let lost = lost.into_iter().filter(|(_, ids, _)| !ids.is_empty());
        let mut warnings: Vec<Fault> = lost
            .map(|(name, ids, hint)| {
                let message = format!(
                    "a composition has no `{name}`; here it concerns {}",
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
            let message = "a composition has no limits and no server settings";
            let hint =
                "set them on the host that serves it; `cargo waypost serve` has the default limits";
            warnings.push(Fault::warning(message).file("waypost.toml").hint(hint));
        }
        warnings
    }

    /// Returns a fault for each folder in `files` that cannot be mounted. A folder that does not exist is only a warning,
    /// because it may come later: requests to its component fail until then.
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
                    MountError::NotAFolder { .. } => Fault::warning(message)
                        .hint("create it: requests to the route fail with a 500 without it"),
                    _ => Fault::error(message),
                };
                Some(fault.file("spin.toml"))
            })
            .collect()
    }

    /// Returns a warning for each entry of `allowed_outbound_hosts` that grants nothing here: it is for another protocol than
    /// HTTP, such as that of a database.
    pub fn useless_grants(&self) -> Vec<Fault> {
        let components = self.manifest.components.iter();
        let entries = components.flat_map(|(id, component)| {
            let entries = component.literal_outbound_hosts();
            entries.map(move |entry| (id, entry))
        });
        let other = entries.filter(|(_, entry)| {
            let scheme = entry.split("://").next().unwrap_or_default();
            !["http", "https", "*"].contains(&scheme)
        });
        other
            .map(|(id, entry)| {
                let message = format!("component `{id}`: `{entry}` grants nothing on Waypost's host");
                Fault::warning(message)
                    .file("spin.toml")
                    .hint("it sends requests by `http` and `https` only; on Spin the entry may have an effect")
            })
            .collect()
    }

    /// Returns the address for health and metrics. The command line can override it.
    pub fn admin(&self) -> Option<SocketAddr> {
        self.settings.server.admin
    }

    /// Returns the address to listen on. The command line can override it.
    pub fn listen(&self) -> SocketAddr {
        self.settings.server.listen
    }
}

fn manifest(app: &App, routes: &[Route]) -> Result<Manifest, Faults> {
    let file = app.spin_toml();
    Manifest::load(&file).or_else(|errors| {
        // The faults refer to the lines of the file as it is.
        let plan = Plan::of_manifests(app, routes).ok();
        let planned = plan.as_ref().and_then(|plan| plan.text_of(&file));
        planned
            .and_then(|text| Manifest::parse(text, &file).ok())
            .ok_or(errors)
    })
}

/// Returns a manifest that serves one component.
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
    use std::fs;

    #[test]
    fn a_missing_folder_of_files_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir(root.join("handlers")).unwrap();
        let manifest = "spin_manifest_version = 2\n[application]\nname = \"a\"\n\
            [[trigger.http]]\nroute = \"/...\"\ncomponent = \"a\"\n\
            [component.a]\nsource = \"a.wasm\"\n\
            files = [{ source = \"pages\", destination = \"/\" }]\n";
        fs::write(root.join("spin.toml"), manifest).unwrap();
        let app = App::at(root).unwrap();
        let missing = || Configuration::load(&app, &[]).unwrap().mount_faults(root);
        let found: Vec<String> = missing()
            .iter()
            .map(|fault| fault.message().to_owned())
            .collect();
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("component `a`") && found[0].contains("pages"));
        fs::create_dir(root.join("pages")).unwrap();
        assert!(missing().is_empty());
    }

    #[test]
    fn a_grant_for_another_protocol_is_named() {
        let manifest = "spin_manifest_version = 2\n[application]\nname = \"a\"\n\
            [[trigger.http]]\nroute = \"/...\"\ncomponent = \"a\"\n\
            [component.a]\nsource = \"a.wasm\"\n\
            allowed_outbound_hosts = [\"postgres://db:5432\", \"https://a.example\", \"*://b.example:*\"]\n";
        let configuration = Configuration {
            manifest: Manifest::parse(manifest, Path::new("spin.toml")).unwrap(),
            settings: Settings::default(),
            texts: Default::default(),
        };
        let found = configuration.useless_grants();
        assert_eq!(found.len(), 1);
        assert!(found[0].message().contains("`postgres://db:5432`"));
    }

    #[test]
    fn only_parts_of_a_composition_lose_settings() {
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
            ["a composition has no `files`; here it concerns `a`"]
        );
        assert_eq!(lost(&["a", "b"]).len(), 2);
        assert_eq!(lost(&["c"]), [""; 0]);
    }
}
