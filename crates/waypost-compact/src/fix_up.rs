//! The fix-up module, rewritten to fill slots of the main module's table.

use wasm_encoder::reencode::{Error, Reencode};
use wasm_encoder::{
    ConstExpr, ElementSection, Elements, EntityType, ImportSection, Module, TableType,
};
use wasmparser::{Element, ElementItems, ElementKind, Operator, Parser, TypeRef};

use crate::UnknownShape;
use crate::encoder::with_length;
use crate::shape::Shape;

const UNKNOWN: Error<UnknownShape> = Error::UserError(UnknownShape::FixUp);

/// Writes a fix-up that fills the slots behind those of the main module itself, without the functions that became
/// constants.
pub(crate) fn rewrite(
    shape: &Shape<'_>,
    parser: Parser,
    module: &[u8],
) -> Result<Module, Error<UnknownShape>> {
    let mut encoder = Encoder {
        shape,
        imports: Vec::new(),
    };
    let mut rewritten = Module::new();
    encoder.parse_core_module(&mut rewritten, parser, module)?;
    Ok(rewritten)
}

struct Encoder<'a> {
    shape: &'a Shape<'a>,
    /// The slot of each imported function, which is its name.
    imports: Vec<u32>,
}

impl Encoder<'_> {
    /// Returns the index of a slot in the main module's table, or `None` if a constant replaced it.
    fn index(&self, slot: u32) -> Result<Option<u32>, Error<UnknownShape>> {
        let index = self.shape.slots.get(slot as usize).copied();
        index.ok_or(UNKNOWN)
    }

    /// Checks that an element segment fills each slot in order from 0, and returns its functions.
    fn functions<'e>(
        &self,
        element: &Element<'e>,
    ) -> Result<wasmparser::SectionLimited<'e, u32>, Error<UnknownShape>> {
        let (
            ElementKind::Active {
                table_index: None | Some(0),
                offset_expr,
            },
            ElementItems::Functions(items),
        ) = (&element.kind, &element.items)
        else {
            return Err(UNKNOWN);
        };
        let mut operators = offset_expr.get_operators_reader();
        let is_whole = items.count() as usize == self.imports.len();
        match (operators.read()?, operators.read()?) {
            (Operator::I32Const { value: 0 }, Operator::End) if is_whole => Ok(items.clone()),
            _ => Err(UNKNOWN),
        }
    }
}

impl Reencode for Encoder<'_> {
    type Error = UnknownShape;

    /// Fails: the fix-up has no functions of its own, and only its element segment uses the imported ones.
    fn function_index(&mut self, _index: u32) -> Result<u32, Error<UnknownShape>> {
        Err(UNKNOWN)
    }

    fn parse_import_section(
        &mut self,
        section: &mut ImportSection,
        imports: wasmparser::ImportSectionReader<'_>,
    ) -> Result<(), Error<UnknownShape>> {
        for import in imports.into_imports() {
            let import = import?;
            if let TypeRef::Func(_) = import.ty {
                let slot = import.name.parse().map_err(|_| UNKNOWN)?;
                self.imports.push(slot);
                if self.index(slot)?.is_none() {
                    continue;
                }
            }
            let ty: EntityType = self.entity_type(import.ty)?;
            section.import(import.module, import.name, ty);
        }
        Ok(())
    }

    fn table_type(
        &mut self,
        table: wasmparser::TableType,
    ) -> Result<TableType, Error<UnknownShape>> {
        with_length(self, table, self.shape.table)
    }

    fn parse_element(
        &mut self,
        section: &mut ElementSection,
        element: Element<'_>,
    ) -> Result<(), Error<UnknownShape>> {
        let (mut functions, mut first) = (Vec::new(), None);
        for (slot, item) in (0..).zip(self.functions(&element)?) {
            let in_order = item? == slot && self.imports.get(slot as usize) == Some(&slot);
            if !in_order {
                return Err(UNKNOWN);
            }
            if let Some(index) = self.index(slot)? {
                first.get_or_insert(index);
                functions.push(u32::try_from(functions.len()).unwrap_or(u32::MAX));
            }
        }
        if let Some(first) = first {
            let offset = ConstExpr::i32_const(first.cast_signed());
            section.active(None, &offset, Elements::Functions(functions.into()));
        }
        Ok(())
    }

    /// Drops custom sections: the names in them would belong to other functions.
    fn parse_custom_section(
        &mut self,
        _module: &mut Module,
        _section: wasmparser::CustomSectionReader<'_>,
    ) -> Result<(), Error<UnknownShape>> {
        Ok(())
    }
}
