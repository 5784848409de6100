//! The app's `spin.toml`: version 2 of Spin's manifest, or the part of it that Waypost supports.
//!
//! A feature of Spin that Waypost doesn't support is an error with its name and line, and is never ignored: an app whose
//! manifest is accepted runs with everything it asks for. Only the manifest itself is read; components and mounted
//! folders are checked when they are used.
//!
//! Source: <https://spinframework.dev/manifest-reference>, and `crates/manifest` of Spin.

mod application;
mod component;
mod read;
mod resolve;
mod route;
mod trigger;
mod variable;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::component_id::ComponentId;
use crate::document::{Source, read_text, unreadable};
use crate::fault::Faults;
use crate::variables::dotenv::DotEnv;
use crate::variables::{Variable, environment_name};
pub use application::Application;
pub use component::{Build, Component, FileMount};
pub use resolve::ResolvedComponent;
pub use route::{Route, RouteError};
pub use trigger::HttpTrigger;

/// An app's manifest, checked as a whole.
///
/// `components` also holds the components that are defined inside a trigger.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The file that the manifest was read from.
    pub path: PathBuf,
    /// The name and description of the app.
    pub application: Application,
    /// The variables that the app declares.
    pub variables: BTreeMap<String, Variable>,
    /// The HTTP triggers, in the order of the file. [`Manifest::trigger_for`] and
    /// [`Manifest::is_public`] use the triggers as they were read, whatever is changed here.
    pub triggers: Vec<HttpTrigger>,
    /// The components. Only other components can send requests to one without a trigger.
    pub components: BTreeMap<ComponentId, Component>,
    /// The indices of the public triggers in `triggers`, in order of precedence.
    public: Vec<usize>,
    source: Source,
}

impl Manifest {
    /// Reads a `spin.toml`.
    ///
    /// # Errors
    ///
    /// Returns every fault of the file.
    pub fn load(path: &Path) -> Result<Self, Faults> {
        match read_text(path)? {
            Some(text) => Self::parse(&text, path),
            None => Err(unreadable(path, "there is no such file")),
        }
    }

    /// Parses the text of a `spin.toml`. `path` is its name in messages; paths in the text are relative to the folder
    /// of `path`.
    ///
    /// # Errors
    ///
    /// Returns every fault of the text.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::path::Path;
    /// use waypost_config::Manifest;
    ///
    /// let text = r#"
    /// spin_manifest_version = 2
    /// [application]
    /// name = "app"
    /// [[trigger.http]]
    /// route = "/..."
    /// component = "hello"
    /// [component.hello]
    /// sorce = "hello.wasm"
    /// "#;
    /// let errors = Manifest::parse(text, Path::new("spin.toml")).unwrap_err();
    /// assert_eq!(
    ///     errors.to_string(),
    ///     "spin.toml:8: missing `source` in `[component.hello]`\n\
    ///      spin.toml:9: unknown key `sorce` in `[component.hello]`; did you mean `source`?"
    /// );
    /// ```
    pub fn parse(text: &str, path: &Path) -> Result<Self, Faults> {
        read::read(text, path)
    }

    /// Returns the folder that paths in the manifest are relative to.
    pub fn base(&self) -> &Path {
        match folder_of(&self.path) {
            folder if folder == Path::new("") => Path::new("."),
            folder => folder,
        }
    }

    /// Returns the trigger for the path of a request, or `None` if no trigger matches.
    ///
    /// `path` is percent-encoded, as the client sent it, and has no query. As in Spin, an exact route takes precedence
    /// over a wildcard and a longer wildcard over a shorter one, and trailing slashes are ignored. Private triggers
    /// match no path.
    pub fn trigger_for(&self, path: &str) -> Option<&HttpTrigger> {
        self.public_triggers()
            .find(|trigger| trigger.route.matches(path))
    }

    /// Returns whether a component has a trigger that clients can reach.
    pub fn is_public(&self, component: &ComponentId) -> bool {
        self.public_triggers()
            .any(|trigger| trigger.component == *component)
    }

    /// Returns the triggers that clients can reach, in order of precedence.
    ///
    /// They are kept apart because an app of a thousand routes has a thousand triggers, all private but the router's.
    fn public_triggers(&self) -> impl Iterator<Item = &HttpTrigger> {
        let places = self.public.iter();
        places.filter_map(|place| self.triggers.get(*place))
    }

    /// Fills in the templates of every component.
    ///
    /// `environment` looks up an environment variable. The variable `name` takes its value from `SPIN_VARIABLE_NAME`,
    /// or else its default.
    ///
    /// # Errors
    ///
    /// Returns a fault for each required variable without a value, and for each entry of `allowed_outbound_hosts` that
    /// is invalid once it is filled in.
    pub fn resolve(
        &self,
        environment: impl Fn(&str) -> Option<OsString>,
    ) -> Result<BTreeMap<ComponentId, ResolvedComponent>, Faults> {
        resolve::resolve(self, environment)
    }

    /// Fills in the templates of every component, as [`resolve`](Self::resolve) does. Variables that the environment lacks are looked up
    /// in the file `.env` in the folder of the manifest, as in Spin.
    ///
    /// # Errors
    ///
    /// As [`resolve`](Self::resolve); also if the file is needed and can't be read.
    pub fn resolve_with_file(
        &self,
        environment: impl Fn(&str) -> Option<OsString>,
    ) -> Result<BTreeMap<ComponentId, ResolvedComponent>, Faults> {
        let is_missing = |name: &String| environment(&environment_name(name)).is_none();
        let file = match self.variables.keys().any(is_missing) {
            true => DotEnv::load(self.base())?,
            false => DotEnv::default(),
        };
        self.resolve(|name| environment(name).or_else(|| file.get(name)))
    }
}

/// Returns the folder of a file; for a bare name that is the empty path, to which any path can be joined.
fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}
