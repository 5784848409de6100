//! The `waypost` binary. All of its code is in the library.

use std::process::ExitCode;

/// A request makes about a hundred small allocations, which one thread allocates and another frees.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    waypost_cli::run(std::env::args_os())
}
