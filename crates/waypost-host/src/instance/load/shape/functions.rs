//! Functions that take a compiler far more memory and time than their size suggests.
//!
//! At a place where paths of a function meet, the compiler keeps a record for every variable that a path may have
//! set. So its memory grows with the number of variables times the number of jumps: a function of 1 MiB can take
//! 9 GiB and more than a minute. Ten of these products take about 130 bytes and a microsecond.

use super::{ShapeError, at_most, unknown};
use wasmparser::{
    CompositeInnerType, FunctionBody, FunctionSectionReader, Operator, Parser, Payload,
    TypeSectionReader,
};

/// The most variables times jumps in one function. Interpreters' largest functions have a few millions, and
/// functions without optimisation some tens of millions.
pub(super) const MAX_PATHS: u64 = 64_000_000;

/// The same for all functions together.
pub(super) const MAX_TOTAL_PATHS: u64 = 1_000_000_000;

/// Checks all functions of a component.
pub(super) fn check(component: &[u8]) -> Result<(), ShapeError> {
    let mut module = Module::default();
    let mut total = 0_u64;
    for payload in Parser::new(0).parse_all(component) {
        match payload? {
            Payload::Version { .. } => module = Module::default(),
            Payload::TypeSection(types) => module.add_types(types)?,
            Payload::FunctionSection(functions) => module.add_functions(functions)?,
            Payload::CodeSectionEntry(body) => {
                let params = module.next_params()?;
                let paths = jumps(&body)?.saturating_mul(locals(&body)?.saturating_add(params));
                let what = "a function of it has too many jumps for its number of variables";
                at_most(paths, MAX_PATHS, what)?;
                total = total.saturating_add(paths);
                let what = "its functions have too many jumps for their numbers of variables";
                at_most(total, MAX_TOTAL_PATHS, what)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// The signatures of a core module.
#[derive(Default)]
struct Module {
    /// For each type, how many parameters its functions have.
    params: Vec<u64>,
    /// The type of each function that is defined.
    functions: Vec<u32>,
    /// How many bodies were seen.
    bodies: usize,
}

impl Module {
    fn add_types(&mut self, types: TypeSectionReader<'_>) -> Result<(), ShapeError> {
        for group in types {
            for ty in group?.types() {
                self.params.push(match &ty.composite_type.inner {
                    CompositeInnerType::Func(function) => function.params().len() as u64,
                    _ => 0,
                });
            }
        }
        Ok(())
    }

    fn add_functions(&mut self, functions: FunctionSectionReader<'_>) -> Result<(), ShapeError> {
        for ty in functions {
            self.functions.push(ty?);
        }
        Ok(())
    }

    /// Returns how many parameters the next body's function has.
    fn next_params(&mut self) -> Result<u64, ShapeError> {
        let ty = self.functions.get(self.bodies).ok_or_else(unknown)?;
        self.bodies += 1;
        let ty = usize::try_from(*ty).map_err(|_| unknown())?;
        self.params.get(ty).copied().ok_or_else(unknown)
    }
}

fn locals(body: &FunctionBody<'_>) -> Result<u64, ShapeError> {
    let mut locals = 0_u64;
    for group in body.get_locals_reader()? {
        let (count, _) = group?;
        locals = locals.saturating_add(u64::from(count));
    }
    Ok(locals)
}

/// Counts the places where a path of the function begins or meets another.
fn jumps(body: &FunctionBody<'_>) -> Result<u64, ShapeError> {
    let mut jumps = 0_u64;
    for operator in body.get_operators_reader()? {
        jumps = jumps.saturating_add(match operator? {
            Operator::Block { .. }
            | Operator::Loop { .. }
            | Operator::If { .. }
            | Operator::Else
            | Operator::Br { .. }
            | Operator::BrIf { .. } => 1,
            Operator::BrTable { targets } => u64::from(targets.len()).saturating_add(1),
            _ => 0,
        });
    }
    Ok(jumps)
}
