//! [`Server`]: a process group that serves on a loopback port until it is dropped.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::client;
use crate::workload::Workload;

/// The longest time until a server's first correct response. The first start may compile code.
const PATIENCE: Duration = Duration::from_secs(60);

/// The running process groups, so that a signal can end all of them.
static RUNNING: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// A server that is ready.
pub struct Server {
    child: Child,
    group: Pid,
    pub address: SocketAddr,
    /// The time from its start to its first correct response.
    pub ready: Duration,
}

/// Returns a loopback address with a port that is currently free.
pub fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?)
}

/// Ends every server at once, when a signal ends the benchmark.
pub fn end_all() {
    // The list is valid even if another thread panicked.
    let running = RUNNING
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    for group in running.iter() {
        // It may have ended by itself.
        let _ = kill_process_group(*group, Signal::KILL);
    }
}

impl Server {
    /// Starts a command that listens on `address`, and waits for its correct response to `workload`.
    pub fn start(
        mut command: Command,
        address: SocketAddr,
        workload: &Workload,
        log: &Path,
    ) -> anyhow::Result<Self> {
        use std::os::unix::process::CommandExt as _;
        let file = fs::File::create(log)?;
        command.env("RUST_BACKTRACE", "0").process_group(0);
        command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file);
        let start = Instant::now();
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {:?}", command.get_program()))?;
        let group = Pid::from_child(&child);
        RUNNING
            .lock()
            .expect("nothing panics with the lock")
            .push(group);
        let mut server = Self {
            child,
            group,
            address,
            ready: Duration::ZERO,
        };
        server.await_answer(workload, start, log)?;
        server.ready = start.elapsed();
        Ok(server)
    }

    fn await_answer(
        &mut self,
        workload: &Workload,
        start: Instant,
        log: &Path,
    ) -> anyhow::Result<()> {
        loop {
            let fault = match client::ask(self.address, workload) {
                Ok(()) => return Ok(()),
                Err(fault) => fault,
            };
            if let Some(status) = self.child.try_wait()? {
                let text = fs::read_to_string(log).unwrap_or_default();
                let last = text
                    .lines()
                    .rfind(|line| !line.trim().is_empty())
                    .unwrap_or_default()
                    .to_owned();
                bail!("it ended with {status}: {last}");
            }
            // Only a refused connection is worth another try.
            if start.elapsed() > PATIENCE || fault.is_final {
                bail!("no correct response: {}", fault.text);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Returns the peak of its resident memory in bytes, of all processes of the group together.
    pub fn peak_memory(&self) -> u64 {
        self.of_group("VmHWM:")
    }

    /// Returns its current resident memory in bytes.
    pub fn memory(&self) -> u64 {
        self.of_group("VmRSS:")
    }

    fn of_group(&self, key: &str) -> u64 {
        let Ok(processes) = fs::read_dir("/proc") else {
            return 0;
        };
        let folders = processes.flatten().map(|entry| entry.path());
        folders
            .filter(|folder| group(folder) == Some(self.group.as_raw_nonzero().get()))
            .map(|folder| field(&folder, key))
            .sum()
    }
}

/// Returns the process group from `/proc/<id>/stat`: the third field after the command in parentheses.
fn group(process: &Path) -> Option<i32> {
    let stat = fs::read_to_string(process.join("stat")).ok()?;
    stat.rsplit_once(") ")?.1.split(' ').nth(2)?.parse().ok()
}

fn field(process: &Path, key: &str) -> u64 {
    let status = fs::read_to_string(process.join("status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = kill_process_group(self.group, Signal::KILL);
        let _ = self.child.wait();
        let mut running = RUNNING
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        running.retain(|group| *group != self.group);
    }
}
