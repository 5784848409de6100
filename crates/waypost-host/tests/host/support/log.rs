//! The log of the test process, in memory.

use std::io;
use std::sync::{LazyLock, Mutex, PoisonError};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());

static SUBSCRIBED: LazyLock<()> = LazyLock::new(|| {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new("waypost_host=debug,waypost=debug"))
        .with_ansi(false)
        .with_writer(Memory)
        .init();
});

/// Starts the log, if it has not started.
pub fn start() {
    LazyLock::force(&SUBSCRIBED);
}

/// What all tests have logged so far.
pub fn log() -> String {
    String::from_utf8_lossy(&LINES.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
}

/// Returns whether one line contains all of `parts`.
pub fn logged(parts: &[&str]) -> bool {
    log()
        .lines()
        .any(|line| parts.iter().all(|part| line.contains(part)))
}

#[derive(Clone, Copy)]
struct Memory;

impl io::Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LINES
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Memory {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        *self
    }
}
