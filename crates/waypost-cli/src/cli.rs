//! The command line: the arguments of each command, and the commands that they become.
//!
//! Arguments have two stages, as in ripgrep: `XArgs` are the arguments as typed, `XCommand` is what they refer to (an
//! app that was found, an address that was parsed) and can be executed.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Parser, Subcommand};

use crate::app::App;
use crate::commands::{
    AddArgs, BuildArgs, CacheArgs, CheckArgs, ComposeArgs, DoctorArgs, NewArgs, RoutesArgs,
    ServeArgs, UpArgs,
};

const EXAMPLES: &str = "\
Examples:
  cargo waypost new shop            make an app in the folder `shop`
  cargo waypost add 'items/[slug]'  add a route to the app here
  cargo waypost up                  build the app here and serve it";

/// Build, check and serve an app of route handlers, each a WebAssembly component
#[derive(Debug, Parser)]
#[command(
    name = "waypost",
    bin_name = "cargo waypost",
    version,
    after_help = EXAMPLES,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Up(UpArgs),
    Build(BuildArgs),
    Routes(RoutesArgs),
    Check(CheckArgs),
    Compose(ComposeArgs),
    Serve(ServeArgs),
    Cache(CacheArgs),
    Doctor(DoctorArgs),
    New(NewArgs),
    Add(AddArgs),
}

impl Command {
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            Command::Up(args) => args.resolve()?.exec(),
            Command::Build(args) => args.resolve()?.exec(),
            Command::Routes(args) => args.resolve()?.exec(),
            Command::Check(args) => args.resolve()?.exec(),
            Command::Compose(args) => args.resolve()?.exec(),
            Command::Serve(args) => args.resolve()?.exec(),
            Command::Cache(args) => args.resolve()?.exec(),
            Command::Doctor(args) => args.resolve()?.exec(),
            Command::New(args) => args.resolve()?.exec(),
            Command::Add(args) => args.resolve()?.exec(),
        }
    }
}

/// The app that a command is for.
#[derive(Debug, clap::Args)]
pub struct AppArgs {
    /// The app's folder [default: this folder, or the nearest parent with `spin.toml` and `handlers/`]
    #[arg(long = "app", value_name = "DIR")]
    folder: Option<PathBuf>,
}

impl AppArgs {
    pub fn find(&self) -> anyhow::Result<App> {
        let here = here()?;
        let app = match &self.folder {
            Some(folder) => App::at(&here.join(folder))?,
            None => App::above(&here)?,
        };
        Ok(app)
    }
}

impl AppArgs {
    /// Returns the app, or `None` if no folder was given and no parent folder holds one.
    pub fn find_any(&self) -> anyhow::Result<Option<App>> {
        match (&self.folder, self.find()) {
            (_, Ok(app)) => Ok(Some(app)),
            (None, Err(_)) => Ok(None),
            (Some(_), Err(error)) => Err(error),
        }
    }
}

/// Returns the folder in which the command was started.
pub fn here() -> anyhow::Result<PathBuf> {
    std::env::current_dir().context("cannot find out the current folder")
}

/// Removes the name of the subcommand, which Cargo repeats when it starts `cargo-waypost`.
pub fn normalise(args: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut args: Vec<OsString> = args.into_iter().collect();
    let is_external = args
        .first()
        .and_then(|program| Path::new(program).file_stem())
        .is_some_and(|name| name == "cargo-waypost");
    if is_external && args.get(1).is_some_and(|arg| arg == "waypost") {
        args.remove(1);
    }
    args
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn cargo_may_repeat_the_name() {
        let args = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
        let typed = args(&["/bin/cargo-waypost", "waypost", "check"]);
        assert_eq!(normalise(typed), args(&["/bin/cargo-waypost", "check"]));
        let typed = args(&["/bin/waypost", "waypost"]);
        assert_eq!(normalise(typed.clone()), typed);
    }
}
