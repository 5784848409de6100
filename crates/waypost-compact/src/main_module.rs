//! The main module, rewritten with the functions and the table slots of the shim.

use std::collections::BTreeMap;

use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{
    CodeSection, ExportKind, ExportSection, Function, FunctionSection, ImportSection, Module,
    TableType,
};
use wasmparser::{FuncType, Parser, Payload, TypeRef};

use crate::UnknownShape;
use crate::constant::Constant;
use crate::encoder::with_length;
use crate::shape::{Shape, TABLE};

/// The body of a function that replaces an import.
#[derive(Debug, Clone, Copy)]
enum Body {
    /// Calls the function at this index of the table.
    Call(u32),
    /// Returns the same each time.
    Constant(Constant),
}

/// A function of the module that replaces an import.
struct Replacement {
    /// Its type, in the module's index space.
    type_index: u32,
    body: Body,
}

/// Writes the main module with the shim's functions, and with the shim's slots behind those of its own table. It keeps
/// one table, because the pools of most hosts have room for no more.
pub(crate) fn rewrite(
    shape: &Shape<'_>,
    parser: Parser,
    module: &[u8],
) -> Result<Module, Error<UnknownShape>> {
    let mut encoder = Encoder::of(shape, parser.clone(), module)?;
    let mut rewritten = Module::new();
    encoder.parse_core_module(&mut rewritten, parser, module)?;
    Ok(rewritten)
}

struct Encoder {
    types: Vec<FuncType>,
    /// The new index of each imported function.
    imports: Vec<u32>,
    /// By the import's index.
    replacements: BTreeMap<u32, Replacement>,
    /// The new length of the table.
    table: u32,
}

impl Encoder {
    fn of(
        shape: &Shape<'_>,
        parser: Parser,
        module: &[u8],
    ) -> Result<Encoder, Error<UnknownShape>> {
        let mut encoder = Encoder {
            types: Vec::new(),
            imports: Vec::new(),
            replacements: BTreeMap::new(),
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
                                let replacement = Replacement { type_index, body };
                                encoder.replacements.insert(functions, replacement);
                            }
                            functions += 1;
                        }
                    }
                }
                Payload::FunctionSection(functions) => defined = functions.count(),
                _ => {}
            }
        }
        // The replacements are added to the function section, so there has to be one.
        if defined == 0 {
            return Err(Error::UserError(UnknownShape::MainModule));
        }
        let all = functions.checked_add(defined);
        encoder.number(
            functions,
            all.ok_or(Error::UserError(UnknownShape::MainModule))?,
        );
        Ok(encoder)
    }

    /// Numbers the functions: first the remaining imports, then the module's own functions, then the replacements.
    fn number(&mut self, functions: u32, all: u32) {
        let mut kept = 0;
        let mut added = all - self.removed();
        for index in 0..functions {
            let next = match self.replacements.contains_key(&index) {
                true => &mut added,
                false => &mut kept,
            };
            self.imports.push(*next);
            *next += 1;
        }
    }

    /// Returns the number of imports that are replaced.
    fn removed(&self) -> u32 {
        u32::try_from(self.replacements.len()).unwrap_or(u32::MAX)
    }

    fn function(&self, replacement: &Replacement) -> Result<Function, Error<UnknownShape>> {
        let mut function = Function::new([]);
        let mut instructions = function.instructions();
        match replacement.body {
            Body::Constant(constant) => constant.write(&mut instructions),
            Body::Call(index) => {
                let ty = self.types.get(replacement.type_index as usize);
                let ty = ty.ok_or(Error::UserError(UnknownShape::MainModule))?;
                for (parameter, _) in (0..).zip(ty.params()) {
                    instructions.local_get(parameter);
                }
                instructions.i32_const(index.cast_signed());
                instructions.call_indirect(0, replacement.type_index);
            }
        }
        instructions.end();
        Ok(function)
    }
}

/// Returns the body that replaces an import, or `None` if it stays an import.
fn body(shape: &Shape<'_>, module: &str, name: &str) -> Option<Body> {
    if let Some(constant) = shape.constants.get(&(module, name)) {
        return Some(Body::Constant(*constant));
    }
    let slot = shape.imports.get(&(module, name))?;
    let index = shape.slots.get(*slot as usize)?;
    index.map(Body::Call)
}

impl Reencode for Encoder {
    type Error = UnknownShape;

    fn function_index(&mut self, index: u32) -> Result<u32, Error<UnknownShape>> {
        let imported = self.imports.get(index as usize).copied();
        Ok(imported.unwrap_or_else(|| index - self.removed()))
    }

    fn parse_import_section(
        &mut self,
        section: &mut ImportSection,
        imports: wasmparser::ImportSectionReader<'_>,
    ) -> Result<(), Error<UnknownShape>> {
        let mut function = 0;
        for import in imports.into_imports() {
            let import = import?;
            let mut is_kept = true;
            if matches!(import.ty, TypeRef::Func(_)) {
                is_kept = !self.replacements.contains_key(&function);
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
    ) -> Result<(), Error<UnknownShape>> {
        utils::parse_function_section(self, section, functions)?;
        for replacement in self.replacements.values() {
            section.function(replacement.type_index);
        }
        Ok(())
    }

    fn table_type(
        &mut self,
        table: wasmparser::TableType,
    ) -> Result<TableType, Error<UnknownShape>> {
        with_length(self, table, self.table)
    }

    fn parse_export_section(
        &mut self,
        section: &mut ExportSection,
        exports: wasmparser::ExportSectionReader<'_>,
    ) -> Result<(), Error<UnknownShape>> {
        utils::parse_export_section(self, section, exports)?;
        section.export(TABLE, ExportKind::Table, 0);
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        section: &mut CodeSection,
        code: wasmparser::CodeSectionReader<'_>,
    ) -> Result<(), Error<UnknownShape>> {
        utils::parse_code_section(self, section, code)?;
        for replacement in self.replacements.values() {
            section.function(&self.function(replacement)?);
        }
        Ok(())
    }

    /// Drops custom sections: they are for tools, and the names in them would belong to other functions.
    fn parse_custom_section(
        &mut self,
        _module: &mut Module,
        _section: wasmparser::CustomSectionReader<'_>,
    ) -> Result<(), Error<UnknownShape>> {
        Ok(())
    }
}
