//! A connection over HTTP/2, and the requests on it.

use super::lock;
use crate::wasi::upstream::KEPT_IDLE;
use crate::wasi::upstream::connection::Connection;
use crate::wasi::upstream::connector::Places;
use crate::wasi::upstream::error::{ConnectError, SendError};
use http::header::HOST;
use http::{Method, Request, Response, Version};
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper::rt::Executor;
use hyper_util::rt::TokioTimer;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use wasmtime_wasi_http::{Error, WasiBody};

/// How many requests share a connection at most. A server may allow fewer; most allow a hundred.
const MAX_STREAMS: u32 = 32;
/// How much of a response a server may send before the component reads it. A component's `memory` counts as much for each handle.
const STREAM_WINDOW: u32 = 128 << 10;
/// The same for all responses of a connection: one that nobody reads does not stop the others.
const CONNECTION_WINDOW: u32 = STREAM_WINDOW * MAX_STREAMS;
/// How much of a request waits in memory for the server to take it.
const SEND_BUFFER: usize = 64 << 10;
/// The size of a response's head: what WASI lets a component hold in one map of header fields.
const MAX_HEAD: u32 = 128 << 10;
/// How often to look whether a connection is idle.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// How long the end of a connection may take: the server is told, and need not read it.
const CLOSING: Duration = Duration::from_secs(1);
/// How long a connection with requests may be silent before the server is asked for a sign of life, and how long that may take.
/// Without it, a dead connection is noticed only by the timeouts of its requests, which may be minutes.
const PING_AFTER: Duration = Duration::from_secs(20);
const PING_TIMEOUT: Duration = Duration::from_secs(10);

type Driver = http2::Connection<Connection, WasiBody, Tasks>;

/// The tasks of a connection. They end with it, whatever the server does.
#[derive(Clone, Default)]
struct Tasks(CancellationToken);

impl<F> Executor<F> for Tasks
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, task: F) {
        let closed = self.0.clone();
        tokio::spawn(async move { closed.run_until_cancelled(task).await });
    }
}

/// A connection over HTTP/2.
pub(super) struct Http2Connection {
    sender: SendRequest<WasiBody>,
    /// Moves requests to the server, until the connection is over.
    driver: Mutex<Option<Driver>>,
    usage: Mutex<Usage>,
    tasks: Tasks,
}

/// What a connection is used for.
struct Usage {
    streams: usize,
    /// Since when it has as many streams.
    since: Instant,
    /// How many responses it had.
    responses: u64,
    /// Whether it takes no more requests.
    is_retired: bool,
    /// Whether the server said that it wants HTTP/1.1.
    requires_http1: bool,
}

impl Usage {
    fn is_over(&self) -> bool {
        self.streams == 0 && (self.is_retired || self.since.elapsed() >= KEPT_IDLE)
    }
}

impl Http2Connection {
    /// Begins HTTP/2 on a connection.
    pub(super) async fn start(connection: Connection) -> Result<Arc<Self>, ConnectError> {
        let tasks = Tasks::default();
        let started = http2::Builder::new(tasks.clone())
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_send_buf_size(SEND_BUFFER)
            .max_header_list_size(MAX_HEAD)
            .timer(TokioTimer::new())
            .keep_alive_interval(PING_AFTER)
            .keep_alive_timeout(PING_TIMEOUT)
            .handshake(connection)
            .await;
        let (sender, driver) = started.map_err(|error| ConnectError::Tcp(error.to_string()))?;
        let connection = Arc::new(Self {
            sender,
            driver: Mutex::new(Some(driver)),
            usage: Mutex::new(Usage {
                streams: 0,
                since: Instant::now(),
                responses: 0,
                is_retired: false,
                requires_http1: false,
            }),
            tasks,
        });
        tokio::spawn(Arc::clone(&connection).drive());
        Ok(connection)
    }

    /// Drives the connection until it is over.
    async fn drive(self: Arc<Self>) {
        while !self.is_over() {
            tokio::select! {
                () = poll_fn(|cx| self.poll(cx)) => {}
                () = self.tasks.0.cancelled() => return,
                () = tokio::time::sleep(CHECK_INTERVAL) => {}
            }
        }
        // Now the server is told.
        lock(&self.driver).take();
        tokio::time::sleep(CLOSING).await;
        self.tasks.0.cancel();
    }

    /// Moves requests to the server. Once it takes no more, those that it has end without this.
    fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut driver = lock(&self.driver);
        if let Some(open) = driver.as_mut()
            && Pin::new(open).poll(cx).is_ready()
        {
            driver.take();
            self.retire();
            return Poll::Ready(());
        }
        Poll::Pending
    }

    /// Returns how many requests may share the connection now.
    fn most(&self) -> usize {
        let driver = lock(&self.driver);
        let allowed = driver.as_ref().map(Driver::current_max_send_streams);
        // A server that allows none for now may allow one soon.
        allowed.map_or(0, |allowed| allowed.clamp(1, MAX_STREAMS as usize))
    }

    /// Takes the place of one more request, or returns `None` if the connection has no room.
    pub(super) fn stream(self: &Arc<Self>) -> Option<Http2Stream> {
        let most = self.most();
        let mut usage = lock(&self.usage);
        let is_open = !usage.is_retired && !usage.is_over() && !self.sender.is_closed();
        if !is_open || usage.streams >= most {
            return None;
        }
        usage.streams += 1;
        Some(Http2Stream {
            connection: Arc::clone(self),
            _places: Places::default(),
        })
    }

    /// Lets the connection end with its requests.
    fn retire(&self) {
        lock(&self.usage).is_retired = true;
    }

    /// Returns whether the connection has no requests, and gets no more.
    pub(super) fn is_over(&self) -> bool {
        let mut usage = lock(&self.usage);
        usage.is_retired |= usage.is_over();
        usage.is_over()
    }

    /// Returns whether the server said that it wants HTTP/1.1 (RFC 9113, section 7).
    pub(super) fn requires_http1(&self) -> bool {
        lock(&self.usage).requires_http1
    }

    /// Closes the connection at once, unless it has requests. Returns whether it did.
    pub(super) fn close_if_idle(&self) -> bool {
        let mut usage = lock(&self.usage);
        let is_idle = usage.streams == 0;
        if is_idle {
            usage.is_retired = true;
            self.tasks.0.cancel();
        }
        is_idle
    }
}

/// The place of one request on a connection.
pub(in crate::wasi::upstream) struct Http2Stream {
    connection: Arc<Http2Connection>,
    _places: Places,
}

impl Http2Stream {
    /// Keeps `places` as long as the request lasts.
    pub(super) fn takes(&mut self, places: Places) {
        self._places = places;
    }

    /// Sends a request, and waits for the head of its response.
    ///
    /// If the response does not come in time, or the caller drops the future, and no other response came meanwhile, the
    /// connection is not used again: it may be dead.
    pub(in crate::wasi::upstream) async fn send(
        &self,
        mut request: Request<WasiBody>,
        first_byte: Duration,
    ) -> Result<Response<Incoming>, SendError> {
        if request.method() == Method::CONNECT {
            return Err(Error::HttpRequestMethodInvalid.into());
        }
        // Its value is in `:authority`.
        request.headers_mut().remove(HOST);
        *request.version_mut() = Version::HTTP_2;
        let connection = &self.connection;
        let waiting = Waiting::new(connection);
        let responding = connection.sender.clone().try_send_request(request);
        let Ok(response) = tokio::time::timeout(first_byte, responding).await else {
            return Err(Error::ConnectionReadTimeout.into());
        };
        waiting.end();
        match response {
            Ok(response) => {
                lock(&connection.usage).responses += 1;
                Ok(response)
            }
            Err(error) => {
                let was_used = lock(&connection.usage).responses > 0;
                let error = SendError::of_http2(error, was_used);
                self.note(&error);
                Err(error)
            }
        }
    }

    /// Notes that the server gave no response.
    fn note(&self, error: &SendError) {
        let mut usage = lock(&self.connection.usage);
        usage.requires_http1 |= error.requires_http1;
        usage.is_retired |= error.is_unprocessed;
    }

    /// Notes that the server sends nothing any more.
    pub(in crate::wasi::upstream) fn retire(&self) {
        self.connection.retire();
    }
}

impl Drop for Http2Stream {
    fn drop(&mut self) {
        let mut usage = lock(&self.connection.usage);
        usage.streams -= 1;
        usage.since = Instant::now();
    }
}

/// A request that waits for its response.
///
/// If it is given up before any response came, the connection is retired. That also bounds what such requests leave in memory:
/// they stay in a queue while the server does not read or allows no streams.
struct Waiting<'c> {
    connection: &'c Http2Connection,
    /// How many responses the connection had when the request began, until it has ended.
    responses: Option<u64>,
}

impl<'c> Waiting<'c> {
    fn new(connection: &'c Http2Connection) -> Self {
        let responses = Some(lock(&connection.usage).responses);
        Self {
            connection,
            responses,
        }
    }

    /// Ends the wait, because the response or an error is there.
    fn end(mut self) {
        self.responses = None;
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut usage = lock(&self.connection.usage);
        usage.is_retired |= self.responses == Some(usage.responses);
    }
}
