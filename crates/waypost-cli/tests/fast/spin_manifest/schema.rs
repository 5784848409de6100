//! Spin's manifest as Spin 4.1 reads it: every key that it knows, and a fault for every other.
//!
//! After `crates/manifest/src/schema/v2.rs` and `common.rs`, `crates/serde/src/id.rs`, `crates/http/src/config.rs`
//! and `crates/routes/src/lib.rs` of spinframework/spin. Spin leaves the keys of a trigger to its executor; here
//! they are those of HTTP, the only trigger that an app of Waypost has.

#![allow(dead_code, reason = "that a field is read is what is tested")]

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

type Map<V> = BTreeMap<String, V>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub spin_manifest_version: Version2,
    pub application: Application,
    #[serde(default)]
    pub variables: BTreeMap<LowerSnakeId, Variable>,
    #[serde(rename = "trigger")]
    pub triggers: Triggers,
    #[serde(default, rename = "component")]
    pub components: BTreeMap<KebabId, Component>,
}

impl Manifest {
    /// Reads a manifest, or says why Spin does not.
    pub fn parse(text: &str) -> Result<Self, String> {
        let manifest: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        manifest.check()?;
        Ok(manifest)
    }

    /// What Spin checks when it has read the text.
    fn check(&self) -> Result<(), String> {
        for trigger in &self.triggers.http {
            match (&trigger.component, &trigger.static_response) {
                (Some(_), Some(_)) | (None, None) => {
                    return Err("a trigger has either a component or a static response".to_owned());
                }
                (Some(ComponentSpec::Reference(id)), None) if !self.components.contains_key(id) => {
                    return Err(format!("no component `{id}`"));
                }
                _ => {}
            }
            if let Route::Private(Private { private: false }) = trigger.route {
                return Err("`private` can only be true".to_owned());
            }
        }
        Ok(())
    }
}

#[derive(Debug, Deserialize)]
#[serde(try_from = "usize")]
pub struct Version2;

impl TryFrom<usize> for Version2 {
    type Error = String;

    fn try_from(version: usize) -> Result<Self, String> {
        match version {
            2 => Ok(Self),
            other => Err(format!("version {other} is not 2")),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Application {
    pub name: String,
    #[serde(default)]
    pub version: String,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub authors: Vec<String>,
    #[serde(default)]
    pub targets: Vec<Target>,
    #[serde(default, rename = "trigger")]
    pub trigger_settings: Map<toml::Table>,
    #[serde(default)]
    pub tool: Map<toml::Table>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Target {
    Catalogue(String),
    Http { url: String },
    File { path: String },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    pub description: Option<String>,
    #[serde(default)]
    pub required: bool,
    pub default: Option<String>,
    #[serde(default)]
    pub secret: bool,
}

/// Spin has further kinds of triggers; an app of Waypost has none of them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Triggers {
    pub http: Vec<HttpTrigger>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpTrigger {
    #[serde(default)]
    pub id: String,
    pub component: Option<ComponentSpec>,
    #[serde(default)]
    pub components: toml::Table,
    #[serde(default)]
    pub dependencies: toml::Table,
    pub static_response: Option<toml::Table>,
    pub route: Route,
    pub executor: Option<Executor>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum ComponentSpec {
    Reference(KebabId),
    Inline(Box<Component>),
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Route {
    Public(String),
    Private(Private),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Private {
    pub private: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", tag = "type")]
pub enum Executor {
    #[serde(alias = "spin")]
    Http,
    Wagi {
        argv: Option<String>,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component {
    pub source: Source,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub variables: BTreeMap<LowerSnakeId, String>,
    #[serde(default)]
    pub environment: Map<String>,
    #[serde(default)]
    pub files: Vec<Mount>,
    #[serde(default)]
    pub exclude_files: Vec<String>,
    #[serde(default)]
    pub allowed_http_hosts: Vec<String>,
    #[serde(default)]
    pub allowed_outbound_hosts: Vec<String>,
    #[serde(default)]
    pub key_value_stores: Vec<Label>,
    #[serde(default)]
    pub sqlite_databases: Vec<Label>,
    #[serde(default)]
    pub ai_models: Vec<String>,
    pub targets: Option<Vec<Target>>,
    pub build: Option<Build>,
    #[serde(default)]
    pub tool: Map<toml::Table>,
    pub dependencies_inherit_configuration: Option<bool>,
    #[serde(default)]
    pub dependencies: toml::Table,
    #[serde(default)]
    pub profile: Map<toml::Table>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Source {
    Local(String),
    Remote {
        url: String,
        digest: String,
    },
    Registry {
        registry: Option<String>,
        package: String,
        version: String,
    },
}

#[derive(Debug, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Mount {
    Pattern(String),
    Placement { source: String, destination: String },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Build {
    pub command: Commands,
    pub workdir: Option<String>,
    #[serde(default)]
    pub watch: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Commands {
    Single(String),
    Multiple(Vec<String>),
}

/// Words with `-` between: each begins with a letter, and is all lower or all upper case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct KebabId(String);

impl TryFrom<String> for KebabId {
    type Error = String;

    fn try_from(id: String) -> Result<Self, String> {
        words(&id, '-')?;
        Ok(Self(id))
    }
}

impl AsRef<str> for KebabId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KebabId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Words with `_` between, in lower case.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct LowerSnakeId(String);

impl TryFrom<String> for LowerSnakeId {
    type Error = String;

    fn try_from(id: String) -> Result<Self, String> {
        words(&id, '_')?;
        match id.contains(|c: char| c.is_ascii_uppercase()) {
            true => Err(format!("`{id}` is not in lower case")),
            false => Ok(Self(id)),
        }
    }
}

/// The name of a store or database: words with `-` or `_` between.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct Label(pub String);

impl TryFrom<String> for Label {
    type Error = String;

    fn try_from(label: String) -> Result<Self, String> {
        words(&label, '-').or_else(|_| words(&label, '_'))?;
        Ok(Self(label))
    }
}

fn words(id: &str, delimiter: char) -> Result<(), String> {
    let is_word = |word: &str| {
        let upper = word.starts_with(|c: char| c.is_ascii_uppercase());
        word.starts_with(|c: char| c.is_ascii_alphabetic())
            && word.chars().all(|c| {
                c.is_ascii_digit() || (c.is_ascii_alphabetic() && c.is_ascii_uppercase() == upper)
            })
    };
    match id.split(delimiter).all(is_word) {
        true => Ok(()),
        false => Err(format!("`{id}` is no id with `{delimiter}` between words")),
    }
}
