//! A soak: many requests of many kinds, some of them hostile, against the real command.
//!
//! No request on a healthy route may be lost, and what the process holds on to may not grow. `WAYPOST_SOAK` says how
//! many requests (20,000 where it does not):
//!
//! `WAYPOST_SOAK=1000000 cargo test --workspace --test soak -- --nocapture`

#![allow(
    clippy::expect_used,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test may panic and print"
)]

mod client;
mod healthy;
mod hostile;
mod process;
#[path = "../support/mod.rs"]
mod support;

use client::Client;
use process::{Checkpoint, Process};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use support::{Served, checkout, waypost};

/// Requests where the environment does not say.
const REQUESTS: u64 = 20_000;

/// Requests before the first checkpoint: what is made once is there then.
const WARM_UP: u64 = 2_000;

/// Clients of healthy routes, and hostile ones.
const HEALTHY: usize = 8;
const HOSTILE: usize = 4;

/// Of so many requests one is hostile.
const ONE_OF: u64 = 10;

/// Requests of a healthy client on one connection.
const OF_ONE_CONNECTION: u64 = 500;

#[test]
fn nothing_is_lost_and_nothing_grows() {
    let app = checkout().join("tests/faulty-app");
    let arguments = ["up", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"];
    let app = Served::start(waypost(&app).args(arguments).env("RUST_LOG", "off"));
    let process = Process::of(&app);
    let soak = Soak::default();
    let total = requests();
    soak.run(&app, WARM_UP);
    let mut checkpoints = vec![process.checkpoint(&soak)];
    let steps = (total / 100_000).clamp(2, 10);
    for _ in 0..steps {
        soak.run(&app, total / steps);
        checkpoints.push(process.checkpoint(&soak));
    }
    soak.report(&checkpoints);
    soak.check();
    process::check(&checkpoints);
    assert_eq!(app.stop("TERM"), 0);
}

fn requests() -> u64 {
    let requests = std::env::var("WAYPOST_SOAK");
    requests.map_or(REQUESTS, |number| {
        let number: u64 = number.parse().expect("`WAYPOST_SOAK` is a number");
        number.max(100)
    })
}

/// What was asked so far, and what came of it.
struct Soak {
    start: Instant,
    done: AtomicU64,
    tally: Mutex<Tally>,
}

#[derive(Default)]
struct Tally {
    kinds: BTreeMap<&'static str, u64>,
    /// Healthy requests without their answer, and why.
    lost: Vec<String>,
    /// Hostile requests whose answer is not the one that they should get.
    surprises: Vec<String>,
}

impl Default for Soak {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            done: AtomicU64::new(0),
            tally: Mutex::default(),
        }
    }
}

impl Soak {
    /// Sends so many requests, and waits for all of them.
    fn run(&self, app: &Served, count: u64) {
        let hostile_left = AtomicU64::new(count / ONE_OF);
        let healthy_left = AtomicU64::new(count - count / ONE_OF);
        std::thread::scope(|scope| {
            for _ in 0..HEALTHY {
                scope.spawn(|| self.be_healthy(app, &healthy_left));
            }
            for _ in 0..HOSTILE {
                scope.spawn(|| self.be_hostile(app, &hostile_left));
            }
        });
    }

    fn be_healthy(&self, app: &Served, left: &AtomicU64) {
        let mut client = Client::connect(app.address);
        while let Some(number) = take(left) {
            if number % OF_ONE_CONNECTION == 0 {
                client = Client::connect(app.address);
            }
            let (kind, outcome) = healthy::ask(&mut client, number);
            if outcome.is_err() {
                client = Client::connect(app.address);
            }
            self.count(kind, |tally, why| tally.lost.push(why), outcome);
        }
    }

    fn be_hostile(&self, app: &Served, left: &AtomicU64) {
        while let Some(number) = take(left) {
            let (kind, outcome) = hostile::ask(app, number);
            self.count(kind, |tally, why| tally.surprises.push(why), outcome);
        }
    }

    fn count(
        &self,
        kind: &'static str,
        blame: fn(&mut Tally, String),
        outcome: Result<(), String>,
    ) {
        self.done.fetch_add(1, Ordering::Relaxed);
        let mut tally = self.tally.lock().unwrap();
        *tally.kinds.entry(kind).or_default() += 1;
        if let Err(why) = outcome {
            blame(&mut tally, format!("{kind}: {why}"));
        }
    }

    fn report(&self, checkpoints: &[Checkpoint]) {
        let tally = self.tally.lock().unwrap();
        let (done, time) = (self.done.load(Ordering::Relaxed), self.start.elapsed());
        println!("\n{done} requests in {} s, with pauses\n", time.as_secs());
        println!("| kind | requests |\n| --- | ---: |");
        for (kind, count) in &tally.kinds {
            println!("| {kind} | {count} |");
        }
        println!("\n{}", Checkpoint::HEAD);
        for checkpoint in checkpoints {
            println!("{checkpoint}");
        }
        println!("\nlost on healthy routes: {}", tally.lost.len());
        println!(
            "hostile ones with another answer: {}",
            tally.surprises.len()
        );
    }

    fn check(&self) {
        let tally = self.tally.lock().unwrap();
        let first = |all: &[String]| all[..all.len().min(10)].join("\n");
        assert!(tally.lost.is_empty(), "lost:\n{}", first(&tally.lost));
        let surprises = &tally.surprises;
        assert!(
            surprises.is_empty(),
            "not as expected:\n{}",
            first(surprises)
        );
    }
}

/// Takes one of what is left; gives its number.
fn take(left: &AtomicU64) -> Option<u64> {
    let fewer = |left: u64| left.checked_sub(1);
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fewer)
        .ok()
}
