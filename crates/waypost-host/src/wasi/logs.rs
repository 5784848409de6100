//! Writes the standard output and standard error of components to the log, line by line.
//!
//! The length of a line is bounded, and so are the bytes per second of a component: a guest in a loop must not fill the
//! disk on which the log is kept. A line cannot be taken for something that the host logs: see [`shown`].

mod budget;

use crate::observe::labels::Labels;
use crate::observe::metrics::{Bound, Metrics};
use crate::observe::untrusted::{LONGEST, shown};
use crate::request::context::CurrentRequest;
use budget::{LogBudget, Verdict};
use bytes::Bytes;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// The note in the log where lines are left out.
const CUT: &str = "log cut: it exceeds `log_rate` of `waypost.toml` (bytes per second)";

/// What a line of the log has beside its text and the names of route and component: the time, the level, the names of the
/// fields, the request's id and the stream.
const PREFIX: usize = 128;

/// What all instances of one component log, together.
pub(crate) struct ComponentLog {
    pub(crate) labels: Arc<Labels>,
    /// What a line costs beside its text.
    line_cost: usize,
    metrics: Arc<Metrics>,
    budget: LogBudget,
}

impl ComponentLog {
    /// Lets the component log `rate` bytes per second.
    pub(crate) fn new(labels: Arc<Labels>, metrics: Arc<Metrics>, rate: u64) -> Self {
        let line_cost = PREFIX + labels.route.len() + labels.component.as_str().len();
        Self {
            labels,
            line_cost,
            metrics,
            budget: LogBudget::new(rate),
        }
    }

    /// Returns whether the host may log a text about what the component does: a component in a loop must not fill the log in that
    /// way either. The text counts as if the component had written it.
    pub(crate) fn admits(&self, text: &str) -> bool {
        let verdict = self.spend(text.len().min(LONGEST));
        if verdict == Verdict::FirstRefused {
            let Labels { route, component } = &*self.labels;
            tracing::warn!(route, %component, "{CUT}");
        }
        verdict == Verdict::Granted
    }

    /// Counts a line with a text of this length, and that lines are left out.
    fn spend(&self, length: usize) -> Verdict {
        let verdict = self.budget.spend(length + self.line_cost);
        if verdict == Verdict::FirstRefused {
            self.metrics.over(Bound::LogRate);
        }
        verdict
    }
}

/// An instance's output streams.
#[derive(Clone)]
pub(crate) struct InstanceLog {
    pub(crate) stdout: LogStream,
    pub(crate) stderr: LogStream,
}

impl InstanceLog {
    /// Makes the streams of an instance: lines of its standard output are logged as information, those of its standard error
    /// as warnings.
    pub(crate) fn new(component: &Arc<ComponentLog>, current: &Arc<CurrentRequest>) -> Self {
        Self {
            stdout: LogStream::new(Kind::Stdout, component, current),
            stderr: LogStream::new(Kind::Stderr, component, current),
        }
    }

    /// Logs lines that have no end yet. Called at the end of a request, so that the next one does not complete them.
    pub(crate) fn flush(&self) {
        self.stdout.0.flush();
        self.stderr.0.flush();
    }
}

/// One of an instance's two output streams.
#[derive(Clone)]
pub(crate) struct LogStream(Arc<Lines>);

struct Lines {
    kind: Kind,
    component: Arc<ComponentLog>,
    current: Arc<CurrentRequest>,
    partial: Mutex<Vec<u8>>,
}

#[derive(Clone, Copy)]
enum Kind {
    Stdout,
    Stderr,
}

impl LogStream {
    fn new(kind: Kind, component: &Arc<ComponentLog>, current: &Arc<CurrentRequest>) -> Self {
        Self(Arc::new(Lines {
            kind,
            component: Arc::clone(component),
            current: Arc::clone(current),
            partial: Mutex::default(),
        }))
    }
}

impl Lines {
    fn write(&self, bytes: &[u8]) {
        let mut partial = self.partial.lock().unwrap_or_else(PoisonError::into_inner);
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            for chunk in piece.chunks(LONGEST) {
                partial.extend_from_slice(chunk);
                if partial.ends_with(b"\n") || partial.len() >= LONGEST {
                    self.log(&partial);
                    partial.clear();
                }
            }
        }
    }

    /// Logs what there is of a line.
    fn flush(&self) {
        let mut partial = self.partial.lock().unwrap_or_else(PoisonError::into_inner);
        if !partial.is_empty() {
            self.log(&partial);
            partial.clear();
        }
    }

    fn log(&self, line: &[u8]) {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = String::from_utf8_lossy(line);
        let line = shown(self.without_origin(&line));
        match self.component.spend(line.len()) {
            Verdict::Granted => self.emit(&line),
            Verdict::FirstRefused => self.emit(CUT),
            Verdict::Refused => {}
        }
    }

    /// Removes the request and route that the crate `waypost` adds to an error, for hosts whose log does not name them. Here
    /// they are fields of the line.
    fn without_origin<'l>(&self, line: &'l str) -> &'l str {
        if !line.ends_with(')') {
            return line;
        }
        let (id, route) = (self.current.get().id, &self.component.labels.route);
        let origin = format!(" (request {id}, route {route})");
        line.strip_suffix(origin.as_str()).unwrap_or(line)
    }

    fn emit(&self, line: &str) {
        let Labels { route, component } = &*self.component.labels;
        let request = self.current.get().id;
        match self.kind {
            Kind::Stdout => {
                tracing::info!(target: "waypost::route", route, %component, %request, stream = "stdout", "{line}");
            }
            Kind::Stderr => {
                tracing::warn!(target: "waypost::route", route, %component, %request, stream = "stderr", "{line}");
            }
        }
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.flush();
    }
}

impl IsTerminal for LogStream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for LogStream {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl AsyncWrite for LogStream {
    fn poll_write(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        // A guest may hand over all of its memory at once. What it does next is charged to its CPU time.
        let piece = &bytes[..bytes.len().min(LONGEST)];
        self.0.write(piece);
        Poll::Ready(Ok(piece.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for LogStream {
    async fn ready(&mut self) {}
}

impl OutputStream for LogStream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.0.write(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(LONGEST)
    }
}
