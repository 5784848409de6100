//! [`CachedRoute`]: how the responses of one version of a component are cached.

use crate::instance::load::Binary;
use crate::observe::labels::Labels;
use crate::request::admission::Admission;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use waypost_cache::Policy;
use waypost_cache::key::RouteId;
use waypost_cache::life::PathSpace;
use waypost_config::settings::CacheRules;
use waypost_routing::Pattern;

/// How many responses of a route may be refreshed at once in the background.
const REFRESHES: usize = 4;

/// How the responses of one version of a component are cached.
pub(crate) struct CachedRoute {
    pub(super) policy: Policy,
    pub(super) pattern: Pattern,
    pub(super) paths: PathSpace,
    /// Whether the component answers HEAD by code of its own.
    pub(super) has_head: bool,
    /// Limits the refreshes in the background.
    pub(super) refreshes: Admission,
    component: String,
    digest: [u8; 32],
    has_warned: AtomicBool,
}

impl CachedRoute {
    /// Returns how the responses of a component are cached, or `None` if they are not. A policy that is not valid is logged,
    /// and the responses are not cached.
    pub(crate) fn of(rules: &CacheRules, binary: &Binary, labels: &Labels) -> Option<Arc<Self>> {
        let description = binary.description();
        let field = |name| description.as_ref().and_then(|found| found.get(name));
        let policy = rules.policy(field("cache")).unwrap_or_else(|errors| {
            let Labels { route, component } = labels;
            for error in errors {
                tracing::error!(route, %component, "the route is not cached, because its cache policy is not valid: {error}");
            }
            None
        })?;
        let is_head = |method: &Value| method.as_str() == Some("HEAD");
        let methods = field("methods").and_then(Value::as_array);
        let pattern = rules.pattern().clone();
        Some(Arc::new(Self {
            policy,
            paths: PathSpace::of(&pattern),
            pattern,
            has_head: methods.is_some_and(|methods| methods.iter().any(is_head)),
            refreshes: Admission::limited(REFRESHES),
            component: labels.component.to_string(),
            digest: *binary.digest().as_bytes(),
            has_warned: AtomicBool::new(false),
        }))
    }

    /// Returns the part of a key that stands for this version.
    pub(super) fn id(&self) -> RouteId<'_> {
        RouteId {
            id: &self.component,
            digest: &self.digest,
        }
    }

    /// Returns `true` at the first call: a fault of every response is logged once.
    pub(super) fn is_first_warning(&self) -> bool {
        !self.has_warned.swap(true, Ordering::Relaxed)
    }
}
