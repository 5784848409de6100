//! Measures Waypost and other servers. It builds them, starts them, drives them in turn on loopback, and prints a table
//! for each workload. `docs/benchmarks.md` describes each line.

mod client;
mod line;
mod native;
mod sample;
mod server;
mod table;
mod workload;
mod workspace;
mod wrk;

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};
use glob::Pattern;

use line::Line;
use native::Framework;
use sample::Sample;
use server::Server;
use table::{Row, Table};
use workload::Workload;
use workspace::Workspace;

/// Measures Waypost and other servers
#[derive(Debug, Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Args {
    /// The lines to measure, such as `up*`; may be repeated
    #[arg(long, value_name = "GLOB")]
    line: Vec<Pattern>,
    /// The workloads to measure; may be repeated
    #[arg(long, value_name = "GLOB")]
    workload: Vec<Pattern>,
    /// The line to compare the others with [default: bare-wasmtime, or hyper if that is not measured]
    #[arg(long, value_name = "LINE")]
    base: Option<String>,
    /// The number of times that each line is measured
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// The duration of one run, in whole seconds
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// The number of connections, which are kept alive
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// The number of event streams that are open at once
    #[arg(long, default_value_t = 1000)]
    streams: usize,
    /// Measure this build of the command instead of building one
    #[arg(long, value_name = "FILE")]
    waypost: Option<PathBuf>,
    /// Drive the servers from this process, even if `wrk` is installed
    #[arg(long)]
    no_wrk: bool,
    /// Write every run to a file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    #[command(subcommand)]
    server: Option<Native>,
}

#[derive(Debug, Subcommand)]
enum Native {
    /// Serve the routes without WebAssembly, as one line of the table
    #[command(hide = true)]
    Native {
        framework: Framework,
        address: SocketAddr,
    },
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    if let Some(Native::Native { framework, address }) = args.server {
        return native::serve(framework, address);
    }
    end_servers_on_signals()?;
    let waypost = args.waypost.as_ref().map(fs::canonicalize).transpose()?;
    let mut workspace = Workspace::new(waypost)?;
    let lines: Vec<_> = Line::all()
        .into_iter()
        .filter(|line| chosen(&args.line, line.name))
        .collect();
    let mut tables = Vec::new();
    for workload in Workload::all() {
        if chosen(&args.workload, workload.name) {
            let table = measure(&args, &mut workspace, &lines, &workload);
            println!("{table}");
            tables.push(table);
        }
    }
    println!("The lines:\n");
    for line in &lines {
        println!("- {}: {}", line.name, line.is);
    }
    if let Some(file) = &args.json {
        fs::write(file, serde_json::to_vec_pretty(&tables)?)?;
    }
    Ok(())
}

fn chosen(patterns: &[Pattern], name: &str) -> bool {
    patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(name))
}

/// Ends the servers on a signal. They run in process groups of their own, which a terminal's Ctrl-C does not reach.
fn end_servers_on_signals() -> anyhow::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let mut signals = signal_hook::iterator::Signals::new([SIGHUP, SIGINT, SIGTERM])?;
    std::thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            server::end_all();
            std::process::exit(128 + signal);
        }
    });
    Ok(())
}

/// Starts the server of every line, and drives them one after another in each round.
fn measure(args: &Args, workspace: &mut Workspace, lines: &[Line], workload: &Workload) -> Table {
    let (mut started, mut missing) = (Vec::new(), Vec::new());
    for line in lines {
        let Some(asked) = line.asked(workload) else {
            continue;
        };
        match start(workspace, line, &asked) {
            Ok(server) => started.push(Running {
                line: line.name,
                server,
                asked,
                runs: Vec::new(),
                memory_of_stream: None,
            }),
            Err(reason) => missing.push((line.name, reason)),
        }
    }
    for round in 1..=args.runs {
        for running in &mut started {
            eprintln!(
                "{}: {} ({round} of {})",
                workload.name, running.line, args.runs
            );
            match running.run(args, workspace) {
                Ok(sample) => running.runs.push(sample),
                Err(error) => missing.push((running.line, format!("round {round}: {error:#}"))),
            }
        }
    }
    let base = base(args, &started);
    let rows = started
        .into_iter()
        .filter(|running| running.runs.len() == args.runs)
        .map(Running::finish)
        .collect();
    Table {
        workload: workload.name,
        base,
        rows,
        missing,
    }
}

fn base(args: &Args, started: &[Running]) -> &'static str {
    let names = || started.iter().map(|running| running.line);
    let wanted = args
        .base
        .as_deref()
        .and_then(|base| names().find(|name| *name == base));
    wanted
        .or_else(|| names().find(|name| *name == "bare-wasmtime"))
        .or_else(|| names().next())
        .unwrap_or("none")
}

fn start(workspace: &mut Workspace, line: &Line, workload: &Workload) -> Result<Server, String> {
    for need in line.needs() {
        workspace.provide(need)?;
    }
    let log = workspace.run().join(format!("{}.log", line.name));
    let attempt = || -> Result<Server, String> {
        let address = server::free_address().map_err(|error| error.to_string())?;
        let command = line.command(workspace, workload, address)?;
        Server::start(command, address, workload, &log).map_err(|error| format!("{error:#}"))
    };
    // The first start fills caches of compiled code, so that `ready` is comparable between runs of the benchmark.
    drop(attempt()?);
    attempt()
}

/// The longest time until the streams of a round end: on some servers a handler notices that its client left only when it
/// sends the next event, ten seconds after the first.
const STREAMS_END: Duration = Duration::from_secs(11);

/// A line with its running server.
struct Running {
    line: &'static str,
    server: Server,
    asked: Workload,
    runs: Vec<Sample>,
    memory_of_stream: Option<u64>,
}

impl Running {
    fn run(&mut self, args: &Args, workspace: &Workspace) -> anyhow::Result<Sample> {
        let (address, asked) = (self.server.address, &self.asked);
        if asked.is_events {
            return self.hold(args.streams);
        }
        let drive = |time| {
            if args.no_wrk || !wrk::is_installed() {
                client::drive(address, asked, args.connections, time)
            } else {
                wrk::drive(address, asked, args.connections, time, &workspace.run())
            }
        };
        if self.runs.is_empty() {
            drive(Duration::from_secs(1))?;
        }
        drive(Duration::from_secs(args.seconds))
    }

    fn hold(&mut self, streams: usize) -> anyhow::Result<Sample> {
        let before = self.server.memory();
        let mut held = before;
        let sample = client::hold(self.server.address, &self.asked, streams, || {
            held = self.server.memory()
        })?;
        // Later rounds reuse memory that the first round left allocated, so only the first is meaningful.
        let each = held.saturating_sub(before) / streams as u64;
        self.memory_of_stream.get_or_insert(each);
        // Wait until the streams of this round have ended.
        std::thread::sleep(STREAMS_END);
        Ok(sample)
    }

    fn finish(self) -> Row {
        Row {
            line: self.line,
            runs: self.runs,
            ready: self.server.ready.as_secs_f64() * 1000.0,
            memory: self.server.peak_memory(),
            memory_of_stream: self.memory_of_stream,
        }
    }
}
