//! Which bound an instance exceeded, for the log and the metrics.

use super::cpu::OverCpuTime;
use super::memory::{self, MemoryLimit};
use crate::observe::metrics::Bound;
use wasmtime::component::ResourceTableError;
use waypost_config::settings::RouteLimits;

/// A bound that an instance exceeded.
pub(super) struct OverBound {
    pub(super) bound: Bound,
    /// The text for the log, with the value of the bound and its key. `None` if the error has both.
    pub(super) remark: Option<String>,
}

impl OverBound {
    /// Returns the bound that an instance exceeded which failed with `error`, or `None` if it failed for another reason.
    pub(super) fn of(
        error: &wasmtime::Error,
        memory: &MemoryLimit,
        limits: &RouteLimits,
    ) -> Option<Self> {
        if error.chain().any(|cause| cause.is::<OverCpuTime>()) {
            let (bound, remark) = (Bound::CpuTime, None);
            return Some(Self { bound, remark });
        }
        let of_engine = error.chain().find_map(|cause| {
            let is_full = cause.downcast_ref::<ResourceTableError>();
            match is_full {
                Some(ResourceTableError::Full) => Some(Bound::Handles),
                _ => by_text(&cause.to_string()),
            }
        });
        match of_engine {
            Some(bound) => Some(Self {
                bound,
                remark: Some(remark(bound, limits)),
            }),
            None => memory.exceeded(),
        }
    }
}

/// Returns the bound that Wasmtime names in an error that has no type of its own.
fn by_text(text: &str) -> Option<Bound> {
    let known = [
        ("store handle limit exceeded", Bound::Handles),
        (
            "fuel allocated for hostcalls has been exhausted",
            Bound::Lists,
        ),
        ("requested len", Bound::Random),
    ];
    let mut known = known.into_iter();
    known.find_map(|(part, bound)| text.contains(part).then_some(bound))
}

fn remark(bound: Bound, limits: &RouteLimits) -> String {
    match bound {
        Bound::Handles => format!(
            "it had {} handles, as many as an instance may hold; the number follows `memory` in `waypost.toml`",
            memory::handles(limits.memory)
        ),
        Bound::Lists => "it handed over more in one call than an entry of a store and 1 MiB (`store_key` and `store_value` in `waypost.toml`)"
            .to_owned(),
        _ => format!(
            "it asked for more than {} bytes of random data in one call",
            memory::RANDOM_BYTES
        ),
    }
}
