//! The one engine of a host: how components are compiled, cached, placed in memory and interrupted.

pub(crate) mod code_cache;
pub(crate) mod compiler;
pub(crate) mod content;
pub(crate) mod epoch;

use epoch::{EpochClock, Turns};
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

/// Instances that a request may occupy at once: one of the router and one of the handler.
const INSTANCES_PER_REQUEST: u32 = 2;

/// Fewest instances in the pool, so that small limits still allow some idle ones.
const MIN_INSTANCES: u32 = 64;

/// Most memories in the pool. Each reserves 4 GiB of address space (not of RAM), of the 128 TiB that a process on x86-64
/// has.
const MAX_MEMORIES: u32 = 10_000;

/// Stacks per instance: one that runs, one for a task that waits while the next runs.
const STACKS_PER_INSTANCE: u32 = 2;

/// Largest memory: addresses have 32 bits.
const MAX_MEMORY: u64 = 1 << 32;

/// How many bytes Wasmtime may allocate for its own records of an instance. A composition of 98 Rust routes takes 2 MB.
const MAX_RECORDS: usize = 64 << 20;

/// Wasmtime or the operating system refuses to start an engine.
#[derive(Debug)]
pub(crate) struct EngineError {
    pub(crate) reason: String,
}

/// What one instance of a component takes from the host's pools.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstanceSize {
    /// Instances of core modules.
    pub core_instances: usize,
    /// Memories.
    pub memories: usize,
    /// Tables.
    pub tables: usize,
}

/// A Rust component has three core modules (the code, a shim and a fix-up), one memory and two tables.
impl Default for InstanceSize {
    fn default() -> Self {
        Self {
            core_instances: 4,
            memories: 1,
            tables: 4,
        }
    }
}

/// What decides how large the pool of instances is.
pub(crate) struct PoolSize {
    /// Requests that the app serves at once.
    pub(crate) concurrency: usize,
    /// Components of the app: each may keep an idle instance.
    pub(crate) components: usize,
    /// Largest size of all memories of one instance together, in bytes.
    pub(crate) memory: u64,
    /// Size of an instance of the largest component.
    pub(crate) instance: InstanceSize,
}

/// Builds the engine, and the clock that interrupts its guests, which take `turns`.
///
/// # Errors
///
/// When the system has not enough address space for the pool.
pub(crate) fn build(size: &PoolSize, turns: &Turns) -> Result<(Engine, EpochClock), EngineError> {
    let mut config = config();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(size)));
    let engine = start(&config)?;
    let clock = EpochClock::start(engine.clone(), turns.clone()).map_err(|error| EngineError {
        reason: format!("no thread for the CPU time bound: {error}"),
    })?;
    Ok((engine, clock))
}

/// Builds an engine that compiles like a host's, and reserves no address space for instances.
///
/// # Errors
///
/// When Wasmtime does not support this machine.
pub(crate) fn compiler() -> Result<Engine, EngineError> {
    start(&config())
}

/// Configures how components are compiled. Engines that have this in common share a code cache.
fn config() -> Config {
    let mut config = Config::new();
    config.wasm_component_model_async(true);
    config.epoch_interruption(true);
    config
}

fn start(config: &Config) -> Result<Engine, EngineError> {
    Engine::new(config).map_err(|error| EngineError {
        reason: format!("{error:#}"),
    })
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
