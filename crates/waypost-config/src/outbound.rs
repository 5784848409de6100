//! Where a component may send requests: `allowed_outbound_hosts`, with Spin's meaning.
//!
//! An entry is `scheme://host[:port]`. Nothing is granted that no entry grants. Templates are
//! filled in before entries come here, and names are never looked up: a grant is decided by what
//! the component wrote, not by the address that it resolves to.
//!
//! Source: <https://spinframework.dev/http-outbound#granting-http-permissions-to-components>.

mod error;
mod host;
mod port;
mod rule;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::component_id::ComponentId;
pub use error::OutboundError;
pub(crate) use rule::Rule;

/// The domain of the app's own components.
const CHAINING_DOMAIN: &str = "spin.internal";

/// The authority by which a component asks the app itself.
pub const SELF_AUTHORITY: &str = "self.alt";

/// The outbound requests that a component may make; by default none.
///
/// # Examples
///
/// ```
/// use waypost_config::AllowedHosts;
///
/// let entries = ["https://*.example.com".to_owned(), "http://localhost:*".to_owned()];
/// let allowed = AllowedHosts::parse(&entries, &[]).unwrap();
/// assert!(allowed.allows("https", "api.example.com", None));
/// assert!(allowed.allows("http", "localhost", Some(8080)));
/// assert!(!allowed.allows("https", "example.com", None));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedHosts {
    rules: Vec<Rule>,
}

impl AllowedHosts {
    /// Parses the entries of `allowed_outbound_hosts`, in which no template is left.
    ///
    /// `components` are those of the app: `*.spin.internal` grants them and nothing else.
    ///
    /// # Errors
    ///
    /// Gives an error for each entry that is not `scheme://host[:port]`.
    pub fn parse(
        entries: &[String],
        components: &[ComponentId],
    ) -> Result<Self, Vec<OutboundError>> {
        let mut rules = Vec::new();
        let mut errors = Vec::new();
        for entry in entries {
            match Rule::parse(entry) {
                Ok(rule) => rules.push(rule),
                Err(error) => errors.push(error),
            }
        }
        match errors.is_empty() {
            true => Ok(Self::new(rules, &AppComponents::new(components))),
            false => Err(errors),
        }
    }

    /// Makes the grant of parsed entries.
    pub(crate) fn new(rules: impl IntoIterator<Item = Rule>, components: &AppComponents) -> Self {
        let rules = rules.into_iter().map(|rule| rule.for_app(components));
        Self {
            rules: rules.collect(),
        }
    }

    /// Says whether a request may be sent.
    ///
    /// `host` is as in a URI's authority, without port (IPv6 in brackets). No `port` means the
    /// scheme's own. For the host `self.alt` this is [`allows_self`](Self::allows_self).
    pub fn allows(&self, scheme: &str, host: &str, port: Option<u16>) -> bool {
        if host == SELF_AUTHORITY {
            return self.allows_self();
        }
        let Ok(parsed) = url::Host::parse(host) else {
            return false;
        };
        let scheme = scheme.to_ascii_lowercase();
        self.rules
            .iter()
            .any(|rule| rule.allows(&scheme, &parsed, port))
    }

    /// Says whether the component may ask the app itself: without an authority, or by the
    /// authority `self.alt`.
    ///
    /// As in Spin, the entry's port plays no part here: it is the app's own.
    pub fn allows_self(&self) -> bool {
        self.rules.iter().any(Rule::allows_self)
    }
}

/// The components of an app, by the names that hosts have: in lowercase.
///
/// One set is shared by all grants: an app of a thousand routes would else hold a million names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AppComponents(Arc<BTreeSet<String>>);

impl AppComponents {
    pub(crate) fn new<'c>(ids: impl IntoIterator<Item = &'c ComponentId>) -> Self {
        let names = ids.into_iter().map(|id| id.as_str().to_ascii_lowercase());
        Self(Arc::new(names.collect()))
    }

    /// Says whether a domain names one of them.
    fn include(&self, domain: &str) -> bool {
        service_chaining_target(domain).is_some_and(|id| self.0.contains(id))
    }
}

/// Gives the authority by which the components of an app reach one of them.
pub fn authority_of(id: &ComponentId) -> String {
    format!("{id}.{CHAINING_DOMAIN}")
}

/// Gives the component that a host such as `items-slug.spin.internal` names, if it is one.
///
/// Whether there is such a component, and whether it may be asked, is not checked here.
pub fn service_chaining_target(host: &str) -> Option<&str> {
    let (id, domain) = host.split_once('.')?;
    domain.eq_ignore_ascii_case(CHAINING_DOMAIN).then_some(id)
}

#[cfg(test)]
mod tests;
