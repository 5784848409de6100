//! The core items of a component: modules, instances and functions, in their index spaces.

use wasmparser::{
    CanonicalFunction, ComponentAlias, Encoding, ExternalKind, Instance, Parser, Payload,
};

use crate::UnknownShape;
use crate::shape::TABLE;

/// An argument of a core instance: the name of the module that it imports from, and the index of the instance that provides
/// the items.
pub(crate) type Argument<'a> = (&'a str, u32);

/// The indices of a core module and of its only instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ModuleInstance {
    pub(crate) module: u32,
    pub(crate) instance: u32,
}

/// How a core function is defined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin<'a> {
    /// An alias of the export of an instance, by its name.
    Export(u32, &'a str),
    /// A lowered function of the component.
    Lower,
    /// A built-in function of the component model.
    BuiltIn,
}

impl Origin<'_> {
    /// Returns whether the function is an export of this instance.
    pub(crate) fn is_of(&self, item: ModuleInstance) -> bool {
        matches!(self, Origin::Export(instance, _) if *instance == item.instance)
    }
}

/// The core items of a component.
#[derive(Default)]
pub(crate) struct CoreItems<'a> {
    modules: Vec<&'a [u8]>,
    instances: Vec<Instance<'a>>,
    pub(crate) functions: Vec<Origin<'a>>,
    /// The instance that exports the table of the shim.
    pub(crate) table: Option<u32>,
    /// The number of instances that precede the alias of that table.
    pub(crate) instances_before_table: u32,
}

impl<'a> CoreItems<'a> {
    /// Reads the items of a component, but not of those nested in it.
    pub(crate) fn read(component: &'a [u8]) -> Result<CoreItems<'a>, UnknownShape> {
        let mut items = CoreItems::default();
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(component) {
            match payload.map_err(|_| UnknownShape::Malformed)? {
                Payload::Version { encoding, .. }
                    if depth == 0 && encoding != Encoding::Component =>
                {
                    return Err(UnknownShape::Malformed);
                }
                Payload::ModuleSection {
                    unchecked_range: range,
                    ..
                } => {
                    if depth == 0 {
                        let start = usize::try_from(range.start).ok();
                        let end = usize::try_from(range.end).ok();
                        let module = start
                            .zip(end)
                            .and_then(|(start, end)| component.get(start..end));
                        items.modules.push(module.ok_or(UnknownShape::Malformed)?);
                    }
                    depth += 1;
                }
                Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                payload if depth == 0 => items.add(payload)?,
                _ => {}
            }
        }
        Ok(items)
    }

    fn add(&mut self, payload: Payload<'a>) -> Result<(), UnknownShape> {
        let malformed = |_| UnknownShape::Malformed;
        match payload {
            Payload::InstanceSection(section) => {
                for instance in section {
                    self.instances.push(instance.map_err(malformed)?);
                }
            }
            Payload::ComponentCanonicalSection(section) => {
                for function in section {
                    match function.map_err(malformed)? {
                        CanonicalFunction::Lift { .. } => {}
                        CanonicalFunction::Lower { .. } => self.functions.push(Origin::Lower),
                        _ => self.functions.push(Origin::BuiltIn),
                    }
                }
            }
            Payload::ComponentAliasSection(section) => {
                for alias in section {
                    self.add_alias(alias.map_err(malformed)?)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn add_alias(&mut self, alias: ComponentAlias<'a>) -> Result<(), UnknownShape> {
        let ComponentAlias::CoreInstanceExport {
            kind,
            instance_index,
            name,
        } = alias
        else {
            return Ok(());
        };
        match kind {
            ExternalKind::Func => self.functions.push(Origin::Export(instance_index, name)),
            ExternalKind::Table if name == TABLE => {
                let before = u32::try_from(self.instances.len());
                self.instances_before_table = before.map_err(|_| UnknownShape::Malformed)?;
                if self.table.replace(instance_index).is_some() {
                    return Err(UnknownShape::NoShim);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Returns the bytes of a module.
    pub(crate) fn module(&self, index: u32) -> Option<&'a [u8]> {
        self.modules.get(index as usize).copied()
    }

    /// Returns the module of an instance, or `None` if the module has other instances too.
    pub(crate) fn module_instance(&self, instance: u32) -> Option<ModuleInstance> {
        let Instance::Instantiate {
            module_index: module,
            ..
        } = self.instances.get(instance as usize)?
        else {
            return None;
        };
        let is_of_it = |instance: &&Instance<'_>| matches!(instance, Instance::Instantiate { module_index, .. } if module_index == module);
        let is_only = self.instances.iter().filter(is_of_it).count() == 1;
        is_only.then_some(ModuleInstance {
            module: *module,
            instance,
        })
    }

    /// Returns the exports of an instance that is defined by them, or `None` if it is an instance of a module.
    pub(crate) fn exports(&self, instance: u32) -> Option<&[wasmparser::Export<'a>]> {
        match self.instances.get(instance as usize)? {
            Instance::FromExports(exports) => Some(exports),
            Instance::Instantiate { .. } => None,
        }
    }

    /// Returns the instances whose arguments have a matching export, each with its index and its arguments.
    pub(crate) fn importing(
        &self,
        is_match: impl Fn(&wasmparser::Export<'a>) -> bool,
    ) -> Vec<(u32, Vec<Argument<'a>>)> {
        let matches = |(_, argument): &Argument<'_>| {
            let exports = self.exports(*argument).unwrap_or_default();
            exports.iter().any(&is_match)
        };
        let instances = (0..).zip(&self.instances);
        instances
            .map(|(index, instance)| (index, arguments(instance)))
            .filter(|(_, arguments)| arguments.iter().any(matches))
            .collect()
    }

    /// Returns how many exports of instances a core function is.
    pub(crate) fn uses(&self, function: u32) -> usize {
        let instances = (0..).zip(&self.instances);
        instances
            .filter_map(|(index, _)| self.exports(index))
            .flatten()
            .filter(|export| export.kind == ExternalKind::Func && export.index == function)
            .count()
    }
}

fn arguments<'a>(instance: &Instance<'a>) -> Vec<Argument<'a>> {
    match instance {
        Instance::Instantiate { args, .. } => {
            args.iter().map(|arg| (arg.name, arg.index)).collect()
        }
        Instance::FromExports(_) => Vec::new(),
    }
}
