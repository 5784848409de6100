//! Runs `wrk` with a generated script for each workload, which prints the figures as JSON.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use std::{fmt::Write as _, fs};

use anyhow::{Context as _, bail};

use crate::sample::Sample;
use crate::workload::Workload;

const DONE: &str = r#"
function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('\n{"requests":%d,"us":%d,"p50":%f,"p99":%f,"status":%d,"socket":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.status, e.connect + e.read + e.write + e.timeout))
end
"#;

#[derive(serde::Deserialize)]
struct Figures {
    requests: u64,
    us: u64,
    p50: f64,
    p99: f64,
    status: u64,
    socket: u64,
}

pub fn is_installed() -> bool {
    // No option makes `wrk` exit with 0, so only check that it starts.
    Command::new("wrk").arg("-v").output().is_ok()
}

/// Drives a server with one thread.
pub fn drive(
    address: SocketAddr,
    workload: &Workload,
    connections: usize,
    time: Duration,
    folder: &Path,
) -> anyhow::Result<Sample> {
    let script = folder.join(format!("{}.lua", workload.name));
    let body = folder.join(format!("{}.body", workload.name));
    fs::write(&body, &workload.body)?;
    fs::write(&script, lua(workload, &body))?;
    // `wrk` takes only whole seconds.
    let seconds = time.as_secs().max(1);
    let mut command = Command::new("wrk");
    command
        .args([
            "-t1",
            &format!("-c{connections}"),
            &format!("-d{seconds}s"),
            "-s",
        ])
        .arg(script);
    let output = command
        .arg(format!("http://{address}{}", workload.target))
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let Some(line) = text.lines().rfind(|line| line.starts_with('{')) else {
        bail!(
            "`wrk` failed: {}{}",
            text,
            String::from_utf8_lossy(&output.stderr)
        );
    };
    let figures: Figures =
        serde_json::from_str(line).context("the output of `wrk` has another form")?;
    let right = figures.requests.saturating_sub(figures.status);
    Ok(Sample {
        rate: right as f64 * 1e6 / figures.us.max(1) as f64,
        p50: figures.p50 / 1000.0,
        p99: figures.p99 / 1000.0,
        bad: figures.status + figures.socket,
    })
}

fn lua(workload: &Workload, body: &Path) -> String {
    let mut script = format!("wrk.method = {:?}\n", workload.method);
    for (name, value) in workload.headers {
        let _ = writeln!(script, "wrk.headers[{name:?}] = {value:?}");
    }
    if !workload.body.is_empty() {
        let _ = writeln!(script, "wrk.body = io.open({body:?}, \"rb\"):read(\"*a\")");
    }
    if workload.is_numbered {
        // Each run has numbers of its own, as the server of the runs before goes on.
        script += "local number = os.time() * 10000000\n";
        let _ = writeln!(
            script,
            "function request() number = number + 1; return wrk.format(nil, {:?} .. number) end",
            workload.target
        );
    }
    script + DONE
}
