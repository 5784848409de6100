//! The one engine of a host: how components are compiled, cached, placed in memory and interrupted.

use crate::cpu::{EpochClock, Turns};
use crate::error::HostError;
use crate::host::InstanceSize;
use std::path::{Path, PathBuf};
use wasmtime::{
    Cache, CacheConfig, Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig,
};

/// Components that a request may occupy at once: the router's and the handler's.
const INSTANCES_PER_REQUEST: u32 = 2;

/// Fewest instances that the pool holds, so that small limits still allow some warm ones.
const MIN_INSTANCES: u32 = 64;

/// Most memories that the pool holds. Each reserves 4 GiB of address space for its memory (not of
/// RAM), of the 128 TiB that a process on x86-64 has.
const MAX_MEMORIES: u32 = 10_000;

/// Stacks per instance: one that runs, one for a task that waits while the next runs.
const STACKS_PER_INSTANCE: u32 = 2;

/// What one memory can have: its addresses are of 32 bits.
const MAX_MEMORY: u64 = 1 << 32;

/// How many bytes Wasmtime may keep of its own for an instance. A composition of 98 routes of Rust takes 2 MB; it is
/// allocated as it is needed.
const MAX_RECORDS: usize = 64 << 20;

/// How many bytes of compiled code the cache keeps; beyond that it forgets what was used least lately. A thousand
/// routes of Rust take a quarter of a gigabyte, and every version of a route stays for a while.
const CACHED_BYTES: u64 = 4 << 30;

/// How many look-ups the cache may be late in writing down: an app of a thousand routes does them all at its start.
const CACHE_EVENTS: u64 = 4_096;

/// What the pool of instances is sized for.
pub(crate) struct PoolSize {
    /// Requests that the app serves at once.
    pub(crate) concurrency: usize,
    /// Components of the app: each may keep an idle instance.
    pub(crate) components: usize,
    /// The most that the memories of any instance may have together, in bytes.
    pub(crate) memory: u64,
    /// What an instance of the largest component takes.
    pub(crate) instance: InstanceSize,
}

/// Builds the engine, and the clock that interrupts its guests, which take `turns`.
///
/// # Errors
///
/// When the pool's address space is not to be had.
pub(crate) fn build(
    size: &PoolSize,
    cache: &Cache,
    turns: &Turns,
) -> Result<(Engine, EpochClock), HostError> {
    let mut config = config(cache);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(size)));
    let engine = start(&config)?;
    let clock =
        EpochClock::start(engine.clone(), turns.clone()).map_err(|error| HostError::Engine {
            reason: format!("no thread for the CPU time bound: {error}"),
        })?;
    Ok((engine, clock))
}

/// Builds an engine that compiles as that of a host does, and takes no address space for instances.
///
/// # Errors
///
/// When this machine has no engine.
pub(crate) fn compiler(cache: &Cache) -> Result<Engine, HostError> {
    start(&config(cache))
}

/// What decides how components are compiled: a code cache serves all engines that have this in common.
fn config(cache: &Cache) -> Config {
    let mut config = Config::new();
    config.wasm_component_model_async(true);
    config.epoch_interruption(true);
    config.cache(Some(cache.clone()));
    config
}

fn start(config: &Config) -> Result<Engine, HostError> {
    Engine::new(config).map_err(|error| HostError::Engine {
        reason: format!("{error:#}"),
    })
}

/// Names the folder of compiled code in a state folder.
pub(crate) fn cache_dir(state_dir: &Path) -> PathBuf {
    state_dir.join("cache")
}

/// Opens a code cache, and makes its folder when missing.
///
/// # Errors
///
/// When the folder cannot be used.
pub(crate) fn open_cache(directory: &Path) -> Result<Cache, HostError> {
    let fail = |reason: String| HostError::StateDir {
        path: directory.to_owned(),
        reason,
    };
    std::fs::create_dir_all(directory).map_err(|error| fail(error.to_string()))?;
    // Wasmtime refuses a relative path.
    let absolute = directory
        .canonicalize()
        .map_err(|error| fail(error.to_string()))?;
    let mut config = CacheConfig::new();
    config
        .with_directory(absolute)
        .with_worker_event_queue_size(CACHE_EVENTS)
        .with_files_total_size_soft_limit(CACHED_BYTES);
    Cache::new(config).map_err(|error| fail(format!("{error:#}")))
}

fn pool(size: &PoolSize) -> PoolingAllocationConfig {
    let instances = instances(size);
    let of_all =
        |of_each: usize| instances.saturating_mul(u32::try_from(of_each).unwrap_or(u32::MAX));
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_core_instances(of_all(size.instance.core_instances))
        .total_tables(of_all(size.instance.tables))
        .total_memories(of_all(size.instance.memories))
        .total_stacks(instances * STACKS_PER_INSTANCE)
        .max_component_instance_size(MAX_RECORDS)
        .max_memory_size(usize::try_from(size.memory.min(MAX_MEMORY)).unwrap_or(usize::MAX));
    pool
}

fn instances(size: &PoolSize) -> u32 {
    let busy = u32::try_from(size.concurrency)
        .unwrap_or(u32::MAX)
        .saturating_mul(INSTANCES_PER_REQUEST);
    let memories = u32::try_from(size.instance.memories).unwrap_or(u32::MAX);
    let most = MAX_MEMORIES / memories.max(1);
    let idle = u32::try_from(size.components).unwrap_or(u32::MAX);
    busy.saturating_add(idle)
        .clamp(MIN_INSTANCES, most.max(MIN_INSTANCES))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(concurrency: usize, components: usize) -> PoolSize {
        PoolSize {
            concurrency,
            components,
            memory: 128 << 20,
            instance: InstanceSize::default(),
        }
    }

    #[test]
    fn the_pool_holds_every_request_and_an_idle_instance_each() {
        assert_eq!(instances(&size(1_000, 30)), 2_030);
        assert_eq!(instances(&size(1, 1)), MIN_INSTANCES);
        assert_eq!(instances(&size(usize::MAX, usize::MAX)), MAX_MEMORIES);
    }
}
