//! Writes a component again without its shim.

use wasm_encoder::reencode::{Error, Reencode, ReencodeComponent, component_utils, utils};
use wasm_encoder::{
    Alias, CanonicalFunctionSection, Component, ComponentAliasSection, InstanceSection,
    ModuleSection, RawSection, TableType,
};
use wasmparser::{CanonicalFunction, ComponentAlias, ExternalKind, Instance, Parser, Payload};

use crate::shape::{self, Shape};
use crate::{UnknownShape, fix_up, main_module};

/// Writes `component`, whose shape is `shape`, without its shim.
///
/// # Errors
///
/// When a part of it differs from the known shape in a way that shows only when it is rewritten.
pub(crate) fn encode(shape: &Shape<'_>, component: &[u8]) -> Result<Vec<u8>, UnknownShape> {
    let mut encoder = Encoder {
        shape,
        modules: 0,
        instances: 0,
        functions: 0,
    };
    let mut compacted = Component::new();
    match encoder.parse_component(&mut compacted, Parser::new(0), component) {
        Ok(()) => Ok(compacted.finish()),
        Err(Error::UserError(unknown)) => Err(unknown),
        Err(_) => Err(UnknownShape::Malformed),
    }
}

struct Encoder<'a> {
    shape: &'a Shape<'a>,
    /// The number of core modules read so far.
    modules: u32,
    /// The number of core instances read so far.
    instances: u32,
    /// The number of core functions read so far.
    functions: u32,
}

/// Returns whether a nested component refers to items outside itself, whose indices change.
fn has_outer_alias(component: &[u8]) -> Result<bool, Error<UnknownShape>> {
    for payload in Parser::new(0).parse_all(component) {
        if let Payload::ComponentAliasSection(aliases) = payload? {
            for alias in aliases {
                if matches!(alias?, ComponentAlias::Outer { .. }) {
                    return Ok(true);
                }
            }
        }
    }
    Ok(false)
}

/// Returns the type of a table with a new minimal length, and as much room to grow as before.
pub(crate) fn with_length<T: Reencode>(
    encoder: &mut T,
    table: wasmparser::TableType,
    length: u32,
) -> Result<TableType, Error<T::Error>> {
    let mut table = utils::table_type(encoder, table)?;
    let growth = table.maximum.map(|most| most.saturating_sub(table.minimum));
    table.minimum = length.into();
    table.maximum = growth.map(|growth| growth.saturating_add(length.into()));
    Ok(table)
}

/// Returns the index that an item has once the item `removed` is gone.
fn without(removed: u32, index: u32) -> u32 {
    index - u32::from(index > removed)
}

impl Reencode for Encoder<'_> {
    type Error = UnknownShape;

    fn function_index(&mut self, index: u32) -> Result<u32, Error<UnknownShape>> {
        let function = self.shape.functions.get(index as usize);
        function
            .and_then(|function| *function)
            .ok_or(Error::UserError(UnknownShape::Invalid))
    }
}

impl ReencodeComponent for Encoder<'_> {
    fn module_index(&mut self, index: u32) -> u32 {
        without(self.shape.shim.module, index)
    }

    fn instance_index(&mut self, index: u32) -> u32 {
        without(self.shape.shim.instance, index)
    }

    fn parse_component_submodule(
        &mut self,
        component: &mut Component,
        parser: Parser,
        module: &[u8],
    ) -> Result<(), Error<UnknownShape>> {
        let index = self.modules;
        self.modules += 1;
        if index == self.shape.main.module {
            let rewritten = main_module::rewrite(self.shape, parser, module)?;
            component.section(&ModuleSection(&rewritten));
        } else if index == self.shape.fix_up {
            let rewritten = fix_up::rewrite(self.shape, parser, module)?;
            component.section(&ModuleSection(&rewritten));
        } else if index != self.shape.shim.module {
            let (id, data) = (wasm_encoder::ComponentSectionId::CoreModule as u8, module);
            component.section(&RawSection { id, data });
        }
        Ok(())
    }

    fn parse_component_subcomponent(
        &mut self,
        component: &mut Component,
        _parser: Parser,
        data: &[u8],
        _whole: &[u8],
    ) -> Result<(), Error<UnknownShape>> {
        if has_outer_alias(data)? {
            return Err(Error::UserError(UnknownShape::OuterAlias));
        }
        let id = wasm_encoder::ComponentSectionId::Component as u8;
        component.section(&RawSection { id, data });
        Ok(())
    }

    /// Drops custom sections: a composition needs none, and the names in them would belong to other items.
    fn parse_component_custom_section(
        &mut self,
        _component: &mut Component,
        _section: wasmparser::CustomSectionReader<'_>,
    ) -> Result<(), Error<UnknownShape>> {
        Ok(())
    }

    fn parse_component_alias_section(
        &mut self,
        aliases: &mut ComponentAliasSection,
        section: wasmparser::ComponentAliasSectionReader<'_>,
    ) -> Result<(), Error<UnknownShape>> {
        let Shape { shim, main, .. } = self.shape;
        for alias in section {
            let alias = alias?;
            if let ComponentAlias::CoreInstanceExport {
                kind: ExternalKind::Func,
                ..
            } = alias
            {
                self.functions += 1;
            }
            match alias {
                ComponentAlias::CoreInstanceExport {
                    kind,
                    instance_index,
                    name,
                } if instance_index == shim.instance => {
                    if name == shape::TABLE {
                        let instance = self.instance_index(main.instance);
                        let kind = kind.into();
                        aliases.alias(Alias::CoreInstanceExport {
                            instance,
                            kind,
                            name,
                        });
                    }
                }
                alias => {
                    aliases.alias(self.component_alias(alias)?);
                }
            }
        }
        Ok(())
    }

    fn parse_component_canonical(
        &mut self,
        section: &mut CanonicalFunctionSection,
        function: CanonicalFunction,
    ) -> Result<(), Error<UnknownShape>> {
        if !matches!(function, CanonicalFunction::Lift { .. }) {
            let index = self.functions;
            self.functions += 1;
            if !self.shape.is_kept(ExternalKind::Func, index) {
                return Ok(());
            }
        }
        component_utils::parse_component_canonical(self, section, function)
    }

    fn parse_instance(
        &mut self,
        instances: &mut InstanceSection,
        instance: Instance<'_>,
    ) -> Result<(), Error<UnknownShape>> {
        let index = self.instances;
        self.instances += 1;
        match instance {
            _ if index == self.shape.shim.instance => {}
            Instance::FromExports(exports) if self.shape.arguments.contains(&index) => {
                let mut kept = Vec::new();
                for export in exports {
                    if self.shape.is_kept(export.kind, export.index) {
                        let kind = self.export_kind(export.kind)?;
                        let index = self.external_index(export.kind, export.index)?;
                        kept.push((export.name, kind, index));
                    }
                }
                instances.export_items(kept);
            }
            instance => component_utils::parse_instance(self, instances, instance)?,
        }
        Ok(())
    }
}
