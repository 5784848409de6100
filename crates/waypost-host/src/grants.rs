//! What one component may use: the capabilities that its manifest entry names, and nothing else.

use crate::client::ClientInput;
use crate::context::CurrentRequest;
use crate::key_value::KeyValue;
use crate::logs::{LogBudget, LogStream};
use crate::manner::Manner;
use crate::metrics::{Classes, Metrics};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder};
use waypost_config::ComponentId;
use waypost_config::manifest::{Component as ManifestComponent, FileMount, ResolvedComponent};
use waypost_config::outbound::{AllowedHosts, authority_of};
use waypost_config::settings::RouteLimits;
use waypost_config::variables::VariableValue;

/// A component's entry in the manifest, variables filled in, and its limits.
pub(crate) struct Grants {
    pub(crate) id: ComponentId,
    /// Pattern of its route where that is known, else its id: the name in the log.
    pub(crate) name: String,
    pub(crate) source: PathBuf,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) files: Vec<FileMount>,
    pub(crate) key_value_stores: BTreeSet<String>,
    pub(crate) variables: BTreeMap<String, VariableValue>,
    pub(crate) allowed_hosts: AllowedHosts,
    pub(crate) limits: RouteLimits,
    pub(crate) key_value: KeyValue,
    pub(crate) log_budget: LogBudget,
    pub(crate) manner: Manner,
    /// Whether it is the app's router, which hands on what clients ask.
    pub(crate) is_router: bool,
    /// What the component answered.
    pub(crate) answers: Classes,
    /// The counts of the whole app.
    pub(crate) metrics: Arc<Metrics>,
}

impl Grants {
    /// Joins what the manifest says of a component with its limits.
    pub(crate) fn new(
        id: ComponentId,
        name: String,
        component: &ManifestComponent,
        resolved: ResolvedComponent,
        limits: RouteLimits,
        key_value: KeyValue,
    ) -> Self {
        Self {
            id,
            name,
            source: component.source.clone(),
            environment: component.environment.clone(),
            files: component.files.clone(),
            key_value_stores: component.key_value_stores.clone(),
            variables: resolved.variables,
            allowed_hosts: resolved.allowed_hosts,
            log_budget: LogBudget::new(limits.log_rate),
            limits,
            key_value,
            manner: Manner::default(),
            is_router: false,
            answers: Classes::default(),
            metrics: Arc::default(),
        }
    }

    /// Tells whether the component hands requests on to others of the app.
    ///
    /// Such a component is bounded by the app's limit alone: each of its requests is also counted at the
    /// route that it reaches.
    pub(crate) fn is_dispatcher<'a>(
        &self,
        others: impl IntoIterator<Item = &'a ComponentId>,
    ) -> bool {
        others
            .into_iter()
            .any(|id| self.allowed_hosts.allows("http", &authority_of(id), None))
    }

    /// Builds the WASI side of an instance.
    ///
    /// # Errors
    ///
    /// When a mounted folder cannot be opened.
    pub(crate) fn wasi(
        self: &Arc<Self>,
        current: &Arc<CurrentRequest>,
    ) -> wasmtime::Result<WasiCtx> {
        let mut builder = WasiCtxBuilder::new();
        for (name, value) in &self.environment {
            builder.env(name, value);
        }
        for mount in &self.files {
            builder.preopened_dir(&mount.source, &mount.destination, FsPerms::ReadOnly)?;
        }
        if self.manner == Manner::Waypost {
            builder.stdin(ClientInput::new(Arc::clone(current)));
        }
        builder
            .stdout(LogStream::stdout(Arc::clone(self), Arc::clone(current)))
            .stderr(LogStream::stderr(Arc::clone(self), Arc::clone(current)));
        Ok(builder.build())
    }
}
