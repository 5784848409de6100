//! How many connections the process has file descriptors for.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::sync::Semaphore;

/// The descriptors that connections leave to everything else, as a share of all: the admin listener, components, stores,
/// and requests that handlers make.
const RESERVED_SHARE: u64 = 4;

/// The most descriptors that connections leave.
const MOST_RESERVED: u64 = 1_024;

/// Raises the soft limit of the process on file descriptors to the hard one, and returns how many connections of the
/// `wanted` ones there is room for.
pub(super) fn connections(wanted: usize) -> usize {
    let files = raise();
    let room = room(files);
    if room < wanted {
        tracing::warn!(
            connections = room,
            files,
            "the process may open {files} files, so it serves {room} connections at once, not {wanted} (`connections` in `waypost.toml`); raise the limit with `ulimit -n`, or `LimitNOFILE` of systemd"
        );
    }
    room.min(wanted).min(Semaphore::MAX_PERMITS)
}

/// Returns how many connections to other hosts there is room for, of the `wanted` ones: they may take half of what clients
/// leave.
pub(crate) fn outbound(wanted: usize) -> usize {
    let files = raise();
    let room = usize::try_from(reserved(files) / 2).unwrap_or(usize::MAX);
    if room < wanted {
        tracing::warn!(
            files,
            "the process may open {files} files, so its handlers get {room} connections to other hosts at once, not {wanted} (`total_outbound_connections` in `waypost.toml`); raise the limit with `ulimit -n`, or `LimitNOFILE` of systemd"
        );
    }
    room.min(wanted).max(1)
}

/// Returns how many rejected connections may get a response at once, of the `wanted` ones: an eighth of what clients leave.
pub(super) fn rejected(wanted: usize) -> usize {
    of_handlers().min(wanted)
}

/// Returns how many files the handlers may have open, all together: an eighth of what clients leave.
pub(crate) fn of_handlers() -> usize {
    usize::try_from(reserved(raise()) / 8)
        .unwrap_or(usize::MAX)
        .max(1)
}

/// Raises the soft limit to the hard one, and returns it.
fn raise() -> u64 {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let raised = Rlimit {
            current: limit.maximum,
            ..limit
        };
        match setrlimit(Resource::Nofile, raised) {
            Ok(()) => limit.current = limit.maximum,
            Err(error) => tracing::warn!(%error, "the limit on open files stays where it is"),
        }
    }
    // `None` is no limit.
    limit.current.unwrap_or(u64::MAX)
}

/// Returns how many of these descriptors connections may take.
fn room(files: u64) -> usize {
    usize::try_from(files - reserved(files)).unwrap_or(usize::MAX)
}

/// Returns how many of these descriptors connections leave.
fn reserved(files: u64) -> u64 {
    (files / RESERVED_SHARE).min(MOST_RESERVED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_descriptors_for_the_rest() {
        assert_eq!(room(256), 192);
        assert_eq!(room(1_024), 768);
        assert_eq!(room(20_000), 18_976);
        assert_eq!(room(0), 0);
        assert!(room(u64::MAX) > 1 << 40);
    }

    #[test]
    fn few_connections_fit_always() {
        assert_eq!(connections(8), 8);
        assert_eq!(outbound(8), 8);
    }
}
