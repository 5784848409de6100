//! The bound on CPU time: epochs count how long a guest runs without a pause.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use wasmtime::{Engine, UpdateDeadline};

/// Length of an epoch, and so of the turn that a busy guest gets before others may run.
///
/// Ten milliseconds keep a short request behind an endless loop almost unnoticed, and cost a hundred
/// wake-ups of one thread per second.
const EPOCH: Duration = Duration::from_millis(10);

/// The thread that advances an engine's epoch. Dropping it ends and joins the thread.
pub(crate) struct EpochClock {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl EpochClock {
    /// Starts the clock of `engine`.
    ///
    /// It is a thread and not a task, since endless loops may occupy every worker of the runtime.
    ///
    /// # Errors
    ///
    /// When the operating system gives no thread.
    pub(crate) fn start(engine: Engine) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&stop);
        let thread = std::thread::Builder::new()
            .name("waypost-epoch".to_owned())
            .spawn(move || {
                while !seen.load(Ordering::Acquire) {
                    std::thread::park_timeout(EPOCH);
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

/// Counts the epochs that one instance ran through without a pause.
pub(crate) struct CpuMeter {
    limit: u64,
    used: AtomicU64,
    yielded: AtomicBool,
}

impl CpuMeter {
    /// Allows `time` without a pause, rounded up to whole epochs.
    pub(crate) fn new(time: Duration) -> Self {
        let epochs = time.as_millis().div_ceil(EPOCH.as_millis());
        Self {
            limit: u64::try_from(epochs).unwrap_or(u64::MAX),
            used: AtomicU64::new(0),
            yielded: AtomicBool::new(false),
        }
    }

    /// Called by the guest when its epoch ends: lets others run, or stops it.
    ///
    /// # Errors
    ///
    /// When the time is used up; the error becomes the trap.
    pub(crate) fn epoch_ended(&self) -> wasmtime::Result<UpdateDeadline> {
        let used = self.used.fetch_add(1, Ordering::Relaxed) + 1;
        if used > self.limit {
            let time = EPOCH * u32::try_from(self.limit).unwrap_or(u32::MAX);
            return Err(wasmtime::format_err!(
                "ran for {time:?} of CPU time without a pause; raise `cpu_time` in `waypost.toml` if it has to"
            ));
        }
        self.yielded.store(true, Ordering::Relaxed);
        Ok(UpdateDeadline::Yield(1))
    }

    /// Called before a guest begins.
    pub(crate) fn rest(&self) {
        self.yielded.store(false, Ordering::Relaxed);
        self.used.store(0, Ordering::Relaxed);
    }

    /// Called when the guest gave control back: unless it was only to let others run, it paused.
    pub(crate) fn control_returned(&self) {
        if !self.yielded.swap(false, Ordering::Relaxed) {
            self.used.store(0, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_resets_the_meter() {
        let meter = CpuMeter::new(EPOCH * 2);
        assert!(meter.epoch_ended().is_ok());
        meter.control_returned();
        assert!(meter.epoch_ended().is_ok());
        meter.control_returned();
        meter.control_returned();
        assert!(meter.epoch_ended().is_ok());
    }

    #[test]
    fn yielding_is_no_pause() {
        let meter = CpuMeter::new(EPOCH * 2);
        for _ in 0..2 {
            assert!(meter.epoch_ended().is_ok());
            meter.control_returned();
        }
        let error = meter.epoch_ended().err().expect("the time is used up");
        assert!(error.to_string().contains("20ms of CPU time"), "{error}");
    }

    #[test]
    fn the_clock_ends_when_dropped() {
        let mut config = wasmtime::Config::new();
        config.epoch_interruption(true);
        let engine = Engine::new(&config).expect("the default engine is valid");
        let clock = EpochClock::start(engine).expect("a thread is to be had");
        drop(clock);
    }
}
