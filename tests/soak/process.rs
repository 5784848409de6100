//! What the process under test holds on to.

use super::Soak;
use super::client::Client;
use super::support::Served;
use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// How long the process may take to let go of everything: instances without work end after ten seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// File descriptors and tasks that may be there more than at first: those of a moment.
const FEW: u64 = 2;

/// By how much its memory may grow from the middle of the soak to its end: a tenth, and 16 MiB.
const MARGIN: u64 = 16 << 20;

/// The process that serves.
pub struct Process {
    id: u32,
    admin: SocketAddr,
}

/// What was seen when nothing was under way.
pub struct Checkpoint {
    requests: u64,
    seconds: u64,
    /// Where the system tells: memory in bytes, open file descriptors, threads.
    of_system: Option<[u64; 3]>,
    instances: u64,
    tasks: u64,
}

impl Process {
    /// Looks at the process that serves an app.
    pub fn of(app: &Served) -> Self {
        let admin = app.admin.expect("health and metrics are told");
        Self {
            id: app.id(),
            admin,
        }
    }

    /// Waits until nothing is under way, and looks.
    pub fn checkpoint(&self, soak: &Soak) -> Checkpoint {
        let start = Instant::now();
        let is_busy = |metrics: &str| {
            let busy = ["requests_in_flight", "connections", "instances"];
            busy.iter().any(|name| value(metrics, name) > 0)
        };
        let mut metrics = self.metrics();
        while is_busy(&metrics) {
            assert!(start.elapsed() < PATIENCE, "still busy:\n{metrics}");
            std::thread::sleep(Duration::from_millis(200));
            metrics = self.metrics();
        }
        Checkpoint {
            requests: soak.done.load(Ordering::Relaxed),
            seconds: soak.start.elapsed().as_secs(),
            of_system: self.of_system(),
            instances: value(&metrics, "instances"),
            tasks: value(&metrics, "tasks"),
        }
    }

    fn metrics(&self) -> String {
        let answer = Client::connect(self.admin).ask("GET", "/.well-known/waypost/metrics", b"");
        let (status, body) = answer.expect("metrics are told");
        assert_eq!(status, 200);
        String::from_utf8(body).expect("they are text")
    }

    /// Memory, file descriptors and threads, where there is `/proc`.
    fn of_system(&self) -> Option<[u64; 3]> {
        let folder = format!("/proc/{}", self.id);
        let status = std::fs::read_to_string(format!("{folder}/status")).ok()?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse::<u64>().ok()
        };
        let files = std::fs::read_dir(format!("{folder}/fd")).ok()?.count();
        let files = u64::try_from(files).ok()?;
        Some([field("VmRSS:")? * 1024, files, field("Threads:")?])
    }
}

/// A gauge of the host.
fn value(metrics: &str, name: &str) -> u64 {
    let name = format!("waypost_{name} ");
    let mut lines = metrics.lines();
    let value = lines.find_map(|line| line.strip_prefix(&name));
    value.expect("it is told").parse().expect("it is a number")
}

/// Checks that nothing grew: files and tasks since the first checkpoint, memory since the middle, when what is
/// allocated once has been.
pub fn check(checkpoints: &[Checkpoint]) {
    let (first, last) = (&checkpoints[0], &checkpoints[checkpoints.len() - 1]);
    assert!(last.tasks <= first.tasks + FEW, "tasks grew");
    let middle = &checkpoints[checkpoints.len() / 2];
    let systems = (first.of_system, middle.of_system, last.of_system);
    let (Some(first), Some(middle), Some(last)) = systems else {
        return;
    };
    assert!(last[1] <= first[1] + FEW, "file descriptors grew");
    assert!(
        last[0] <= middle[0] + middle[0] / 10 + MARGIN,
        "memory grew"
    );
}

impl Checkpoint {
    /// The first lines of the table.
    pub const HEAD: &str = "| requests | s | RSS MiB | files | threads | instances | tasks |\n\
        | ---: | ---: | ---: | ---: | ---: | ---: | ---: |";
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [memory, files, threads] = self.of_system.unwrap_or_default();
        let Self {
            requests,
            seconds,
            instances,
            tasks,
            ..
        } = self;
        let memory = memory >> 20;
        write!(
            f,
            "| {requests} | {seconds} | {memory} | {files} | {threads} | {instances} | {tasks} |"
        )
    }
}
