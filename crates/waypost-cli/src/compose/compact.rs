//! Compaction: fewer core instances for each part of a composition.
//!
//! A component that `wit-component` made, as every one of Rust is, has three core modules: the code, a shim and a
//! fix-up. The shim is a table, and a function for each slot of it that calls what is in there: the code imports
//! these functions, as those of the host need its memory and can't be there before it. The fix-up then puts them
//! into the table. Here the code gets the slots and the functions (`code`), so that the shim goes: an instance of a
//! composition would have one for each route, and a host has to make each.
//!
//! What the stub always answers alike, the code answers itself (`answer`): between the stub and whoever asks it, a host
//! makes one more module.

mod answer;
mod code;
mod fix_up;
mod shape;

use wasm_encoder::reencode::{Error, Reencode, ReencodeComponent, component_utils, utils};
use wasm_encoder::{
    Alias, CanonicalFunctionSection, Component, ComponentAliasSection, InstanceSection,
    ModuleSection, RawSection, TableType,
};
use wasmparser::{
    CanonicalFunction, ComponentAlias, ExternalKind, Instance, Parser, Payload, Validator,
    WasmFeatures,
};

use shape::Shape;

/// Why a component stays as it is: it does not have the shape that this module knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the component is not of `wit-component`'s making")]
struct Foreign;

/// A component that does the same as another with fewer core instances.
pub(super) struct Compacted {
    pub(super) component: Vec<u8>,
    /// Whether it still calls functions of the stub.
    pub(super) asks_stub: bool,
}

/// Makes a component compact; gives nothing where it does not know how. One with an environment has the stub tell it.
pub(super) fn compact(component: &[u8], has_environment: bool) -> Option<Compacted> {
    let shape = Shape::of(component, has_environment)?;
    let mut encoder = Encoder {
        shape: &shape,
        modules: 0,
        instances: 0,
        functions: 0,
    };
    let mut compacted = Component::new();
    encoder
        .parse_component(&mut compacted, Parser::new(0), component)
        .ok()?;
    let component = compacted.finish();
    // Where the code is not what it says of itself.
    Validator::new_with_features(WasmFeatures::all())
        .validate_all(&component)
        .ok()?;
    Some(Compacted {
        component,
        asks_stub: shape.asks_stub,
    })
}

/// Writes a component again, without its shim.
struct Encoder<'a> {
    shape: &'a Shape<'a>,
    /// How many core modules it has seen.
    modules: u32,
    /// How many core instances it has seen.
    instances: u32,
    /// How many core functions it has seen.
    functions: u32,
}

/// Tells whether a nested component takes something from around it, where indices change.
fn has_outer_alias(component: &[u8]) -> Result<bool, Error<Foreign>> {
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

/// Gives a table another length.
fn as_long_as<T: Reencode>(
    encoder: &mut T,
    table: wasmparser::TableType,
    length: u32,
) -> Result<TableType, Error<T::Error>> {
    let mut table = utils::table_type(encoder, table)?;
    let rest = table.maximum.map(|most| most.saturating_sub(table.minimum));
    table.minimum = length.into();
    table.maximum = rest.map(|rest| rest.saturating_add(length.into()));
    Ok(table)
}

/// Counts how far an index moves up when `gone` goes.
fn without(gone: u32, index: u32) -> u32 {
    index - u32::from(index > gone)
}

impl Reencode for Encoder<'_> {
    type Error = Foreign;

    fn function_index(&mut self, index: u32) -> Result<u32, Error<Foreign>> {
        let function = self.shape.functions.get(index as usize);
        function
            .and_then(|function| *function)
            .ok_or(Error::UserError(Foreign))
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
    ) -> Result<(), Error<Foreign>> {
        let index = self.modules;
        self.modules += 1;
        if index == self.shape.main.module {
            let folded = code::fold(self.shape, parser, module)?;
            component.section(&ModuleSection(&folded));
        } else if index == self.shape.fix_up {
            let moved = fix_up::moved(self.shape, parser, module)?;
            component.section(&ModuleSection(&moved));
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
    ) -> Result<(), Error<Foreign>> {
        if has_outer_alias(data)? {
            return Err(Error::UserError(Foreign));
        }
        let id = wasm_encoder::ComponentSectionId::Component as u8;
        component.section(&RawSection { id, data });
        Ok(())
    }

    /// Custom sections say nothing that a composition needs; the names in them would be of other items now.
    fn parse_component_custom_section(
        &mut self,
        _component: &mut Component,
        _section: wasmparser::CustomSectionReader<'_>,
    ) -> Result<(), Error<Foreign>> {
        Ok(())
    }

    fn parse_component_alias_section(
        &mut self,
        aliases: &mut ComponentAliasSection,
        section: wasmparser::ComponentAliasSectionReader<'_>,
    ) -> Result<(), Error<Foreign>> {
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
    ) -> Result<(), Error<Foreign>> {
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
    ) -> Result<(), Error<Foreign>> {
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

#[cfg(test)]
mod tests;
