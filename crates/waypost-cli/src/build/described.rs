//! The descriptions of an app's components. Each file is read once, on all cores: an app may have a thousand of them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use waypost_cache::Policy;
use waypost_cache::policy::PolicyError;
use waypost_config::{Fault, Faults, Settings};

use crate::anatomy::Anatomy;
use crate::app::App;
use crate::describe::{DescribeError, Description};
use crate::foreign::{self, Depth};
use crate::output;
use crate::parallel;
use crate::route::{Route, RouteKind};
use crate::serve::InstanceSize;
use crate::sync::RouteEntry;
use crate::table::Row;

/// A built app.
pub struct Built<'r> {
    routes: Vec<Described<'r>>,
    inputs: BTreeSet<PathBuf>,
}

/// A route and its component.
struct Described<'r> {
    route: &'r Route,
    /// `None` if Waypost did not make the component.
    description: Option<Description>,
    cache: Option<Policy>,
    anatomy: Anatomy,
}

impl<'r> Built<'r> {
    /// Reads the component of each route, and prints warnings.
    ///
    /// # Errors
    ///
    /// With the faults of all components at once.
    pub(super) fn read(
        app: &App,
        files: &[(&'r Route, PathBuf)],
        depth: Depth,
    ) -> Result<Built<'r>, Faults> {
        let (mut routes, mut faults) = (Vec::new(), Vec::new());
        // Its faults are reported where it is used.
        let settings = Settings::load(&app.waypost_toml()).unwrap_or_default();
        let read = |(route, file): &(&'r Route, PathBuf)| {
            let (described, warning) =
                describe(app, route, file, depth).map_err(|fault| vec![fault])?;
            let cache = cache_policy(&settings, route, described.description.as_ref())?;
            Ok((Described { cache, ..described }, warning))
        };
        for described in parallel::map(files, read) {
            match described {
                Ok((described, warning)) => {
                    warning.iter().for_each(output::fault);
                    routes.push(described);
                }
                Err(refusals) => faults.extend::<Vec<Fault>>(refusals),
            }
        }
        Faults::refuse(faults)?;
        Ok(Built {
            routes,
            inputs: BTreeSet::new(),
        })
    }

    /// Sets the files from which the components were compiled.
    pub(super) fn made_of(self, inputs: BTreeSet<PathBuf>) -> Built<'r> {
        Built { inputs, ..self }
    }

    /// Returns the files from which the components were compiled, or none if this process did not compile them.
    pub fn inputs(&self) -> &BTreeSet<PathBuf> {
        &self.inputs
    }

    /// Returns the entries of the router's table.
    pub(super) fn entries(&self) -> Vec<RouteEntry> {
        let entry = |found: &Described| RouteEntry {
            id: found.route.id().clone(),
            methods: found.description.as_ref().map(|own| own.methods.clone()),
            pattern: found.route.pattern().clone(),
        };
        self.routes.iter().map(entry).collect()
    }

    /// Returns the routes with a cache policy, by the ids of their components.
    pub(crate) fn policies(&self) -> Vec<(&str, &Policy)> {
        let policy = |found: &'_ Described<'r>| found.route.id().as_str();
        let routes = self.routes.iter();
        let cached = routes.filter_map(|found| Some((policy(found), found.cache.as_ref()?)));
        cached.collect()
    }

    /// Returns its table of routes.
    pub fn rows(&self) -> Vec<Row> {
        let row = |found: &Described| {
            let methods = found.description.as_ref().map(|own| own.methods.clone());
            Row::new(found.route, methods, found.cache.as_ref())
        };
        self.routes.iter().map(row).collect()
    }

    /// Returns the size of an instance of the largest component.
    pub fn instance_size(&self) -> InstanceSize {
        let sizes = self
            .routes
            .iter()
            .map(|found| found.anatomy.instance_size());
        sizes.fold(InstanceSize::default(), larger)
    }

    /// Returns a fault for each import that Waypost's host does not offer.
    pub fn unmet(&self) -> Vec<Fault> {
        let unmet = |found: &Described| foreign::unmet(found.route, &found.anatomy.imports);
        self.routes.iter().flat_map(unmet).collect()
    }
}

fn larger(one: InstanceSize, other: InstanceSize) -> InstanceSize {
    InstanceSize {
        core_instances: one.core_instances.max(other.core_instances),
        memories: one.memories.max(other.memories),
        tables: one.tables.max(other.tables),
    }
}

fn describe<'r>(
    app: &App,
    route: &'r Route,
    file: &Path,
    depth: Depth,
) -> Result<(Described<'r>, Option<Fault>), Fault> {
    let described = match route.kind() {
        RouteKind::Source => describe_source(app, route, file),
        RouteKind::Component => foreign::verify(route, file, depth).map(|found| {
            let described = Described {
                route,
                description: found.description,
                cache: None,
                anatomy: found.anatomy,
            };
            (described, None)
        }),
    };
    described.map_err(|fault| fault.file(route.file()))
}

fn describe_source<'r>(
    app: &App,
    route: &'r Route,
    file: &Path,
) -> Result<(Described<'r>, Option<Fault>), Fault> {
    let shown = file.strip_prefix(app.root()).unwrap_or(file);
    let (description, anatomy) =
        Description::read(file).map_err(|error| undescribed(&error, shown))?;
    if description.pattern != *route.pattern() {
        return Err(wrong_pattern(route, &description));
    }
    let warning = description.methods.is_empty().then(|| no_method(route));
    let described = Described {
        route,
        description: Some(description),
        cache: None,
        anatomy,
    };
    Ok((described, warning))
}

/// Returns the cache policy of a route, if it has one: that of its component, with what `waypost.toml` says.
///
/// # Errors
///
/// With all faults of the policy.
pub(crate) fn cache_policy(
    settings: &Settings,
    route: &Route,
    description: Option<&Description>,
) -> Result<Option<Policy>, Vec<Fault>> {
    let Some(rules) = settings.cache_rules(&route.pattern().to_string()) else {
        return Ok(None);
    };
    let own = description.and_then(|description| description.cache.as_ref());
    rules.policy(own).map_err(|errors| {
        let fault = |error: PolicyError| {
            Fault::error(format!("the cache policy is not valid: {error}")).file(route.file())
        };
        errors.into_iter().map(fault).collect()
    })
}

fn no_method(route: &Route) -> Fault {
    Fault::warning("the route has no methods: it responds with 405 to all but OPTIONS")
        .file(route.file())
        .hint("name one or more in `waypost::export!(get, post);`")
}

fn undescribed(error: &DescribeError, file: &Path) -> Fault {
    match error {
        DescribeError::Read { .. } => Fault::error(format!("`{}` is not built", file.display()))
            .hint("`cargo waypost build` builds it"),
        error => {
            let cause = std::error::Error::source(error);
            let cause = cause.map(|cause| format!(": {cause}")).unwrap_or_default();
            Fault::error(format!("{error}{cause}"))
        }
    }
}

fn wrong_pattern(route: &Route, description: &Description) -> Fault {
    Fault::error(format!(
        "the component was compiled for `{}`, but its folder is `{}`",
        description.pattern,
        route.pattern()
    ))
    .hint(format!(
        "`cargo waypost build` compiles it again; if that does not help, run `cargo clean -p {}` first",
        route.id()
    ))
}
