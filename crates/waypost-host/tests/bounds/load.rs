//! A load at a fixed rate, and how an attack disturbed it.

use super::support::{Client, Reply};
use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Connections of the load. Each sends its next request when that is due and the last answer is there. They are fewer than the
/// requests that a route may serve at once: a request counts for a moment after its answer.
const CLIENTS: u32 = 8;

/// Time between two requests of one client: together they send 400 per second.
pub const PACE: Duration = Duration::from_millis(20);

/// The part of its undisturbed rate that the load must keep.
const LEAST: f64 = 0.8;

/// What people perceive as immediate, with room for what else this machine does.
const AT_ONCE: Duration = Duration::from_millis(100);

/// How much slower than undisturbed the slowest answers may be, if that is more.
const SLOWER: u32 = 3;

/// Clients that request a page again and again.
pub struct Load {
    shared: Arc<Shared>,
    /// They have a thread of their own, as if they were on another machine: the host's threads are measured, and not the
    /// clients'.
    clients: JoinHandle<()>,
}

struct Shared {
    pace: Duration,
    is_over: AtomicBool,
    lost: Mutex<Vec<String>>,
    /// How long each answer of this period took since it was due.
    answers: Mutex<Vec<Duration>>,
}

/// The measurements of one period.
pub struct Period {
    rate: f64,
    waits: Vec<Duration>,
}

impl Load {
    /// Starts the clients, each of which sends a request every `pace`.
    pub async fn start(address: SocketAddr, pace: Duration) -> Self {
        Client::connect(address).await.get("/hello/").await;
        let shared = Arc::new(Shared {
            pace,
            is_over: AtomicBool::new(false),
            lost: Mutex::default(),
            answers: Mutex::default(),
        });
        let clients = std::thread::spawn({
            let shared = Arc::clone(&shared);
            move || ask_all(&shared, address)
        });
        Self { shared, clients }
    }

    /// Measures the load while something happens.
    pub async fn during(&self, event: impl Future<Output = ()>) -> Period {
        self.shared.take();
        let start = Instant::now();
        event.await;
        let waits = self.shared.take();
        let count = u32::try_from(waits.len()).expect("few answers fit into a period");
        let rate = f64::from(count) / start.elapsed().as_secs_f64();
        Period { rate, waits }
    }

    /// Returns what lost requests got: another status or page, or nothing.
    pub fn lost(&self) -> Vec<String> {
        self.shared
            .lost
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Stops the clients.
    pub async fn stop(self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        let joined = tokio::task::spawn_blocking(|| self.clients.join()).await;
        let joined = joined.expect("waiting does not fail");
        joined.expect("no client panics");
    }
}

fn ask_all(shared: &Shared, address: SocketAddr) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime is to be had");
    let clients = (0..CLIENTS).map(|number| async move {
        tokio::time::sleep(shared.pace * number / CLIENTS).await;
        shared.ask(address).await;
    });
    runtime.block_on(futures::future::join_all(clients));
}

impl Shared {
    async fn ask(&self, address: SocketAddr) {
        let mut client = Client::connect(address).await;
        let mut due = Instant::now();
        while !self.is_over.load(Ordering::Relaxed) {
            tokio::time::sleep_until(due.into()).await;
            let reply = client.try_get("/hello/page").await;
            let is_right =
                |reply: &Reply| reply.status == 200 && reply.text.contains("target /page");
            if !reply.as_ref().is_some_and(is_right) {
                self.lose(format!("{reply:?}"));
                client = Client::connect(address).await;
            }
            self.lock().push(due.elapsed());
            // A late answer does not delay the next request, or its own delay would not be measured.
            due += self.pace;
        }
    }

    fn lose(&self, what: String) {
        let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        lost.push(what);
    }

    fn take(&self) -> Vec<Duration> {
        std::mem::take(&mut self.lock())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Duration>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How an attack disturbed the load.
pub struct Verdict {
    ratio: f64,
    calm: Duration,
    attacked: Duration,
}

impl Verdict {
    /// Compares attacks with the calm periods before and after each.
    pub fn new(calm: &[Period], attacked: &[Period]) -> Self {
        let around = calm
            .windows(2)
            .map(|pair| (pair[0].rate + pair[1].rate) / 2.0);
        let mut ratios: Vec<f64> = attacked
            .iter()
            .zip(around)
            .map(|(period, calm)| period.rate / calm)
            .collect();
        ratios.sort_by(f64::total_cmp);
        Self {
            ratio: ratios[ratios.len() / 2],
            calm: slowest(calm),
            attacked: slowest(attacked),
        }
    }

    /// Returns whether the load was not disturbed.
    pub fn is_undisturbed(&self) -> bool {
        self.ratio >= LEAST && self.attacked <= AT_ONCE.max(self.calm * SLOWER)
    }
}

/// Returns how long 99 of 100 answers took at most.
fn slowest(periods: &[Period]) -> Duration {
    let mut waits: Vec<Duration> = periods
        .iter()
        .flat_map(|period| period.waits.clone())
        .collect();
    waits.sort();
    let place = waits.len().saturating_sub(1) * 99 / 100;
    waits.get(place).copied().unwrap_or(Duration::MAX)
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            ratio,
            calm,
            attacked,
        } = self;
        write!(
            f,
            "rate {ratio:.2} of calm, p99 {attacked:.1?} (calm {calm:.1?})"
        )
    }
}
