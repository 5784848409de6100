//! The app's `spin.toml`: Spin's manifest, version 2, as far as this host can honour it.
//!
//! What Spin knows and this host doesn't do is refused by name and line, never ignored: an app
//! that is read here runs with everything it asks for. Reading touches no file but the manifest;
//! whether components and mounted folders are there shows when they are used.
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
use crate::variables::Variable;
pub use application::Application;
pub use component::{Build, Component, FileMount};
pub use resolve::ResolvedComponent;
pub use route::{Route, RouteError};
pub use trigger::HttpTrigger;

/// An app's manifest, checked as a whole.
///
/// Components that a trigger spells out in place are found in `components` with all others.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The file that it was read from.
    pub path: PathBuf,
    /// What the app is.
    pub application: Application,
    /// The variables that it declares.
    pub variables: BTreeMap<String, Variable>,
    /// The HTTP triggers, in the order of the file. [`Manifest::trigger_for`] and
    /// [`Manifest::is_public`] know them as they were read.
    pub triggers: Vec<HttpTrigger>,
    /// The components; those without a trigger are asked by other components only.
    pub components: BTreeMap<ComponentId, Component>,
    /// Where the public ones of `triggers` are; those that go before others come first.
    public: Vec<usize>,
    source: Source,
}

impl Manifest {
    /// Reads a `spin.toml`.
    ///
    /// # Errors
    ///
    /// Gives every fault of the file.
    pub fn load(path: &Path) -> Result<Self, Faults> {
        match read_text(path)? {
            Some(text) => Self::parse(&text, path),
            None => Err(unreadable(path, "there is no such file")),
        }
    }

    /// Parses the text of a `spin.toml`; `path` names it in messages, and its folder is the one
    /// that paths in it are relative to.
    ///
    /// # Errors
    ///
    /// Gives every fault of the text.
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

    /// Gives the folder that paths in the manifest are relative to.
    pub fn base(&self) -> &Path {
        match folder_of(&self.path) {
            folder if folder == Path::new("") => Path::new("."),
            folder => folder,
        }
    }

    /// Finds the trigger that answers a path, which is as sent and without a query.
    ///
    /// As in Spin an exact route goes before a wildcard, a longer wildcard before a shorter, and
    /// slashes at the end make no difference. Private triggers answer no path.
    pub fn trigger_for(&self, path: &str) -> Option<&HttpTrigger> {
        self.public_triggers()
            .find(|trigger| trigger.route.matches(path))
    }

    /// Tells whether a component has a trigger that clients can reach.
    pub fn is_public(&self, component: &ComponentId) -> bool {
        self.public_triggers()
            .any(|trigger| trigger.component == *component)
    }

    /// The triggers that clients can reach, those that go before others first. An app of a thousand routes has a
    /// thousand triggers, of which all but the router's are private.
    fn public_triggers(&self) -> impl Iterator<Item = &HttpTrigger> {
        let places = self.public.iter();
        places.filter_map(|place| self.triggers.get(*place))
    }

    /// Fills in everything that depends on variables, for every component.
    ///
    /// `environment` looks up an environment variable: `SPIN_VARIABLE_NAME` gives the variable
    /// `name`, and goes before its default.
    ///
    /// # Errors
    ///
    /// Gives every required variable without a value, and every entry of
    /// `allowed_outbound_hosts` that is wrong once it is filled in.
    pub fn resolve(
        &self,
        environment: impl Fn(&str) -> Option<OsString>,
    ) -> Result<BTreeMap<ComponentId, ResolvedComponent>, Faults> {
        resolve::resolve(self, environment)
    }
}

/// Gives the folder of a file; for a bare name the empty path, to which anything can be joined.
fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}
