//! The code of a component, with the slots and the functions of the shim in it.

use std::collections::BTreeMap;

use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{
    CodeSection, ExportKind, ExportSection, Function, FunctionSection, ImportSection, Module,
    TableType,
};
use wasmparser::{FuncType, Parser, Payload, TypeRef};

use super::answer::Answer;
use super::shape::{Shape, TABLE};
use super::{Foreign, as_long_as};

/// What stands in for an imported function.
#[derive(Debug, Clone, Copy)]
enum Body {
    /// It calls what is in this place of the table.
    Call(u32),
    /// It answers.
    Answer(Answer),
}

/// A function of the module that an import becomes.
struct StandIn {
    /// Its type, in the module's index space.
    type_index: u32,
    body: Body,
}

/// Writes the code again, with the shim's functions, and its slots behind those of the code's own table. A module
/// has one table only, as most pools of hosts have room for no more.
pub(super) fn fold(
    shape: &Shape<'_>,
    parser: Parser,
    module: &[u8],
) -> Result<Module, Error<Foreign>> {
    let mut encoder = Encoder::of(shape, parser.clone(), module)?;
    let mut folded = Module::new();
    encoder.parse_core_module(&mut folded, parser, module)?;
    Ok(folded)
}

struct Encoder {
    types: Vec<FuncType>,
    /// The new index of each imported function.
    imports: Vec<u32>,
    /// By the import's index.
    stand_ins: BTreeMap<u32, StandIn>,
    /// How long the table gets.
    table: u32,
}

impl Encoder {
    fn of(shape: &Shape<'_>, parser: Parser, module: &[u8]) -> Result<Encoder, Error<Foreign>> {
        let mut encoder = Encoder {
            types: Vec::new(),
            imports: Vec::new(),
            stand_ins: BTreeMap::new(),
            table: shape.table,
        };
        let (mut functions, mut defined) = (0, 0);
        for payload in parser.parse_all(module) {
            match payload? {
                Payload::TypeSection(types) => {
                    for ty in types.into_iter_err_on_gc_types() {
                        encoder.types.push(ty?);
                    }
                }
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        let import = import?;
                        if let TypeRef::Func(type_index) = import.ty {
                            if let Some(body) = body(shape, import.module, import.name) {
                                let stand_in = StandIn { type_index, body };
                                encoder.stand_ins.insert(functions, stand_in);
                            }
                            functions += 1;
                        }
                    }
                }
                Payload::FunctionSection(functions) => defined = functions.count(),
                _ => {}
            }
        }
        // The section has to be there to be added to.
        if defined == 0 {
            return Err(Error::UserError(Foreign));
        }
        let all = functions.checked_add(defined);
        encoder.number(functions, all.ok_or(Error::UserError(Foreign))?);
        Ok(encoder)
    }

    /// The imports that stay come first, then the functions that were there, then the stand-ins.
    fn number(&mut self, functions: u32, all: u32) {
        let mut kept = 0;
        let mut added = all - self.gone();
        for index in 0..functions {
            let next = match self.stand_ins.contains_key(&index) {
                true => &mut added,
                false => &mut kept,
            };
            self.imports.push(*next);
            *next += 1;
        }
    }

    /// How many imports are no imports any more.
    fn gone(&self) -> u32 {
        u32::try_from(self.stand_ins.len()).unwrap_or(u32::MAX)
    }

    fn function(&self, stand_in: &StandIn) -> Result<Function, Error<Foreign>> {
        let mut function = Function::new([]);
        let mut instructions = function.instructions();
        match stand_in.body {
            Body::Answer(answer) => answer.write(&mut instructions),
            Body::Call(place) => {
                let ty = self.types.get(stand_in.type_index as usize);
                let ty = ty.ok_or(Error::UserError(Foreign))?;
                for (parameter, _) in (0..).zip(ty.params()) {
                    instructions.local_get(parameter);
                }
                instructions.i32_const(place.cast_signed());
                instructions.call_indirect(0, stand_in.type_index);
            }
        }
        instructions.end();
        Ok(function)
    }
}

/// What stands in for an import, unless it stays one.
fn body(shape: &Shape<'_>, module: &str, name: &str) -> Option<Body> {
    if let Some(answer) = shape.answered.get(&(module, name)) {
        return Some(Body::Answer(*answer));
    }
    let slot = shape.imports.get(&(module, name))?;
    let place = shape.slots.get(*slot as usize)?;
    place.map(Body::Call)
}

impl Reencode for Encoder {
    type Error = Foreign;

    fn function_index(&mut self, index: u32) -> Result<u32, Error<Foreign>> {
        let imported = self.imports.get(index as usize).copied();
        Ok(imported.unwrap_or_else(|| index - self.gone()))
    }

    fn parse_import_section(
        &mut self,
        section: &mut ImportSection,
        imports: wasmparser::ImportSectionReader<'_>,
    ) -> Result<(), Error<Foreign>> {
        let mut function = 0;
        for import in imports.into_imports() {
            let import = import?;
            let mut is_kept = true;
            if matches!(import.ty, TypeRef::Func(_)) {
                is_kept = !self.stand_ins.contains_key(&function);
                function += 1;
            }
            if is_kept {
                section.import(import.module, import.name, self.entity_type(import.ty)?);
            }
        }
        Ok(())
    }

    fn parse_function_section(
        &mut self,
        section: &mut FunctionSection,
        functions: wasmparser::FunctionSectionReader<'_>,
    ) -> Result<(), Error<Foreign>> {
        utils::parse_function_section(self, section, functions)?;
        for stand_in in self.stand_ins.values() {
            section.function(stand_in.type_index);
        }
        Ok(())
    }

    fn table_type(&mut self, table: wasmparser::TableType) -> Result<TableType, Error<Foreign>> {
        as_long_as(self, table, self.table)
    }

    fn parse_export_section(
        &mut self,
        section: &mut ExportSection,
        exports: wasmparser::ExportSectionReader<'_>,
    ) -> Result<(), Error<Foreign>> {
        utils::parse_export_section(self, section, exports)?;
        section.export(TABLE, ExportKind::Table, 0);
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        section: &mut CodeSection,
        code: wasmparser::CodeSectionReader<'_>,
    ) -> Result<(), Error<Foreign>> {
        utils::parse_code_section(self, section, code)?;
        for stand_in in self.stand_ins.values() {
            section.function(&self.function(stand_in)?);
        }
        Ok(())
    }

    /// Custom sections are for tools; the names in them would be of other functions now.
    fn parse_custom_section(
        &mut self,
        _module: &mut Module,
        _section: wasmparser::CustomSectionReader<'_>,
    ) -> Result<(), Error<Foreign>> {
        Ok(())
    }
}
