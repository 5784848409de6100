//! Epochs: the clock that interrupts guests, and the turns of guests that compute for longer than one epoch.

use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::Engine;

/// Length of an epoch, and so of the turn that a busy guest gets before others may run.
///
/// A request passes from task to task some five times, and waits for a turn each time when every core computes: two
/// milliseconds keep that unnoticed. They cost five hundred wake-ups of one thread per second.
pub(crate) const EPOCH: Duration = Duration::from_millis(2);

/// Length of an epoch while there is no instance: an idle app leaves the machine alone.
pub(crate) const QUIET_EPOCH: Duration = Duration::from_millis(20);

/// How long a guest waits for its turn at most. Turns come sooner, unless hundreds of guests compute. The limit keeps a
/// guest that holds a turn while it waits for another guest from blocking both.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// The thread that advances an engine's epoch. Dropping it ends and joins the thread.
pub(crate) struct EpochClock {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl EpochClock {
    /// Starts the clock of `engine`, for the guests that take `turns`.
    ///
    /// It is a thread and not a task, since endless loops may occupy every worker of the runtime.
    ///
    /// # Errors
    ///
    /// When the operating system gives no thread.
    pub(crate) fn start(engine: Engine, turns: Turns) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&stop);
        let thread = std::thread::Builder::new()
            .name("waypost-epoch".to_owned())
            .spawn(move || {
                while !seen.load(Ordering::Acquire) {
                    std::thread::park_timeout(turns.epoch());
                    engine.increment_epoch();
                }
            })?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for EpochClock {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // The thread runs nothing that panics; if it did, there is nobody left to tell.
            let _ = thread.join();
        }
    }
}

/// The turns of guests that compute for longer than an epoch. As many guests have one at a time as there are cores.
///
/// So any other task that is ready waits for one turn at most, however many guests compute.
#[derive(Clone)]
pub(crate) struct Turns {
    free: Arc<Semaphore>,
    /// Number of live instances.
    guests: Arc<AtomicUsize>,
}

impl Turns {
    /// Makes as many turns as this machine has cores.
    pub(crate) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self::of(cores)
    }

    pub(crate) fn of(count: usize) -> Self {
        Self {
            free: Arc::new(Semaphore::new(count)),
            guests: Arc::default(),
        }
    }

    /// Counts an instance that may take turns, until the guard is dropped.
    pub(crate) fn enter(&self) -> Guest {
        self.guests.fetch_add(1, Ordering::Relaxed);
        Guest(Arc::clone(&self.guests))
    }

    /// Returns the length of an epoch at the moment.
    pub(crate) fn epoch(&self) -> Duration {
        match self.guests.load(Ordering::Relaxed) {
            0 => QUIET_EPOCH,
            _ => EPOCH,
        }
    }

    /// Waits for the next turn, or returns `None` if none came in time. It lets the runtime poll the network first, which
    /// it does not do while its threads have tasks that are ready.
    pub(crate) async fn next(self) -> Option<OwnedSemaphorePermit> {
        let turn = tokio::time::timeout(LONGEST_WAIT, self.free.acquire_owned()).await;
        tokio::task::yield_now().await;
        turn.ok()?.ok()
    }
}

/// A live instance, as far as turns are concerned.
pub(crate) struct Guest(Arc<AtomicUsize>);

impl Drop for Guest {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_ends_when_dropped() {
        let mut config = wasmtime::Config::new();
        config.epoch_interruption(true);
        let engine = Engine::new(&config).expect("the default engine is valid");
        let clock = EpochClock::start(engine, Turns::new()).expect("a thread is to be had");
        drop(clock);
    }
}
