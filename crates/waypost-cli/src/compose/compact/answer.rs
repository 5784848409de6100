//! What the code of a component answers by itself: functions of the stub that always say the same.

use wasm_encoder::{InstructionSink, MemArg};

use crate::compose::cli_stub;

/// How the code answers an import. All but the first store it where the caller says, as the canonical ABI has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// It traps.
    Trap,
    /// A list without items.
    Empty,
    /// An option without a value.
    Nothing,
}

impl Answer {
    /// Gives the answer to an import of the code; none where the stub has to be asked, or the host. A component with
    /// an environment has the stub tell it.
    pub(super) fn to(module: &str, name: &str, has_environment: bool) -> Option<Answer> {
        cli_stub::version_for(module)?;
        let interface = module.strip_prefix("wasi:")?.split('@').next()?;
        match (interface, name) {
            ("cli/exit", "exit") => Some(Answer::Trap),
            ("cli/environment", "get-arguments") => Some(Answer::Empty),
            ("cli/environment", "get-environment") if !has_environment => Some(Answer::Empty),
            ("cli/environment", "initial-cwd")
            | ("cli/terminal-stdin", "get-terminal-stdin")
            | ("cli/terminal-stdout", "get-terminal-stdout")
            | ("cli/terminal-stderr", "get-terminal-stderr") => Some(Answer::Nothing),
            _ => None,
        }
    }

    /// Writes what the function does.
    pub(super) fn write(self, instructions: &mut InstructionSink<'_>) {
        match self {
            Answer::Trap => {
                instructions.unreachable();
            }
            // A list has an address, which is aligned and not null, though nothing is there.
            Answer::Empty => {
                instructions.local_get(0).i32_const(4);
                instructions.i32_store(at(0, 2));
                instructions.local_get(0).i32_const(0);
                instructions.i32_store(at(4, 2));
            }
            Answer::Nothing => {
                instructions.local_get(0).i32_const(0);
                instructions.i32_store8(at(0, 0));
            }
        }
    }
}

/// A place in the memory, with the logarithm of its alignment.
fn at(offset: u64, align: u32) -> MemArg {
    MemArg {
        offset,
        align,
        memory_index: 0,
    }
}
