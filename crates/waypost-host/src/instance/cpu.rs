//! The bound on CPU time: how long a guest may run without a pause, counted in epochs.

use crate::engine::epoch::{EPOCH, Guest, Turns};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use wasmtime::UpdateDeadline;

/// Counts the epochs that one instance ran through without a pause.
pub(crate) struct CpuMeter {
    limit: u64,
    used: AtomicU64,
    turns: Turns,
    turn: Mutex<Turn>,
    _guest: Guest,
}

/// A guest ran for longer than it may.
#[derive(Debug, thiserror::Error)]
#[error(
    "ran for {0:?} of CPU time without a pause; raise `cpu_time` in `waypost.toml` if it has to"
)]
pub(super) struct OverCpuTime(Duration);

enum Turn {
    /// The guest is in its first epoch after a pause, which needs no turn.
    NotNeeded,
    /// The guest waits for its turn.
    Awaited,
    Taken(#[expect(dead_code, reason = "it is held, and not read")] Option<OwnedSemaphorePermit>),
}

impl CpuMeter {
    /// Allows `time` without a pause, rounded up to whole epochs.
    pub(crate) fn new(time: Duration, turns: Turns) -> Self {
        let epochs = time.as_millis().div_ceil(EPOCH.as_millis());
        Self {
            limit: u64::try_from(epochs).unwrap_or(u64::MAX),
            used: AtomicU64::new(0),
            _guest: turns.enter(),
            turns,
            turn: Mutex::new(Turn::NotNeeded),
        }
    }

    /// Called when an epoch ends while the guest runs: lets others run, or stops the guest.
    ///
    /// # Errors
    ///
    /// When the time is used up; the error becomes the trap.
    pub(crate) fn epoch_ended(self: &Arc<Self>) -> wasmtime::Result<UpdateDeadline> {
        let used = self.used.fetch_add(1, Ordering::Relaxed) + 1;
        if used > self.limit {
            let time = EPOCH * u32::try_from(self.limit).unwrap_or(u32::MAX);
            return Err(OverCpuTime(time).into());
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
    pub(crate) fn reset(&self) {
        self.enter(Turn::NotNeeded);
        self.used.store(0, Ordering::Relaxed);
    }

    /// Called when the guest returned control: that is a pause, unless it waits for its turn.
    pub(crate) fn control_returned(&self) {
        let mut turn = self.lock();
        if !matches!(*turn, Turn::Awaited) {
            *turn = Turn::NotNeeded;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::epoch::QUIET_EPOCH;
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
}
