//! Linking: which part gets what from which other.

use std::collections::BTreeMap;

use anyhow::Context as _;
use wac_graph::types::Package;
use wac_graph::{CompositionGraph, EncodeOptions, NodeId, PackageId};

use super::{Part, cli_stub, compact, imports};
use crate::abi::Abi;
use crate::environment::Environment;

/// Links the router with its handlers, and all of them with the stub. What nobody meets is left to the host.
///
/// # Errors
///
/// When a part is broken, or parts don't fit.
pub(super) fn link(abi: Abi, router: Vec<u8>, handlers: Vec<Part>) -> anyhow::Result<Linked> {
    let mut linker = Linker::default();
    let (package, router) = linker.add("waypost:router", router, &Environment::new())?;
    for handler in handlers {
        let id = handler.id;
        let (package, instance) = linker
            .add(
                &format!("app:{id}"),
                handler.component,
                &handler.environment,
            )
            .with_context(|| format!("the component of `{id}` is broken"))?;
        let handle = linker.handler(abi, package, instance)?;
        linker
            .graph
            .set_instantiation_argument(router, &imports::name(&id), handle)
            .with_context(|| format!("the router does not fit the component of `{id}`"))?;
    }
    let handle = linker.handler(abi, package, router)?;
    let name = linker.handler_name(abi, package)?;
    linker.graph.export(handle, name)?;
    Ok(Linked {
        component: linker.graph.encode(EncodeOptions::default())?,
        // One is between the router and its handlers.
        adapters: linker.adapters + 1,
    })
}

/// All parts as one component.
pub(super) struct Linked {
    pub(super) component: Vec<u8>,
    /// How many modules a host makes more, between the parts.
    pub(super) adapters: usize,
}

#[derive(Default)]
struct Linker {
    graph: CompositionGraph,
    stubs: BTreeMap<(String, Environment), NodeId>,
    /// How many modules the host makes between the stub and the parts: one for each that calls it, and one more where
    /// that is before the memory of the part is there.
    adapters: usize,
}

impl Linker {
    /// Adds an instance of a component, and gives it what the stub has of its imports.
    fn add(
        &mut self,
        name: &str,
        component: Vec<u8>,
        environment: &Environment,
    ) -> anyhow::Result<(PackageId, NodeId)> {
        let (package, instance) = match self.compacted(name, &component, environment) {
            Some(part) => part,
            None => {
                self.adapters += 2;
                self.instantiate(name, component)?
            }
        };
        let world = &self.graph.types()[self.graph[package].ty()];
        let imports: Vec<String> = world.imports.keys().cloned().collect();
        for import in imports {
            if let Some(version) = cli_stub::version_for(&import) {
                let none = Environment::new();
                let environment = match cli_stub::is_environment(&import) {
                    true => environment,
                    false => &none,
                };
                let stub = self.stub(version, environment)?;
                let export = self.graph.alias_instance_export(stub, &import)?;
                self.graph
                    .set_instantiation_argument(instance, &import, export)?;
            }
        }
        Ok((package, instance))
    }

    /// The same as `instantiate`, of the component in compact form, if it has one.
    fn compacted(
        &mut self,
        name: &str,
        component: &[u8],
        environment: &Environment,
    ) -> Option<(PackageId, NodeId)> {
        let compacted = compact::compact(component, !environment.is_empty())?;
        let part = self.instantiate(name, compacted.component).ok()?;
        self.adapters += usize::from(compacted.asks_stub);
        Some(part)
    }

    fn instantiate(
        &mut self,
        name: &str,
        component: Vec<u8>,
    ) -> anyhow::Result<(PackageId, NodeId)> {
        let package = Package::from_bytes(name, None, component, self.graph.types_mut())?;
        let package = self.graph.register_package(package)?;
        Ok((package, self.graph.instantiate(package)))
    }

    /// The stub for a version and an environment; parts share it, as it holds nothing else.
    fn stub(&mut self, version: &str, environment: &Environment) -> anyhow::Result<NodeId> {
        let key = (version.to_owned(), environment.clone());
        if let Some(stub) = self.stubs.get(&key) {
            return Ok(*stub);
        }
        let name = format!("waypost:stub{}", self.stubs.len());
        let (_, stub) = self.instantiate(&name, cli_stub::component(version, environment)?)?;
        self.stubs.insert(key, stub);
        Ok(stub)
    }

    fn handler(
        &mut self,
        abi: Abi,
        package: PackageId,
        instance: NodeId,
    ) -> anyhow::Result<NodeId> {
        let name = self.handler_name(abi, package)?;
        Ok(self.graph.alias_instance_export(instance, &name)?)
    }

    /// The name of the interface by which a component answers requests.
    fn handler_name(&self, abi: Abi, package: PackageId) -> anyhow::Result<String> {
        let world = &self.graph.types()[self.graph[package].ty()];
        let name = world.exports.keys().find(|name| abi.is_handler(name));
        name.cloned()
            .with_context(|| format!("a component exports no handler of {abi}"))
    }
}
