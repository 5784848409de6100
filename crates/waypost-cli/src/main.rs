//! The `waypost` binary; everything it does is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    waypost_cli::run(std::env::args_os())
}
