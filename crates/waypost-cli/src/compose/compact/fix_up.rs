//! The fix-up of a component, for slots that are in the table of the code.

use wasm_encoder::reencode::{Error, Reencode};
use wasm_encoder::{
    ConstExpr, ElementSection, Elements, EntityType, ImportSection, Module, TableType,
};
use wasmparser::{Element, ElementItems, ElementKind, Operator, Parser, TypeRef};

use super::shape::Shape;
use super::{Foreign, as_long_as};

/// Writes a fix-up again that puts everything behind what is in the table already, without what is answered.
pub(super) fn moved(
    shape: &Shape<'_>,
    parser: Parser,
    module: &[u8],
) -> Result<Module, Error<Foreign>> {
    let mut encoder = Encoder {
        shape,
        imports: Vec::new(),
    };
    let mut moved = Module::new();
    encoder.parse_core_module(&mut moved, parser, module)?;
    Ok(moved)
}

struct Encoder<'a> {
    shape: &'a Shape<'a>,
    /// The slot that each function is for, by its name.
    imports: Vec<u32>,
}

impl Encoder<'_> {
    /// Where in the table a slot is, unless it is answered.
    fn place(&self, slot: u32) -> Result<Option<u32>, Error<Foreign>> {
        let place = self.shape.slots.get(slot as usize).copied();
        place.ok_or(Error::UserError(Foreign))
    }
}

impl Reencode for Encoder<'_> {
    type Error = Foreign;

    /// It has no functions of its own, and nothing but its table asks those that it imports.
    fn function_index(&mut self, _index: u32) -> Result<u32, Error<Foreign>> {
        Err(Error::UserError(Foreign))
    }

    fn parse_import_section(
        &mut self,
        section: &mut ImportSection,
        imports: wasmparser::ImportSectionReader<'_>,
    ) -> Result<(), Error<Foreign>> {
        for import in imports.into_imports() {
            let import = import?;
            if let TypeRef::Func(_) = import.ty {
                let slot = import.name.parse();
                let slot = slot.map_err(|_| Error::UserError(Foreign))?;
                self.imports.push(slot);
                if self.place(slot)?.is_none() {
                    continue;
                }
            }
            let ty: EntityType = self.entity_type(import.ty)?;
            section.import(import.module, import.name, ty);
        }
        Ok(())
    }

    fn table_type(&mut self, table: wasmparser::TableType) -> Result<TableType, Error<Foreign>> {
        as_long_as(self, table, self.shape.table)
    }

    fn parse_element(
        &mut self,
        section: &mut ElementSection,
        element: Element<'_>,
    ) -> Result<(), Error<Foreign>> {
        let (
            ElementKind::Active {
                table_index: None | Some(0),
                offset_expr,
            },
            ElementItems::Functions(items),
        ) = (&element.kind, &element.items)
        else {
            return Err(Error::UserError(Foreign));
        };
        let mut operators = offset_expr.get_operators_reader();
        let is_whole = items.count() as usize == self.imports.len();
        let (Operator::I32Const { value: 0 }, Operator::End, true) =
            (operators.read()?, operators.read()?, is_whole)
        else {
            return Err(Error::UserError(Foreign));
        };
        let (mut functions, mut first) = (Vec::new(), None);
        for (slot, item) in (0..).zip(items.clone()) {
            let in_order = item? == slot && self.imports.get(slot as usize) == Some(&slot);
            if !in_order {
                return Err(Error::UserError(Foreign));
            }
            if let Some(place) = self.place(slot)? {
                first.get_or_insert(place);
                functions.push(u32::try_from(functions.len()).unwrap_or(u32::MAX));
            }
        }
        if let Some(first) = first {
            let offset = ConstExpr::i32_const(first.cast_signed());
            section.active(None, &offset, Elements::Functions(functions.into()));
        }
        Ok(())
    }

    /// The names in custom sections would be of other functions now.
    fn parse_custom_section(
        &mut self,
        _module: &mut Module,
        _section: wasmparser::CustomSectionReader<'_>,
    ) -> Result<(), Error<Foreign>> {
        Ok(())
    }
}
