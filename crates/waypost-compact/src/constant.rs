//! Functions of the stub that always return the same, which the main module answers itself.
//!
//! The host makes an adapter module between the stub and each component that calls it, so a call less can be a core
//! instance less.

use wasm_encoder::{InstructionSink, MemArg};

use crate::Options;

/// The result of an import that is always the same. [`Constant::EmptyList`] and [`Constant::None`] are stored at the address in the first
/// parameter, as the canonical ABI has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Constant {
    /// It traps.
    Trap,
    /// A list without items.
    EmptyList,
    /// An option without a value.
    None,
}

impl Constant {
    /// Returns the result of an import, or `None` if the stub or the host has to be called.
    pub(crate) fn of(module: &str, name: &str, options: Options<'_>) -> Option<Constant> {
        if !(options.is_stubbed)(module) {
            return None;
        }
        let interface = module.strip_prefix("wasi:")?.split('@').next()?;
        match (interface, name) {
            ("cli/exit", "exit") => Some(Constant::Trap),
            ("cli/environment", "get-arguments") => Some(Constant::EmptyList),
            ("cli/environment", "get-environment") if !options.has_environment => {
                Some(Constant::EmptyList)
            }
            ("cli/environment", "initial-cwd")
            | ("cli/terminal-stdin", "get-terminal-stdin")
            | ("cli/terminal-stdout", "get-terminal-stdout")
            | ("cli/terminal-stderr", "get-terminal-stderr") => Some(Constant::None),
            _ => None,
        }
    }

    /// Writes the instructions of a function that returns it.
    pub(crate) fn write(self, instructions: &mut InstructionSink<'_>) {
        match self {
            Constant::Trap => {
                instructions.unreachable();
            }
            // The address of an empty list has to be aligned and not null.
            Constant::EmptyList => {
                instructions.local_get(0).i32_const(4);
                instructions.i32_store(memory(0, 2));
                instructions.local_get(0).i32_const(0);
                instructions.i32_store(memory(4, 2));
            }
            Constant::None => {
                instructions.local_get(0).i32_const(0);
                instructions.i32_store8(memory(0, 0));
            }
        }
    }
}

/// Returns the memory argument for an offset; `align` is the logarithm of the alignment.
fn memory(offset: u64, align: u32) -> MemArg {
    MemArg {
        offset,
        align,
        memory_index: 0,
    }
}
