//! The fix-up of a component, for slots that are in the table of the code.

use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{ConstExpr, ElementSection, Module, TableType};
use wasmparser::{Element, ElementKind, Operator, Parser};

use super::shape::Shape;
use super::{Foreign, longer};

/// Writes a fix-up again that puts everything behind what is in the table already.
pub(super) fn moved(
    shape: &Shape<'_>,
    parser: Parser,
    module: &[u8],
) -> Result<Module, Error<Foreign>> {
    let mut moved = Module::new();
    Encoder { by: shape.first }.parse_core_module(&mut moved, parser, module)?;
    Ok(moved)
}

struct Encoder {
    by: u32,
}

impl Reencode for Encoder {
    type Error = Foreign;

    fn table_type(&mut self, table: wasmparser::TableType) -> Result<TableType, Error<Foreign>> {
        longer(self, table, self.by)
    }

    fn parse_element(
        &mut self,
        section: &mut ElementSection,
        element: Element<'_>,
    ) -> Result<(), Error<Foreign>> {
        let ElementKind::Active { offset_expr, .. } = &element.kind else {
            return utils::parse_element(self, section, element);
        };
        let mut operators = offset_expr.get_operators_reader();
        let Operator::I32Const { value } = operators.read()? else {
            return Err(Error::UserError(Foreign));
        };
        let offset = value.checked_add_unsigned(self.by);
        let offset = ConstExpr::i32_const(offset.ok_or(Error::UserError(Foreign))?);
        let items = self.element_items(element.items)?;
        section.active(None, &offset, items);
        Ok(())
    }
}
