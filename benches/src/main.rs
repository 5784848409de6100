//! Measures Waypost beside other servers: builds what it needs, starts the servers, drives them in turn on loopback,
//! and prints a table for each workload. `docs/benchmarks.md` says what each line is.

mod client;
mod line;
mod native;
mod place;
mod sample;
mod server;
mod table;
mod workload;
mod wrk;

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};
use glob::Pattern;

use line::Line;
use native::Framework;
use place::Place;
use sample::Sample;
use server::Server;
use table::{Row, Table};
use workload::Workload;

/// Measures Waypost beside other servers
#[derive(Debug, Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Args {
    /// The lines to measure, as `up*`, once for each pattern
    #[arg(long, value_name = "GLOB")]
    line: Vec<Pattern>,
    /// The workloads to measure, once for each pattern
    #[arg(long, value_name = "GLOB")]
    workload: Vec<Pattern>,
    /// The line that the others are set against [default: the first of bare-wasmtime, hyper that is measured]
    #[arg(long, value_name = "LINE")]
    base: Option<String>,
    /// How often each line is measured
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// How long one run takes, in whole seconds
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// How many connections are kept alive
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// How many streams of events are open at once
    #[arg(long, default_value_t = 1000)]
    streams: usize,
    /// Measure this build of the command, and build none
    #[arg(long, value_name = "FILE")]
    waypost: Option<PathBuf>,
    /// Drive the servers from this process, though `wrk` is there
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
    let mut place = Place::new(waypost)?;
    let lines: Vec<_> = Line::all()
        .into_iter()
        .filter(|line| chosen(&args.line, line.name))
        .collect();
    let mut tables = Vec::new();
    for workload in Workload::all() {
        if chosen(&args.workload, workload.name) {
            let table = measure(&args, &mut place, &lines, &workload);
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

/// Servers are in groups of their own, which a terminal's Ctrl-C does not reach.
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

/// Starts every line's server, and drives one after the other, round by round.
fn measure(args: &Args, place: &mut Place, lines: &[Line], workload: &Workload) -> Table {
    let (mut started, mut missing) = (Vec::new(), Vec::new());
    for line in lines {
        let Some(target) = line.target(workload) else {
            continue;
        };
        let asked = workload.under(target);
        match start(place, line, &asked) {
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
            match running.run(args, place) {
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

fn start(place: &mut Place, line: &Line, workload: &Workload) -> Result<Server, String> {
    for need in line.needs() {
        place.provide(need)?;
    }
    let log = place.run().join(format!("{}.log", line.name));
    let attempt = || -> Result<Server, String> {
        let address = server::free_address().map_err(|error| error.to_string())?;
        let command = line.command(place, workload, address)?;
        Server::start(command, address, workload, &log).map_err(|error| format!("{error:#}"))
    };
    // The first start fills caches of compiled code, so that `ready` means the same in every run of the benchmark.
    drop(attempt()?);
    attempt()
}

/// How long the streams of a round may go on: on some servers a handler sees that its client left when it sends the next
/// event, ten seconds after the first.
const STREAMS_END: Duration = Duration::from_secs(11);

/// A line whose server runs.
struct Running {
    line: &'static str,
    server: Server,
    asked: Workload,
    runs: Vec<Sample>,
    memory_of_stream: Option<u64>,
}

impl Running {
    fn run(&mut self, args: &Args, place: &Place) -> anyhow::Result<Sample> {
        let (address, asked) = (self.server.address, &self.asked);
        if asked.is_events {
            return self.hold(args.streams);
        }
        let drive = |time| {
            if args.no_wrk || !wrk::is_installed() {
                client::drive(address, asked, args.connections, time)
            } else {
                wrk::drive(address, asked, args.connections, time, &place.run())
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
        // Later rounds find what the first has left, so the first tells.
        let each = held.saturating_sub(before) / streams as u64;
        self.memory_of_stream.get_or_insert(each);
        // The streams of this round end before the next begins.
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
