//! The `waypost` command as a library.
//!
//! An app is a folder with `spin.toml` and `handlers/`. [`scan`] turns the folders below `handlers/` into routes and
//! refuses invalid ones, [`sync`] updates the workspace and the Spin manifest accordingly, [`build`] compiles the
//! routes, [`describe`] reads the description in a compiled handler. The commands combine these.
//!
//! Only this crate reads arguments and environment variables, and only the commands print to stdout; progress,
//! warnings and errors go to stderr.
//!
//! Exit codes: 0 for success, 1 for an error, 2 for wrong usage.

mod abi;
mod admin;
pub mod anatomy;
mod app;
pub mod build;
mod cli;
mod commands;
mod component_id;
pub mod compose;
pub mod describe;
mod doctor;
mod environment;
mod failure;
mod foreign;
mod glob;
mod listen;
mod lock;
mod output;
mod parallel;
pub mod route;
mod scaffold;
pub mod scan;
mod serve;
mod spin_toml;
pub mod sync;
mod table;
mod watch;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

pub use abi::{Abi, NoHandler};
pub use app::{App, AppError};
pub use waypost_config::{ComponentId, Fault, Faults, Severity};

/// Runs the command line `args`, whose first item is the name of the program.
///
/// Works as `waypost …` and, when Cargo starts it as an external subcommand, as
/// `cargo-waypost waypost …`.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    match cli::Cli::try_parse_from(cli::normalise(args)) {
        Ok(cli) => finish(cli.command.run()),
        Err(error) => usage(&error),
    }
}

fn finish(result: anyhow::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::error(&error);
            ExitCode::from(1)
        }
    }
}

/// Prints help and version to stdout with code 0, and wrong usage to stderr with code 2.
fn usage(error: &clap::Error) -> ExitCode {
    // A closed pipe is not an error: nobody reads the output.
    let _ = error.print();
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}
