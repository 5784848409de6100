//! What a connection is busy with, as far as the HTTP library does not tell.

use crate::http::egress::http2::OpenStreams;
use crate::observe::metrics::Metrics;
use crate::request::admission::Permit;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How many times in `idle_timeout`, or in `keep_alive` if that is shorter, the host checks whether a client makes progress.
const CHECKS: u32 = 4;

/// The state of a connection, recorded by its socket and by its requests.
pub(in crate::http) struct Progress {
    /// Responses that are being sent over HTTP/2.
    pub(in crate::http) streams: OpenStreams,
    pub(in crate::http) metrics: Arc<Metrics>,
    start: Instant,
    was_asked: AtomicBool,
    is_http2: AtomicBool,
    is_in_head: AtomicBool,
    is_closed: AtomicBool,
    discards: AtomicBool,
    open: AtomicUsize,
    /// Milliseconds after the start at which the last response was over.
    quiet_since: AtomicU64,
    /// Milliseconds after the start at which the incomplete head began.
    head_since: AtomicU64,
}

/// Why the host gives up on a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lapse {
    /// It has sent no request.
    Silent,
    /// It has sent no request since the last response.
    Idle,
    /// It reads no response and sends no other request, or it stopped within the head of one.
    Stalled,
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.metrics.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A request whose response is not over; dropping it ends it.
pub(in crate::http) struct OpenRequest {
    pub(in crate::http) progress: Arc<Progress>,
    has_body: bool,
    /// The request's place among those of the app.
    place: Option<Permit>,
}

impl OpenRequest {
    /// Keeps the request's place among those of the app until the response is over.
    pub(in crate::http) fn keep(&mut self, place: Option<Permit>) {
        self.place = place;
    }
}

impl Drop for OpenRequest {
    fn drop(&mut self) {
        let progress = &self.progress;
        progress
            .quiet_since
            .store(progress.now(), Ordering::Relaxed);
        if self.has_body {
            // What was read last may have been the body.
            progress.is_in_head.store(false, Ordering::Relaxed);
        }
        progress.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Progress {
    /// Starts with a connection that was just accepted.
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        metrics.connections.fetch_add(1, Ordering::Relaxed);
        Self {
            streams: OpenStreams::default(),
            metrics,
            start: Instant::now(),
            was_asked: AtomicBool::new(false),
            is_http2: AtomicBool::new(false),
            is_in_head: AtomicBool::new(false),
            is_closed: AtomicBool::new(false),
            discards: AtomicBool::new(false),
            open: AtomicUsize::new(0),
            quiet_since: AtomicU64::new(0),
            head_since: AtomicU64::new(0),
        }
    }

    /// Records that a request begins, with or without a body.
    pub(super) fn open(self: &Arc<Self>, has_body: bool) -> OpenRequest {
        self.was_asked.store(true, Ordering::Relaxed);
        self.open.fetch_add(1, Ordering::Relaxed);
        OpenRequest {
            progress: Arc::clone(self),
            has_body,
            place: None,
        }
    }

    /// Records that the client sent something, and whether it ends within a head as far as its last bytes show.
    pub(super) fn read(&self, is_in_head: bool) {
        let was_in_head = self.is_in_head.swap(is_in_head, Ordering::Relaxed);
        if is_in_head && !was_in_head {
            self.head_since.store(self.now(), Ordering::Relaxed);
        }
    }

    /// Records that the host sent something. In HTTP/2 it sends its settings first; in HTTP/1 it waits to be asked.
    pub(super) fn wrote(&self) {
        if !self.was_asked.load(Ordering::Relaxed) {
            self.is_http2.store(true, Ordering::Relaxed);
        }
    }

    /// Returns whether the client has sent a part of a head of HTTP/1.
    ///
    /// It misses a client that stops within a head if it began to send that before the response to a request with a body.
    pub(super) fn is_in_head(&self) -> bool {
        self.is_in_head.load(Ordering::Relaxed) && !self.is_http2()
    }

    /// Returns whether the connection speaks HTTP/2, as far as that is known yet.
    pub(super) fn is_http2(&self) -> bool {
        self.is_http2.load(Ordering::Relaxed)
    }

    /// Records that nothing more of what the client sends is of use.
    pub(super) fn discard(&self) {
        self.discards.store(true, Ordering::Relaxed);
    }

    /// Returns whether nothing more of what the client sends is of use.
    pub(super) fn discards(&self) -> bool {
        self.discards.load(Ordering::Relaxed)
    }

    /// Records that the client sends no more.
    pub(super) fn closed(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
    }

    /// Returns whether the client sends no more.
    pub(super) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Relaxed)
    }

    /// Waits until the client has made no progress for `idle_timeout`, or has sent no request for `keep_alive` since its last
    /// response. Meanwhile it gives up each response that the client does not read.
    pub(super) async fn lapse(&self, idle_timeout: Duration, keep_alive: Duration) -> Lapse {
        let pause = idle_timeout.min(keep_alive) / CHECKS;
        loop {
            tokio::time::sleep(pause).await;
            if !self.was_asked.load(Ordering::Relaxed) {
                match self.start.elapsed() >= idle_timeout {
                    true => return Lapse::Silent,
                    false => continue,
                }
            }
            let given_up = self.streams.give_up(idle_timeout, &self.metrics);
            let is_stalled = self.is_quiet_for(idle_timeout);
            match self.open.load(Ordering::Relaxed) {
                0 if self.is_in_head() && is_stalled => return Lapse::Stalled,
                0 if !self.is_in_head() && self.is_quiet_for(keep_alive) => return Lapse::Idle,
                open if open > 0 && is_stalled && open == given_up => return Lapse::Stalled,
                _ => {}
            }
        }
    }

    /// Returns whether no response has ended, and no head has begun, for this long.
    fn is_quiet_for(&self, period: Duration) -> bool {
        let response = self.quiet_since.load(Ordering::Relaxed);
        let head = match self.is_in_head() {
            true => self.head_since.load(Ordering::Relaxed),
            false => 0,
        };
        self.start.elapsed() >= Duration::from_millis(response.max(head)) + period
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
