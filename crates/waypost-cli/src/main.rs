//! The `waypost` binary; everything it does is in the library.

use std::process::ExitCode;

/// A request makes some hundred small allocations, on one thread and freed on another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    waypost_cli::run(std::env::args_os())
}
