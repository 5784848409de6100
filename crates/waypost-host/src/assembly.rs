//! From what a manifest and settings say to an app that can run.

use crate::admission::Admission;
use crate::app::App;
use crate::component::{LazyComponent, Runtime};
use crate::engine::PoolSize;
use crate::error::HostError;
use crate::grants::Grants;
use crate::headers::VOUCHED_FOR;
use crate::host::HostOptions;
use crate::key_value::KeyValue;
use crate::manner::Manner;
use crate::metrics::Metrics;
use crate::native_router::{NativeRouter, Routing, Table};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};
use std::time::Duration;
use waypost_config::manifest::ResolvedComponent;
use waypost_config::outbound::authority_of;
use waypost_config::settings::RouteLimits;
use waypost_config::{ComponentId, Manifest, Settings};
use waypost_router::TRUSTED_HEADERS;

/// How much longer than the slowest handler a dispatcher may take, so that the handler's own limit is met first.
const DISPATCH_MARGIN: Duration = Duration::from_secs(1);

/// Environment variable with the secret of draft mode.
const DRAFT_SECRET: &str = "WAYPOST_DRAFT_SECRET";

/// The parts of an app.
pub(crate) struct Assembly {
    pub(crate) manifest: Manifest,
    pub(crate) settings: Settings,
    pub(crate) options: HostOptions,
    /// What the cookie of draft mode has to hold.
    pub(crate) draft_secret: String,
}

impl Assembly {
    /// What the pool of instances has to hold.
    pub(crate) fn pool_size(&self) -> PoolSize {
        let memory = self.each_limits().map(|limits| limits.memory).max();
        PoolSize {
            concurrency: self.settings.limits.concurrency,
            components: self.manifest.components.len(),
            memory: memory.unwrap_or(self.settings.limits.memory),
            instance: self.options.instance_size,
        }
    }

    /// Puts the app together; `resolved` is what depends on variables.
    ///
    /// # Errors
    ///
    /// When the table of routes of the host's own router cannot be read.
    pub(crate) fn app(
        self,
        resolved: BTreeMap<ComponentId, ResolvedComponent>,
        runtime: &Arc<Runtime>,
    ) -> Result<Arc<App>, HostError> {
        let file = self.options.state_dir.join("key_value.redb");
        let key_value = KeyValue::new(&self.options.key_value, file);
        let router = self.native_router(&resolved).cloned();
        let known: BTreeSet<String> = resolved.keys().map(ToString::to_string).collect();
        let table =
            router.map(|router| Table::read(&router.routes, &known).map(|table| (router, table)));
        let table = table.transpose()?;
        let metrics = Arc::new(Metrics::default());
        Ok(Arc::new_cyclic(|app| {
            let components = resolved.into_iter().filter_map(|(id, resolved)| {
                let mut grants = self.grants(&id, resolved, &key_value)?;
                grants.metrics = Arc::clone(&metrics);
                let component = self.component(grants, Arc::clone(runtime), Weak::clone(app));
                Some((id, Arc::new(component)))
            });
            let components = components.collect();
            App {
                routing: table
                    .map(|(router, table)| Routing::new(router.component, table, &components)),
                components,
                metrics,
                widest: self.settings.widest(),
                admission: Admission::limited(self.settings.limits.concurrency),
                development: self.options.development,
                manner: self.options.manner,
                manifest: self.manifest,
                settings: self.settings,
            }
        }))
    }

    /// The router that the host runs itself. It reaches all routes, so it stands only for one that may.
    fn native_router(
        &self,
        resolved: &BTreeMap<ComponentId, ResolvedComponent>,
    ) -> Option<&NativeRouter> {
        let router = self.options.native_router.as_ref()?;
        let granted = &resolved.get(&router.component)?.allowed_hosts;
        let mut routes = self.options.patterns.keys();
        let reaches_all = routes.all(|id| granted.allows("http", &authority_of(id), None));
        (reaches_all && self.options.manner == Manner::Waypost).then_some(router)
    }

    /// Tells a component what the host alone knows, unless the manifest says otherwise. Spin tells nothing.
    fn tell(&self, id: &ComponentId, environment: &mut BTreeMap<String, String>) {
        if self.options.manner == Manner::Spin {
            return;
        }
        let mut set = |name: &str, value: &str| {
            environment
                .entry(name.to_owned())
                .or_insert_with(|| value.to_owned());
        };
        if self.options.patterns.contains_key(id) {
            set(DRAFT_SECRET, &self.draft_secret);
        }
        if self.manifest.is_public(id) {
            set(TRUSTED_HEADERS, VOUCHED_FOR);
        }
    }

    fn grants(
        &self,
        id: &ComponentId,
        resolved: ResolvedComponent,
        key_value: &KeyValue,
    ) -> Option<Grants> {
        let mut declared = self.manifest.components.get(id)?.clone();
        self.tell(id, &mut declared.environment);
        let pattern = self.options.patterns.get(id);
        let name = pattern.cloned().unwrap_or_else(|| id.to_string());
        let limits = self.limits(id);
        let key_value = key_value.clone();
        let mut grants = Grants::new(id.clone(), name, &declared, resolved, limits, key_value);
        grants.manner = self.options.manner;
        Some(grants)
    }

    /// A component that dispatches to others is bounded by the app alone: each of its requests is bounded
    /// again, by the route that it reaches.
    fn component(
        &self,
        mut grants: Grants,
        runtime: Arc<Runtime>,
        app: Weak<App>,
    ) -> LazyComponent {
        let mut admission = Admission::limited(grants.limits.concurrency);
        if self.is_router(&grants) {
            admission = Admission::unlimited();
            grants.is_router = true;
            grants.limits.request_body = None;
            grants.limits.widen(&self.settings.widest());
            let slowest = self.each_limits().map(|limits| limits.max_duration).max();
            grants.limits.max_duration = slowest.unwrap_or_default() + DISPATCH_MARGIN;
        }
        LazyComponent::new(grants, admission, runtime, app)
    }

    /// A component that clients reach, that has no route of its own, and that may ask the others.
    fn is_router(&self, grants: &Grants) -> bool {
        self.manifest.is_public(&grants.id)
            && !self.options.patterns.contains_key(&grants.id)
            && grants.is_dispatcher(self.manifest.components.keys())
    }

    fn each_limits(&self) -> impl Iterator<Item = RouteLimits> {
        self.manifest.components.keys().map(|id| self.limits(id))
    }

    fn limits(&self, id: &ComponentId) -> RouteLimits {
        let pattern = self.options.patterns.get(id).map_or("", String::as_str);
        self.settings.route_limits(pattern)
    }
}
