//! The bound on CPU time: epochs count how long a guest runs without a pause.

use std::num::NonZero;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::{Engine, UpdateDeadline};

/// Length of an epoch, and so of the turn that a busy guest gets before others may run.
///
/// A request goes from task to task some five times, and where every core computes it waits for a turn each time:
/// two milliseconds keep that unnoticed. They cost five hundred wake-ups of one thread per second.
const EPOCH: Duration = Duration::from_millis(2);

/// Length of an epoch while there is no instance: an app that nobody asks leaves the machine alone.
const QUIET_EPOCH: Duration = Duration::from_millis(20);

/// How long a guest waits for its turn at most. Turns come round sooner, unless hundreds of guests compute; and one
/// that waits for another with its turn in hand does not stop both.
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

/// Turns of guests that compute for longer than an epoch: at any moment as many as there are cores have one.
///
/// However many guests compute, whoever else is ready then waits for one turn at most.
#[derive(Clone)]
pub(crate) struct Turns {
    free: Arc<Semaphore>,
    /// Instances that are alive, and may take turns.
    guests: Arc<AtomicUsize>,
}

impl Turns {
    /// Gives as many turns at once as this machine has cores.
    pub(crate) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self::of(cores)
    }

    fn of(count: usize) -> Self {
        Self {
            free: Arc::new(Semaphore::new(count)),
            guests: Arc::default(),
        }
    }

    fn epoch(&self) -> Duration {
        match self.guests.load(Ordering::Relaxed) {
            0 => QUIET_EPOCH,
            _ => EPOCH,
        }
    }

    /// Waits for the next turn, and lets the others go first: the pause is one in which the runtime looks for what
    /// the network brought, which it does not while its threads have tasks that are ready.
    async fn next(self) -> Option<OwnedSemaphorePermit> {
        let turn = tokio::time::timeout(LONGEST_WAIT, self.free.acquire_owned()).await;
        tokio::task::yield_now().await;
        turn.ok()?.ok()
    }
}

/// Counts the epochs that one instance ran through without a pause.
pub(crate) struct CpuMeter {
    limit: u64,
    used: AtomicU64,
    turns: Turns,
    turn: Mutex<Turn>,
}

enum Turn {
    /// In the first epoch after a pause, which takes no turn.
    Short,
    /// Waiting for one.
    Awaited,
    Taken(#[expect(dead_code, reason = "it is held, and not read")] Option<OwnedSemaphorePermit>),
}

impl CpuMeter {
    /// Allows `time` without a pause, rounded up to whole epochs.
    pub(crate) fn new(time: Duration, turns: Turns) -> Self {
        let epochs = time.as_millis().div_ceil(EPOCH.as_millis());
        turns.guests.fetch_add(1, Ordering::Relaxed);
        Self {
            limit: u64::try_from(epochs).unwrap_or(u64::MAX),
            used: AtomicU64::new(0),
            turns,
            turn: Mutex::new(Turn::Short),
        }
    }

    /// Called by the guest when its epoch ends: lets others run, or stops it.
    ///
    /// # Errors
    ///
    /// When the time is used up; the error becomes the trap.
    pub(crate) fn epoch_ended(self: &Arc<Self>) -> wasmtime::Result<UpdateDeadline> {
        let used = self.used.fetch_add(1, Ordering::Relaxed) + 1;
        if used > self.limit {
            let time = EPOCH * u32::try_from(self.limit).unwrap_or(u32::MAX);
            return Err(wasmtime::format_err!(
                "ran for {time:?} of CPU time without a pause; raise `cpu_time` in `waypost.toml` if it has to"
            ));
        }
        self.enter(Turn::Awaited);
        let meter = Arc::clone(self);
        let turn = async move {
            let turn = meter.turns.clone().next().await;
            meter.enter(Turn::Taken(turn));
        };
        Ok(UpdateDeadline::YieldCustom(1, Box::pin(turn)))
    }

    /// Called before and after a guest works for a request.
    pub(crate) fn rest(&self) {
        self.enter(Turn::Short);
        self.used.store(0, Ordering::Relaxed);
    }

    /// Called when the guest gave control back: unless it waits for its turn, it paused.
    pub(crate) fn control_returned(&self) {
        let mut turn = self.lock();
        if !matches!(*turn, Turn::Awaited) {
            *turn = Turn::Short;
            self.used.store(0, Ordering::Relaxed);
        }
    }

    fn enter(&self, turn: Turn) {
        *self.lock() = turn;
    }

    fn lock(&self) -> MutexGuard<'_, Turn> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for CpuMeter {
    fn drop(&mut self) {
        self.turns.guests.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use std::pin::Pin;

    fn meter(epochs: u32, turns: &Turns) -> Arc<CpuMeter> {
        Arc::new(CpuMeter::new(EPOCH * epochs, turns.clone()))
    }

    /// Ends an epoch; gives what the guest then waits for.
    fn end(meter: &Arc<CpuMeter>) -> wasmtime::Result<Pin<Box<dyn Future<Output = ()> + Send>>> {
        match meter.epoch_ended()? {
            UpdateDeadline::YieldCustom(1, turn) => Ok(turn),
            _ => panic!("others do not get their turn"),
        }
    }

    #[tokio::test]
    async fn a_pause_resets_the_meter() -> wasmtime::Result<()> {
        let meter = meter(2, &Turns::new());
        for _ in 0..3 {
            end(&meter)?.await;
            meter.control_returned();
        }
        Ok(())
    }

    #[tokio::test]
    async fn waiting_for_a_turn_is_no_pause() -> wasmtime::Result<()> {
        let meter = meter(2, &Turns::new());
        for _ in 0..2 {
            let turn = end(&meter)?;
            meter.control_returned();
            meter.control_returned();
            turn.await;
        }
        let error = end(&meter).err().expect("the time is used up");
        assert!(error.to_string().contains("4ms of CPU time"), "{error}");
        Ok(())
    }

    #[tokio::test]
    async fn a_pause_and_an_end_give_the_turn_back() -> wasmtime::Result<()> {
        let turns = Turns::of(1);
        let (one, other) = (meter(9, &turns), meter(9, &turns));
        end(&one)?.await;
        let mut waiting = end(&other)?;
        assert!((&mut waiting).now_or_never().is_none());
        one.control_returned();
        waiting.await;
        drop(other);
        end(&one)?.await;
        assert_eq!(turns.epoch(), EPOCH);
        drop(one);
        assert_eq!(turns.epoch(), QUIET_EPOCH);
        Ok(())
    }

    #[test]
    fn the_clock_ends_when_dropped() {
        let mut config = wasmtime::Config::new();
        config.epoch_interruption(true);
        let engine = Engine::new(&config).expect("the default engine is valid");
        let clock = EpochClock::start(engine, Turns::new()).expect("a thread is to be had");
        drop(clock);
    }
}
