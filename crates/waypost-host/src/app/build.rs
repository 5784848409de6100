//! Builds an app from its manifest, settings and options.

use crate::app::App;
use crate::app::cache::ResponseCache;
use crate::app::component::{Caching, LazyComponent};
use crate::app::native_router::{NativeRouter, RoutesError, Routing, Table};
use crate::compat::HostProfile;
use crate::engine::PoolSize;
use crate::instance::config::{InstanceConfig, Runtime};
use crate::instance::total_memory::RouteMemory;
use crate::observe::labels::Labels;
use crate::observe::metrics::Metrics;
use crate::options::HostOptions;
use crate::request::admission::Admission;
use crate::request::headers;
use crate::wasi::dispatch::Dispatch;
use crate::wasi::key_value::{Calls, StoreAccess, Stores};
use crate::wasi::logs::ComponentLog;
use crate::wasi::outgoing::OutgoingConfig;
use crate::wasi::permissions::Permissions;
use crate::wasi::upstream::Upstream;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};
use std::time::Duration;
use waypost_cache::internal::{CACHE_VARIABLE, DRAFT_SECRET};
use waypost_config::manifest::{Component, ResolvedComponent};
use waypost_config::outbound::authority_of;
use waypost_config::settings::{CacheRules, RouteLimits};
use waypost_config::{ComponentId, Manifest, Settings};
use waypost_router::TRUSTED_HEADERS;
use waypost_routing::Pattern;

/// How much longer than the slowest handler the router may take, so that the handler's own limit applies first.
const DISPATCH_MARGIN: Duration = Duration::from_secs(1);

/// What an app is built from.
pub(crate) struct Assembly {
    pub(crate) manifest: Manifest,
    pub(crate) settings: Settings,
    pub(crate) options: HostOptions,
    pub(crate) stores: Stores,
    /// The value that the cookie of draft mode must have.
    pub(crate) draft_secret: Arc<str>,
}

impl Assembly {
    /// Returns what the pool of instances is sized for.
    pub(crate) fn pool_size(&self) -> PoolSize {
        let memory = self.each_limits().map(|limits| limits.memory).max();
        PoolSize {
            concurrency: self.settings.limits.concurrency,
            components: self.manifest.components.len(),
            memory: memory.unwrap_or(self.settings.limits.memory),
            instance: self.options.instance_size,
        }
    }

    /// Builds the app. `resolved` is what depends on variables, and `runtime` makes what all components share.
    ///
    /// # Errors
    ///
    /// When the route table of the host's own router cannot be read.
    pub(crate) fn app(
        self,
        resolved: BTreeMap<ComponentId, ResolvedComponent>,
        runtime: impl FnOnce(Weak<dyn Dispatch>, Arc<Metrics>) -> Runtime,
    ) -> Result<Arc<App>, RoutesError> {
        let router = self.native_router(&resolved).cloned();
        let known: BTreeSet<String> = resolved.keys().map(ToString::to_string).collect();
        let table =
            router.map(|router| Table::read(&router.routes, &known).map(|table| (router, table)));
        let table = table.transpose()?;
        let metrics = Arc::new(Metrics::default());
        let (settings, cached) = (&self.settings.cache, self.options.cached);
        let cache = self
            .has_cache()
            .then(|| Arc::new(ResponseCache::new(settings, cached, self.patterns())));
        Ok(Arc::new_cyclic(|app: &Weak<App>| {
            let dispatch: Weak<dyn Dispatch> = Weak::<App>::clone(app);
            let runtime = Arc::new(runtime(dispatch, Arc::clone(&metrics)));
            let components = resolved.into_iter().filter_map(|(id, resolved)| {
                let component = self.component(&id, resolved, &runtime, cache.as_ref())?;
                Some((id, Arc::new(component)))
            });
            let components = components.collect();
            App {
                routing: table
                    .map(|(router, table)| Routing::new(router.component, table, &components)),
                components,
                cache: cache.clone(),
                metrics,
                runtime,
                widest: self.settings.widest(),
                admission: Admission::limited(self.settings.limits.concurrency),
                development: self.options.development,
                profile: self.options.profile,
                stores: self.stores.clone(),
                manifest: self.manifest,
                settings: self.settings,
            }
        }))
    }

    /// Returns the router that the host runs itself, if any. It reaches all routes, so it only replaces a component that may
    /// reach them.
    fn native_router(
        &self,
        resolved: &BTreeMap<ComponentId, ResolvedComponent>,
    ) -> Option<&NativeRouter> {
        let router = self.options.native_router.as_ref()?;
        let granted = &resolved.get(&router.component)?.allowed_hosts;
        let mut routes = self.options.patterns.keys();
        let reaches_all = routes.all(|id| granted.allows("http", &authority_of(id), None));
        (reaches_all && self.options.profile == HostProfile::Waypost).then_some(router)
    }

    /// Adds what the host alone knows to the environment of the router, unless the manifest sets it. Spin adds nothing.
    fn add_environment(&self, id: &ComponentId, environment: &mut BTreeMap<String, String>) {
        if self.options.profile == HostProfile::Waypost && self.manifest.is_public(id) {
            environment
                .entry(TRUSTED_HEADERS.to_owned())
                .or_insert_with(|| headers::TRUSTED.to_owned());
            let is_before_routes = !self.options.patterns.is_empty();
            if is_before_routes && !self.options.patterns.contains_key(id) {
                // So that it does not cache their responses too.
                environment
                    .entry(CACHE_VARIABLE.to_owned())
                    .or_insert_with(|| "1".to_owned());
            }
        }
    }

    /// Returns the patterns of all routes.
    fn patterns(&self) -> Vec<Pattern> {
        let patterns = self.options.patterns.values();
        patterns
            .filter_map(|pattern| Pattern::parse(pattern).ok())
            .collect()
    }

    /// Returns how the responses of a route are cached, or `None` if the host has no cache, or the component no route.
    fn cache_rules(&self, id: &ComponentId) -> Option<CacheRules> {
        let pattern = self.options.patterns.get(id)?;
        let rules = self.settings.cache_rules(pattern)?;
        self.has_cache().then_some(rules)
    }

    /// Returns whether the host has a cache. Spin has none.
    fn has_cache(&self) -> bool {
        self.options.profile == HostProfile::Waypost
    }

    /// Returns the secret of draft mode for a route, unless the manifest sets it. Spin sets nothing.
    fn draft_secret(&self, id: &ComponentId, declared: &Component) -> Option<Arc<str>> {
        let is_told = self.options.profile == HostProfile::Waypost
            && self.options.patterns.contains_key(id)
            && !declared.environment.contains_key(DRAFT_SECRET);
        is_told.then(|| Arc::clone(&self.draft_secret))
    }

    fn component(
        &self,
        id: &ComponentId,
        resolved: ResolvedComponent,
        runtime: &Arc<Runtime>,
        cache: Option<&Arc<ResponseCache>>,
    ) -> Option<LazyComponent> {
        let declared = self.manifest.components.get(id)?;
        let pattern = self.options.patterns.get(id);
        let labels = Arc::new(Labels {
            route: pattern.cloned().unwrap_or_else(|| id.to_string()),
            component: id.clone(),
        });
        let limits = self.limits(id);
        let key_value = StoreAccess {
            stores: self.stores.clone(),
            granted: declared.key_value_stores.clone(),
            calls: Calls::new(limits.store_calls, self.settings.limits.stores.value),
            metrics: Arc::clone(&runtime.metrics),
        };
        let permissions = self.permissions(id, declared, resolved, key_value);
        let (limits, admission) = match permissions.forwards {
            true => (self.router_limits(limits), Admission::unlimited()),
            false => {
                let admission = Admission::limited(limits.concurrency);
                (limits, admission)
            }
        };
        let permissions = Arc::new(permissions);
        let log = ComponentLog::new(
            Arc::clone(&labels),
            Arc::clone(&runtime.metrics),
            limits.log_rate,
        );
        let log = Arc::new(log);
        let outgoing = OutgoingConfig {
            dispatch: Weak::clone(&runtime.dispatch),
            permissions: Arc::clone(&permissions),
            labels: Arc::clone(&labels),
            log: Arc::clone(&log),
            limits: limits.clone(),
            metrics: Arc::clone(&runtime.metrics),
            upstream: Upstream::new(&runtime.connections),
        };
        let caching = self.cache_rules(id).zip(cache.cloned());
        let caching = caching.map(|(rules, cache)| Caching { rules, cache });
        let config = InstanceConfig {
            log,
            labels,
            permissions,
            limits,
            profile: self.options.profile,
            outgoing: Arc::new(outgoing),
            draft_secret: self.draft_secret(id, declared),
            is_told_of_cache: caching.is_some(),
            data: None,
            files: Arc::new(runtime.files.share()),
            memory: Arc::new(RouteMemory::new(Arc::clone(&runtime.memory))),
        };
        let source = declared.source.clone();
        Some(LazyComponent::new(
            config,
            source,
            caching,
            admission,
            Arc::clone(runtime),
        ))
    }

    fn permissions(
        &self,
        id: &ComponentId,
        declared: &Component,
        resolved: ResolvedComponent,
        key_value: StoreAccess,
    ) -> Permissions {
        let mut permissions = Permissions {
            environment: declared.environment.clone(),
            app_root: self.options.app_root.clone(),
            files: declared.files.clone(),
            key_value: Arc::new(key_value),
            variables: resolved.variables,
            allowed_hosts: resolved.allowed_hosts,
            forwards: false,
        };
        self.add_environment(id, &mut permissions.environment);
        permissions.forwards = self.is_router(id, &permissions);
        permissions
    }

    /// Returns whether a component is the app's router: clients reach it, it has no route of its own, and it may ask others.
    fn is_router(&self, id: &ComponentId, permissions: &Permissions) -> bool {
        let mut others = self.manifest.components.keys();
        self.manifest.is_public(id)
            && !self.options.patterns.contains_key(id)
            && others.any(|other| permissions.allow_component(other))
    }

    /// Returns the limits of the router. The app's limits bound its requests, and those of the route that each reaches.
    fn router_limits(&self, mut limits: RouteLimits) -> RouteLimits {
        limits.request_body = None;
        limits.widen(&self.settings.widest());
        let slowest = self.each_limits().map(|limits| limits.max_duration).max();
        limits.max_duration = slowest.unwrap_or_default() + DISPATCH_MARGIN;
        limits
    }

    fn each_limits(&self) -> impl Iterator<Item = RouteLimits> {
        self.manifest.components.keys().map(|id| self.limits(id))
    }

    fn limits(&self, id: &ComponentId) -> RouteLimits {
        let pattern = self.options.patterns.get(id).map_or("", String::as_str);
        self.settings.route_limits(pattern)
    }
}
