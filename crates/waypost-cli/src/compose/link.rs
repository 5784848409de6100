//! Linking: connects the imports of each part with the exports of another.

use std::collections::BTreeMap;

use anyhow::Context as _;
use wac_graph::types::Package;
use wac_graph::{CompositionGraph, EncodeOptions, NodeId, PackageId};
use waypost_compact::{Options, UnknownShape, compact};

use super::uncompacted::Uncompacted;
use super::{Part, cli_stub, imports};
use crate::abi::Abi;
use crate::anatomy::Anatomy;
use crate::component_id::ROUTER;
use crate::environment::Environment;

/// Links the router with its handlers, and all of them with the stub. Imports that no part exports are left to the host.
///
/// # Errors
///
/// When a part is malformed, or the parts don't fit together.
pub(super) fn link(abi: Abi, router: Vec<u8>, handlers: Vec<Part>) -> anyhow::Result<Linked> {
    let mut linker = Linker::default();
    let none = Environment::new();
    let (package, router) = linker.add("waypost:router", ROUTER, router, &none)?;
    for handler in handlers {
        let id = handler.id;
        let (package, instance) = linker
            .add(
                &format!("app:{id}"),
                &id,
                handler.component,
                &handler.environment,
            )
            .with_context(|| format!("the component of `{id}` is malformed"))?;
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
        // The host makes one between the router and its handlers.
        adapters: linker.adapters + 1,
        uncompacted: linker.uncompacted,
    })
}

/// All parts as one component.
pub(super) struct Linked {
    pub(super) component: Vec<u8>,
    /// The number of adapter modules that a host adds between the parts.
    pub(super) adapters: usize,
    /// The parts that were linked as they are.
    pub(super) uncompacted: Vec<Uncompacted>,
}

#[derive(Default)]
struct Linker {
    graph: CompositionGraph,
    stubs: BTreeMap<(String, Environment), NodeId>,
    /// The number of adapter modules that the host adds between the stub and the parts: one for each part that calls the
    /// stub, and another one if the part has to import it before its memory exists.
    adapters: usize,
    uncompacted: Vec<Uncompacted>,
}

impl Linker {
    /// Adds an instance of a part, and connects its imports with the stub.
    fn add(
        &mut self,
        package: &str,
        part: &str,
        component: Vec<u8>,
        environment: &Environment,
    ) -> anyhow::Result<(PackageId, NodeId)> {
        let (package, instance) = match self.compacted(package, &component, environment) {
            Ok(added) => added,
            Err(reason) => {
                self.adapters += 2;
                let anatomy = Anatomy::parse(&component)?;
                self.uncompacted
                    .push(Uncompacted::new(part, reason, &anatomy));
                self.instantiate(package, component)?
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

    /// Adds an instance of the component in its compact form.
    fn compacted(
        &mut self,
        package: &str,
        component: &[u8],
        environment: &Environment,
    ) -> Result<(PackageId, NodeId), UnknownShape> {
        let options = Options {
            is_stubbed: &|import| cli_stub::version_for(import).is_some(),
            has_environment: !environment.is_empty(),
        };
        let compacted = compact(component, options)?;
        let added = self.instantiate(package, compacted.component);
        let added = added.map_err(|_| UnknownShape::Invalid)?;
        self.adapters += usize::from(compacted.calls_stub);
        Ok(added)
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

    /// Returns the stub for a version and an environment. Parts share it, because it has no other state.
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

    /// Returns the name of the interface that handles requests.
    fn handler_name(&self, abi: Abi, package: PackageId) -> anyhow::Result<String> {
        let world = &self.graph.types()[self.graph[package].ty()];
        let name = world.exports.keys().find(|name| abi.is_handler(name));
        name.cloned()
            .with_context(|| format!("a component does not export a handler of {abi}"))
    }
}

#[cfg(test)]
mod tests {
    use wit_component::ComponentEncoder;

    use super::*;

    /// A core module with the metadata of its world, as a compiler makes it: it imports functions with strings, and has one
    /// memory and one table.
    const PROGRAM: &[u8] = include_bytes!("link/program.wasm");

    #[test]
    fn wit_component_makes_the_known_shape() {
        let encoder = ComponentEncoder::default().module(PROGRAM).unwrap();
        let component = encoder.validate(true).encode().unwrap();
        let options = Options {
            is_stubbed: &|_| false,
            has_environment: false,
        };
        if let Err(unknown) = compact(&component, options) {
            panic!(
                "the `wit-component` in `Cargo.lock` makes components of a shape that `waypost-compact` does not know: \
                 {unknown}. Until its `src/shape.rs` and the table in its `README.md` follow, `waypost compose` links every \
                 part as it is: one core instance and one table more for each route. `wasm-tools print` shows the component: \
                 compare it with that table"
            );
        }
    }
}
