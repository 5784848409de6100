//! `[cache]`: what the response cache may take, and the app's own profiles. `[routes."/pattern".cache]`: the policy of a
//! route.

use std::sync::Arc;

use waypost_cache::policy::{Draft, PolicyError};
use waypost_cache::{Life, Policy};
use waypost_routing::Pattern;

use super::quantity::{Bounds, read_size};
use crate::document::{Collector, Keys, Table, Value};
use crate::fault::FaultKind;

/// What the response cache may take, and the app's own profiles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cache {
    /// The memory of all entries together, in bytes. Default: 64 MiB. Entries that are used least make room for others.
    pub memory: u64,
    /// The size of the body of an entry, in bytes. Default: 8 MiB. A larger body is sent, but not stored.
    pub entry: u64,
    /// Whether responses have headers for a CDN: `CDN-Cache-Control`, and their tags in `Cache-Tag`. Default: no.
    pub cdn: bool,
    /// The profiles of the app, by name, for `life = "name"` in a policy.
    pub profiles: Vec<(String, Life)>,
}

impl Default for Cache {
    fn default() -> Self {
        Self {
            memory: 64 << 20,
            entry: 8 << 20,
            cdn: false,
            profiles: Vec::new(),
        }
    }
}

/// What `waypost.toml` says about the cache policy of a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouteCache {
    /// `cache = "off"`: the responses of the route are not cached.
    Off,
    /// Fields that replace those of the policy in the route's component, if it has one.
    Policy(PolicyFields),
}

/// The fields of a cache policy that the file sets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyFields {
    life: Option<String>,
    revalidate: Option<String>,
    expire: Option<String>,
    tags: Option<Vec<String>>,
    query: Option<Vec<String>>,
    vary: Option<Vec<String>>,
}

impl RouteCache {
    /// Returns the policy with the fields that are set here, or `None` if the route is not cached. `own` is the policy in
    /// the route's component.
    pub fn over(&self, own: Option<Draft>) -> Option<Draft> {
        match self {
            Self::Off => None,
            Self::Policy(fields) => Some(fields.over(own.unwrap_or_default())),
        }
    }
}

impl PolicyFields {
    fn over(&self, own: Draft) -> Draft {
        let set = self.clone();
        // A profile has both times, so it replaces both.
        let (own_revalidate, own_expire) = match set.life {
            Some(_) => (None, None),
            None => (own.revalidate, own.expire),
        };
        Draft {
            life: set.life.or(own.life),
            revalidate: set.revalidate.or(own_revalidate),
            expire: set.expire.or(own_expire),
            tags: set.tags.unwrap_or(own.tags),
            query: set.query.unwrap_or(own.query),
            vary: set.vary.unwrap_or(own.vary),
        }
    }
}

/// What the settings say about the caching of one route.
#[derive(Clone, Debug)]
pub struct CacheRules {
    pattern: Pattern,
    profiles: Arc<[(String, Life)]>,
    route: Option<RouteCache>,
}

impl CacheRules {
    pub(super) fn new(
        pattern: Pattern,
        profiles: &[(String, Life)],
        route: Option<RouteCache>,
    ) -> Self {
        Self {
            pattern,
            profiles: profiles.into(),
            route,
        }
    }

    /// Returns the pattern of the route.
    pub fn pattern(&self) -> &Pattern {
        &self.pattern
    }

    /// Returns the cache policy of the route, or `None` if its responses are not cached. `own` is the value of `cache` in the
    /// description of the route's component.
    ///
    /// # Errors
    ///
    /// Returns all errors of the policy.
    pub fn policy(
        &self,
        own: Option<&serde_json::Value>,
    ) -> Result<Option<Policy>, Vec<PolicyError>> {
        if self.route == Some(RouteCache::Off) {
            return Ok(None);
        }
        let own = own.map(|own| Policy::from_value(own, &self.profiles));
        let own = own.transpose()?.flatten();
        let policy = match &self.route {
            None => own,
            Some(route) => {
                let merged = route.over(own.map(|own| own.to_draft()));
                merged
                    .map(|draft| draft.check(&self.profiles))
                    .transpose()?
            }
        };
        if let Some(policy) = &policy {
            policy.check_pattern(&self.pattern)?;
        }
        Ok(policy)
    }
}

const KEYS: Keys = Keys::only(&["memory", "entry", "cdn", "life"]);
const LIFE_KEYS: Keys = Keys::only(&["revalidate", "expire"]);
const ROUTE_KEYS: Keys = Keys::only(&["life", "revalidate", "expire", "tags", "query", "vary"]);

const MEMORY: Bounds<u64> = Bounds {
    least: 1 << 20,
    most: 1 << 50,
    below: "hardly any response would stay; write at least `1MiB`",
    above: "no machine has that much; write at most `1024TiB`",
};

const ENTRY: Bounds<u64> = Bounds {
    least: 1 << 10,
    most: 1 << 30,
    below: "hardly any response would be stored; write at least `1KiB`",
    above: "an entry is kept in memory as a whole; write at most `1GiB`",
};

/// Reads `[cache]`.
pub(super) fn read(root: &Table<'_>, faults: &mut Collector) -> Cache {
    let defaults = Cache::default();
    let Some(table) = root.table("cache", faults) else {
        return defaults;
    };
    table.check_keys(&KEYS, faults);
    let memory = read_size(&table, "memory", &MEMORY, faults).unwrap_or(defaults.memory);
    let entry = read_size(&table, "entry", &ENTRY, faults);
    if let (Some(size), Some(value)) = (entry, table.get("entry"))
        && size > memory / 2
    {
        let reason = "it is more than half of `memory`, in which all entries have to fit";
        super::quantity::refuse::<()>(&value, &size.to_string(), reason, faults);
    }
    Cache {
        memory,
        // A small memory holds small entries.
        entry: entry.unwrap_or(defaults.entry.min(memory / 8)),
        cdn: table.flag("cdn", faults),
        profiles: read_profiles(&table, faults),
    }
}

fn read_profiles(table: &Table<'_>, faults: &mut Collector) -> Vec<(String, Life)> {
    let Some(profiles) = table.table("life", faults) else {
        return Vec::new();
    };
    let profile = |name: &str, value: &Value<'_>, faults: &mut Collector| {
        let table = value.table(faults)?;
        table.check_keys(&LIFE_KEYS, faults);
        let draft = read_fields(&table, faults).over(Draft::default());
        let policy = checked(&draft, &[], &table, faults)?;
        Some((name.to_owned(), policy.life()))
    };
    profiles
        .entries()
        .filter_map(|(name, value)| profile(name.value, &value, faults))
        .collect()
}

/// Reads the value of `cache` of a route. `profiles` are those of the app.
pub(super) fn read_route(
    value: &Value<'_>,
    profiles: &[(String, Life)],
    faults: &mut Collector,
) -> Option<RouteCache> {
    if value.as_str() == Some("off") || value.as_bool() == Some(false) {
        return Some(RouteCache::Off);
    }
    if !value.is_table() {
        return value.wrong("a table with `revalidate`, or `\"off\"`", faults);
    }
    let table = value.table(faults)?;
    table.check_keys(&ROUTE_KEYS, faults);
    let fields = read_fields(&table, faults);
    let draft = fields.over(Draft::default());
    checked(&draft, profiles, &table, faults)?;
    Some(RouteCache::Policy(fields))
}

fn read_fields(table: &Table<'_>, faults: &mut Collector) -> PolicyFields {
    let mut list = |key| {
        table.get(key)?;
        let items = table.strings(key, faults);
        Some(items.into_iter().map(|item| item.value).collect())
    };
    let (tags, query, vary) = (list("tags"), list("query"), list("vary"));
    PolicyFields {
        life: table.string("life", faults).map(|life| life.value),
        revalidate: read_time(table, "revalidate", faults),
        expire: read_time(table, "expire", faults),
        tags,
        query,
        vary,
    }
}

/// Reads a time: a number of seconds, or a text such as `1m`. `revalidate = false` is `never`, as in Next.
fn read_time(table: &Table<'_>, key: &str, faults: &mut Collector) -> Option<String> {
    let value = table.get(key)?;
    if key == "revalidate" && value.as_bool() == Some(false) {
        return Some("never".to_owned());
    }
    if value.as_integer().is_some() {
        return Some(value.integer_text());
    }
    match value.as_str() {
        Some(text) => Some(text.to_owned()),
        None => value.wrong("seconds, or a time such as `\"1m\"`", faults),
    }
}

/// Checks a policy. Reports each of its errors at the table.
fn checked(
    draft: &Draft,
    profiles: &[(String, Life)],
    table: &Table<'_>,
    faults: &mut Collector,
) -> Option<Policy> {
    let report = |errors: Vec<PolicyError>| {
        for error in errors {
            let (table_title, reason) = (table.title(), error.to_string());
            let kind = FaultKind::Policy {
                table: table_title,
                reason,
            };
            faults.add(table.range(), kind);
        }
    };
    draft.check(profiles).map_err(report).ok()
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::*;
    use crate::Settings;

    fn parse(text: &str) -> Result<Settings, String> {
        Settings::parse(text, Path::new("waypost.toml")).map_err(|faults| faults.to_string())
    }

    fn policy(text: &str, own: Option<&str>) -> Result<Option<Policy>, String> {
        let rules = parse(text)?
            .cache_rules("/blog/[slug]")
            .ok_or("not a valid pattern")?;
        let own = own.map(|own| serde_json::from_str(own).unwrap());
        rules.policy(own.as_ref()).map_err(|errors| {
            let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
            errors.join("\n")
        })
    }

    #[test]
    fn sizes_have_defaults_and_bounds() {
        let cache = |text: &str| parse(text).map(|settings| settings.cache);
        assert_eq!(cache(""), Ok(Cache::default()));
        let small = cache("[cache]\nmemory = \"8MiB\"\n").unwrap();
        assert_eq!((small.memory, small.entry), (8 << 20, 1 << 20));
        assert!(cache("[cache]\ncdn = true\n").unwrap().cdn);
        for (text, expected) in [
            ("[cache]\nmemory = \"1kB\"\n", "write at least `1MiB`"),
            (
                "[cache]\nmemory = \"2MiB\"\nentry = \"3MiB\"\n",
                "more than half of `memory`",
            ),
            ("[cache]\nentry = 5\n", "write at least `1KiB`"),
            ("[cache]\ncdn = \"yes\"\n", "cdn"),
            ("[cache]\nstore = \"redis://a\"\n", "store"),
            ("[cache.life.news]\nrevalidate = 0\n", "zero"),
            (
                "[cache.life.news]\nrevalidate = \"2d\"\nexpire = \"1d\"\n",
                "`[cache.life.news]`",
            ),
            (
                "[routes.\"/a\"]\ncache = \"on\"\n",
                "a table with `revalidate`, or `\"off\"`",
            ),
            (
                "[routes.\"/a\".cache]\nvary = [\"cookie\"]\n",
                "identifies the client",
            ),
            ("[routes.\"/a\".cache]\nlife = \"news\"\n", "news"),
            ("[routes.\"/a\".cache]\nrevalidate = -5\n", "`-5`"),
            (
                "[routes.\"/a\".cache]\nrevalidate = 1.5\n",
                "a time such as",
            ),
            ("[routes.\"/a\".cache]\ntag = [\"a\"]\n", "tag"),
        ] {
            let fault = cache(text).unwrap_err();
            assert!(fault.contains(expected), "{text}: {fault}");
        }
    }

    #[test]
    fn settings_replace_what_the_code_says_field_by_field() {
        let own = r#"{"revalidate":60,"tags":["a-{slug}"],"query":["page"]}"#;
        let seconds = |text: &str, own: Option<&str>| {
            let policy = policy(text, own).unwrap()?;
            policy.life().revalidate().map(|time| time.as_secs())
        };
        assert_eq!(seconds("", None), None);
        assert_eq!(seconds("", Some(own)), Some(60));
        let table = "[routes.\"/blog/[slug]\".cache]\n";
        assert_eq!(
            seconds(&format!("{table}revalidate = \"5m\"\n"), Some(own)),
            Some(300)
        );
        assert_eq!(
            seconds(&format!("{table}life = \"hours\"\n"), Some(own)),
            Some(3600)
        );
        assert_eq!(
            seconds(&format!("{table}revalidate = false\n"), Some(own)),
            None
        );
        let merged = policy(&format!("{table}query = [\"q\"]\n"), Some(own))
            .unwrap()
            .unwrap();
        assert_eq!(
            (merged.tags(), merged.query()),
            (&["a-{slug}".to_owned()][..], &["q".to_owned()][..])
        );
        let none = policy(&format!("{table}tags = []\n"), Some(own))
            .unwrap()
            .unwrap();
        assert!(none.tags().is_empty());
        let off = "[routes.\"/blog/[slug]\"]\ncache = \"off\"\n";
        assert_eq!(policy(off, Some(own)), Ok(None));
        // A component made elsewhere has no policy of its own.
        let foreign = policy(&format!("{table}expire = \"1h\"\n"), None)
            .unwrap()
            .unwrap();
        assert_eq!(foreign.life().expire(), Duration::from_secs(3600));
    }

    #[test]
    fn a_policy_that_does_not_fit_its_route_is_an_error() {
        let wrong = policy("", Some(r#"{"tags":["{id}"]}"#)).unwrap_err();
        assert!(wrong.contains("id") && wrong.contains("slug"), "{wrong}");
        let wrong = policy("", Some(r#"{"life":"news"}"#)).unwrap_err();
        assert!(wrong.contains("news"), "{wrong}");
        let news = "[cache.life.news]\nrevalidate = \"15m\"\n";
        let known = policy(news, Some(r#"{"life":"news"}"#)).unwrap().unwrap();
        assert_eq!(known.life().revalidate(), Some(Duration::from_secs(900)));
    }
}
