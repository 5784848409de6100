//! The command: parses arguments, prints the report and sets the exit code.
//!
//! The exit code is 0 if all cases passed, 1 if a case failed, and 2 for wrong usage.

#![allow(
    clippy::print_stderr,
    reason = "a command speaks to its user on stderr"
)]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use waypost_conformance::{Base, Deviations, Suite};

/// Replays recorded HTTP exchanges against a server and compares the responses.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The server, such as `http://127.0.0.1:3000`.
    #[arg(long, value_name = "URL")]
    base: Base,
    /// Replay only the cases with a matching id; `*` matches any text.
    #[arg(long, value_name = "ID-PATTERN")]
    only: Option<String>,
    /// The longest time for one response, in seconds.
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    timeout: Duration,
    /// Use the deviations in this file instead of the built-in ones.
    #[arg(long, value_name = "FILE", conflicts_with = "no_deviations")]
    deviations: Option<PathBuf>,
    /// Compare with the unchanged recordings.
    #[arg(long)]
    no_deviations: bool,
    /// The number of single requests that are replayed concurrently.
    #[arg(long, value_name = "N", default_value = "4")]
    jobs: std::num::NonZeroUsize,
    /// The files are the complete set: fail for a deviation that matches none of their cases.
    #[arg(long, conflicts_with_all = ["only", "no_deviations"])]
    complete: bool,
    /// The recordings.
    #[arg(required = true, value_name = "FILE.jsonl")]
    files: Vec<PathBuf>,
}

impl Arguments {
    fn deviations(&self) -> anyhow::Result<Deviations> {
        match &self.deviations {
            _ if self.no_deviations => Ok(Deviations::none()),
            None => Ok(Deviations::built_in()),
            Some(file) => {
                Deviations::parse(&read(file)?).with_context(|| format!("in `{}`", file.display()))
            }
        }
    }

    fn suite(&self) -> anyhow::Result<Suite> {
        let mut suite = Suite::new(self.base.clone())
            .timeout(self.timeout)
            .jobs(self.jobs)
            .deviations(self.deviations()?);
        if let Some(ids) = &self.only {
            suite = suite.only(ids);
        }
        if self.complete {
            suite = suite.complete();
        }
        for file in &self.files {
            suite.add(&file.display().to_string(), &read(file)?);
        }
        Ok(suite)
    }
}

fn read(file: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("can't read `{}`", file.display()))
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text
        .parse()
        .map_err(|_| "expected a number of seconds".to_owned())?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err("expected a number of seconds above 0".to_owned()),
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let report = arguments.suite()?.run()?;
    std::io::stdout().write_all(report.to_string().as_bytes())?;
    Ok(report.is_success())
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(success) => ExitCode::from(u8::from(!success)),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}
