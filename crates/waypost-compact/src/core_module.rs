//! Checks of single core modules.

use wasmparser::{FunctionBody, Operator, Parser, Payload, TypeRef};

/// Returns the number of slots of a shim module, or `None` if the module is not a shim: its function exported as `3` calls
/// slot 3 with its own parameters and does nothing else.
pub(crate) fn shim_slots(module: &[u8]) -> Option<u32> {
    let (mut size, mut names, mut called) = (None, Vec::new(), Vec::new());
    for payload in Parser::new(0).parse_all(module) {
        match payload.ok()? {
            Payload::TableSection(tables) => {
                for table in tables {
                    if size.replace(table.ok()?.ty.initial).is_some() {
                        return None;
                    }
                }
            }
            Payload::ExportSection(exports) => {
                for export in exports {
                    let export = export.ok()?;
                    if export.kind == wasmparser::ExternalKind::Func {
                        names.push((export.index, export.name.parse::<i32>().ok()?));
                    }
                }
            }
            Payload::CodeSectionEntry(body) => {
                called.push(called_slot(&body)?);
            }
            Payload::ImportSection(_)
            | Payload::MemorySection(_)
            | Payload::GlobalSection(_)
            | Payload::StartSection { .. }
            | Payload::ElementSection(_) => return None,
            _ => {}
        }
    }
    let calls_its_slot =
        |(function, slot): &(u32, i32)| called.get(*function as usize) == Some(slot);
    let size = u32::try_from(size?).ok()?;
    let is_whole = usize::try_from(size).ok()? == names.len();
    (is_whole && names.iter().all(calls_its_slot)).then_some(size)
}

/// Returns the slot that a function calls with its parameters, or `None` if it does anything else.
fn called_slot(body: &FunctionBody<'_>) -> Option<i32> {
    let operators = body.get_operators_reader().ok()?;
    let operators: Vec<_> = operators.into_iter().collect::<Result<_, _>>().ok()?;
    let (parameters, rest) = operators.split_at_checked(operators.len().checked_sub(3)?)?;
    let in_order = (0..).zip(parameters).all(
        |(index, operator)| matches!(operator, Operator::LocalGet { local_index } if *local_index == index),
    );
    match rest {
        [
            Operator::I32Const { value },
            Operator::CallIndirect { table_index: 0, .. },
            Operator::End,
        ] if in_order => Some(*value),
        _ => None,
    }
}

/// Returns the length of a module's table, or `None` unless it has exactly one table and one memory and imports neither.
pub(crate) fn table_length(module: &[u8]) -> Option<u32> {
    let (mut length, mut memories) = (None, 0);
    for payload in Parser::new(0).parse_all(module) {
        match payload.ok()? {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    if matches!(import.ok()?.ty, TypeRef::Table(_) | TypeRef::Memory(_)) {
                        return None;
                    }
                }
            }
            Payload::TableSection(tables) => {
                for table in tables {
                    let table = table.ok()?.ty;
                    let is_plain = table.element_type.is_func_ref() && !table.table64;
                    if !is_plain || length.replace(table.initial).is_some() {
                        return None;
                    }
                }
            }
            Payload::MemorySection(section) => memories += section.count(),
            _ => {}
        }
    }
    if memories != 1 {
        return None;
    }
    u32::try_from(length?).ok()
}
