//! `allowed_outbound_hosts`: where a component may send requests. Entries mean what they mean in Spin.
//!
//! An entry is `scheme://host[:port]`. A request is denied unless an entry allows it. Templates are filled in before
//! entries are parsed. Host names are not resolved: the decision depends on the name in the request. The host may then refuse
//! the address that it resolves to ([`is_private`]).
//!
//! Source: <https://spinframework.dev/http-outbound#granting-http-permissions-to-components>.

mod error;
mod host;
mod port;
mod private;
mod rule;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::component_id::ComponentId;
pub use error::OutboundError;
pub use private::is_private;
pub(crate) use rule::Rule;

/// The domain of the components of the app.
const CHAINING_DOMAIN: &str = "spin.internal";

/// The authority with which a component sends a request to its own app.
pub const SELF_AUTHORITY: &str = "self.alt";

/// The outbound requests that a component may send; by default none.
///
/// # Examples
///
/// ```
/// use waypost_config::outbound::AllowedHosts;
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
    /// Parses the entries of `allowed_outbound_hosts`, with all templates filled in.
    ///
    /// `components` are the components of the app, and all that `*.spin.internal` allows.
    ///
    /// # Errors
    ///
    /// Returns an error for each entry that is not `scheme://host[:port]`.
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

    /// Creates the permission from parsed entries.
    pub(crate) fn new(rules: impl IntoIterator<Item = Rule>, components: &AppComponents) -> Self {
        let rules = rules.into_iter().map(|rule| rule.for_app(components));
        Self {
            rules: rules.collect(),
        }
    }

    /// Returns whether a request may be sent.
    ///
    /// `host` is the host of the URI (an IPv6 address in brackets). Without a `port` the default port of the scheme is
    /// meant. For the host `self.alt` this is [`allows_self`](Self::allows_self).
    pub fn allows(&self, scheme: &str, host: &str, port: Option<u16>) -> bool {
        match host {
            SELF_AUTHORITY => self.allows_self(),
            _ => self.grant(scheme, host, port).is_some(),
        }
    }

    /// Returns the most specific kind of entry that allows a request to another host, or `None` if none does.
    ///
    /// The arguments are those of [`allows`](Self::allows).
    pub fn grant(&self, scheme: &str, host: &str, port: Option<u16>) -> Option<Grant> {
        let parsed = url::Host::parse(host).ok()?;
        let scheme = scheme.to_ascii_lowercase();
        let allowing = self.rules.iter();
        let allowing = allowing.filter(|rule| rule.allows(&scheme, &parsed, port));
        allowing.map(Rule::grant).max()
    }

    /// Returns whether the component may send requests to its own app: without an authority, or with the authority
    /// `self.alt`.
    ///
    /// As in Spin, the port of an entry is ignored here.
    pub fn allows_self(&self) -> bool {
        self.rules.iter().any(Rule::allows_self)
    }
}

/// How an entry names the hosts that it allows, from the least to the most specific.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grant {
    /// `*`, `*.example.com`
    Wildcard,
    /// `example.com`
    Name,
    /// `127.0.0.1`, `10.0.0.0/8`
    Address,
}

/// The ids of the components of an app, in lowercase as in host names.
///
/// All permissions share one set: otherwise an app of a thousand routes would hold a million names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AppComponents(Arc<BTreeSet<String>>);

impl AppComponents {
    pub(crate) fn new<'c>(ids: impl IntoIterator<Item = &'c ComponentId>) -> Self {
        let names = ids.into_iter().map(|id| id.as_str().to_ascii_lowercase());
        Self(Arc::new(names.collect()))
    }

    /// Returns whether a domain is the host name of one of them.
    fn include(&self, domain: &str) -> bool {
        service_chaining_target(domain).is_some_and(|id| self.0.contains(id))
    }
}

/// Returns the authority with which the components of an app reach the component `id`.
pub fn authority_of(id: &ComponentId) -> String {
    format!("{id}.{CHAINING_DOMAIN}")
}

/// Returns the component id in a host such as `items-slug.spin.internal`, or `None` if the host is outside that domain.
///
/// Does not check whether the component exists or may be reached.
pub fn service_chaining_target(host: &str) -> Option<&str> {
    let (id, domain) = host.split_once('.')?;
    domain.eq_ignore_ascii_case(CHAINING_DOMAIN).then_some(id)
}

#[cfg(test)]
mod tests;
