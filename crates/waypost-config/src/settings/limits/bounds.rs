//! The valid range of each limit. Zero is never valid: it would stop every request.

use std::time::Duration;

use super::super::quantity::Bounds;
use super::{KIB, MIB};

const DAY: Duration = Duration::from_secs(86_400);

pub(super) const MAX_DURATION: Bounds<Duration> = Bounds {
    least: Duration::from_millis(1),
    most: DAY,
    below: "no handler could respond; write at least `1ms`",
    above: "nobody waits longer than a day for a first byte; write at most `24h`",
};

/// The least is the resolution with which guests are interrupted.
pub(super) const CPU_TIME: Bounds<Duration> = Bounds {
    least: Duration::from_millis(10),
    most: Duration::from_secs(3_600),
    below: "shorter times can't be measured; write at least `10ms`",
    above: "an endless loop would hold a core; write at most `1h`",
};

/// A 32-bit component has at most 4 GiB of memory, and one in Rust starts with 17 pages of 64 KiB.
pub(super) const MEMORY: Bounds<u64> = Bounds {
    least: 2 * MIB,
    most: 4 * 1024 * MIB,
    below: "a small handler needs more to start; write at least `2MiB`",
    above: "a component has 32-bit addresses; write at most `4GiB`",
};

pub(super) const TOTAL_MEMORY: Bounds<u64> = Bounds {
    least: 16 * MIB,
    most: 1 << 50,
    below: "a few handlers need more to start; write at least `16MiB`",
    above: "no machine has that much; write at most `1024TiB`",
};

pub(super) const REQUEST_BODY: Bounds<u64> = Bounds {
    least: 1,
    most: 1 << 50,
    below: "no request could have a body; leave out the methods with a body instead",
    above: "that is not a limit; write `\"unlimited\"`",
};

pub(super) const HEADER_COUNT: Bounds<usize> = Bounds {
    least: 16,
    most: 10_000,
    below: "browsers send more; write at least `16`",
    above: "one request would cost as much as thousands; write at most `10000`",
};

/// For header fields and request line. The least is the smallest buffer of the HTTP library.
pub(super) const HEADER_SIZE: Bounds<u64> = Bounds {
    least: 8 * KIB,
    most: MIB,
    below: "ordinary requests need more; write at least `8KiB`",
    above: "every connection could use that much memory; write at most `1MiB`",
};

pub(super) const IDLE_TIMEOUT: Bounds<Duration> = Bounds {
    least: Duration::from_millis(100),
    most: DAY,
    below: "clients on slow networks pause that long; write at least `100ms`",
    above: "stalled clients would pile up; write at most `24h`",
};

pub(super) const KEEP_ALIVE: Bounds<Duration> = Bounds {
    least: Duration::from_millis(100),
    most: DAY,
    below: "every request would need a new connection; write at least `100ms`",
    above: "unused connections would pile up; write at most `24h`",
};

pub(super) const CONNECTIONS: Bounds<usize> = Bounds {
    least: 1,
    most: 1_000_000,
    below: "nobody could connect; write at least `1`",
    above: "no machine holds that many; write at most `1000000`",
};

pub(super) const CONCURRENCY: Bounds<usize> = Bounds {
    least: 1,
    most: 1_000_000,
    below: "no request would be answered; write at least `1`",
    above: "no machine handles that many; write at most `1000000`",
};

pub(super) const INNER_REQUESTS: Bounds<usize> = Bounds {
    least: 1,
    most: 10_000,
    below: "no route could be asked; leave out `http://self` in `spin.toml` instead",
    above: "a few clients would take every place of the app; write at most `10000`",
};

pub(super) const OUTBOUND_CONNECTIONS: Bounds<usize> = Bounds {
    least: 1,
    most: 100_000,
    below: "no host could be asked; leave out `allowed_outbound_hosts` in `spin.toml` instead",
    above: "each takes a file descriptor; write at most `100000`",
};

pub(super) const STORE_CALLS: Bounds<usize> = Bounds {
    least: 1,
    most: 64,
    below: "no store could be used; write at least `1`",
    above: "each takes a thread; write at most `64`",
};

pub(super) const STORE_KEY: Bounds<u64> = Bounds {
    least: 16,
    most: 64 * KIB,
    below: "keys would have to be too short to tell apart; write at least `16`",
    above: "keys are searched and listed; write at most `64KiB`, and put the rest into the value",
};

pub(super) const STORE_VALUE: Bounds<u64> = Bounds {
    least: 16,
    most: 256 * MIB,
    below: "hardly a number fits; write at least `16`",
    above: "the host holds a value as a whole; write at most `256MiB`",
};

pub(super) const STORE_SIZE: Bounds<u64> = Bounds {
    least: 64 * KIB,
    most: 1 << 40,
    below: "hardly an entry fits; write at least `64KiB`",
    above: "larger than a store in one file should be; write at most `1024GiB`",
};

/// The file has a length of some MiB when it is empty.
pub(super) const STORE_FILE: Bounds<u64> = Bounds {
    least: 16 * MIB,
    most: 1 << 40,
    below: "an empty file takes some of it; write at least `16MiB`",
    above: "larger than one file should be; write at most `1024GiB`",
};

pub(super) const STORE_LIST: Bounds<usize> = Bounds {
    least: 1,
    most: 1_000_000,
    below: "no key could be listed; write at least `1`",
    above: "the host holds the list as a whole; write at most `1000000`",
};

pub(super) const STORE_CACHE: Bounds<u64> = Bounds {
    least: MIB,
    most: 64 * 1024 * MIB,
    below: "every read would go to the disk; write at least `1MiB`",
    above: "the system caches files as well; write at most `64GiB`",
};

pub(super) const LOG_RATE: Bounds<u64> = Bounds {
    least: KIB,
    most: 1024 * MIB,
    below: "less than a few lines; write at least `1KiB`",
    above: "no disk keeps up; write at most `1GiB`",
};
