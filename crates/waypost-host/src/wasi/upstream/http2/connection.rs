//! A connection over HTTP/2, and the requests on it.

use super::{Http1Note, lock};
use crate::wasi::upstream::KEPT_IDLE;
use crate::wasi::upstream::connection::Connection;
use crate::wasi::upstream::connector::Places;
use crate::wasi::upstream::error::{ConnectError, SendError};
use http::header::HOST;
use http::{Method, Request, Response, Version};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper::rt::Executor;
use hyper_util::rt::TokioTimer;
use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::oneshot::{self, error::TryRecvError};
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
/// How long a server may take to say how many requests it allows at once. It has no reason to wait: that is the first thing that
/// it sends (RFC 9113, section 3.4).
const SETTINGS_TIMEOUT: Duration = Duration::from_secs(10);
/// How often to look whether it did: nothing else tells.
const SETTINGS_INTERVAL: Duration = Duration::from_millis(1);
/// How long a server may take for the rest of a request that nobody waits for any more.
const TAIL: Duration = Duration::from_secs(10);
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
    http1: Http1Note,
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
}

impl Usage {
    fn is_over(&self) -> bool {
        self.streams == 0 && (self.is_retired || self.since.elapsed() >= KEPT_IDLE)
    }
}

impl Http2Connection {
    /// Begins HTTP/2 on a connection, and waits until the server allows a request.
    ///
    /// `http1` is set if the server says later that it wants HTTP/1.1.
    pub(super) async fn start(
        connection: Connection,
        http1: Http1Note,
    ) -> Result<Arc<Self>, ConnectError> {
        let tasks = Tasks::default();
        // For an error, and for a caller that does not wait.
        let closing = tasks.0.clone().drop_guard();
        let started = http2::Builder::new(tasks.clone())
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_send_buf_size(SEND_BUFFER)
            .max_header_list_size(MAX_HEAD)
            .timer(TokioTimer::new())
            .keep_alive_interval(PING_AFTER)
            .keep_alive_timeout(PING_TIMEOUT)
            // None before the server says how many it allows.
            .initial_max_send_streams(0)
            .handshake(connection)
            .await;
        let (sender, mut driver) = started.map_err(|error| ConnectError::Tcp(error.to_string()))?;
        let allowing = allowance(&mut driver);
        let allowed = tokio::time::timeout(SETTINGS_TIMEOUT, allowing).await;
        allowed.map_err(|_| ConnectError::Timeout)??;
        closing.disarm();
        let connection = Arc::new(Self {
            sender,
            driver: Mutex::new(Some(driver)),
            usage: Mutex::new(Usage {
                streams: 0,
                since: Instant::now(),
                responses: 0,
                is_retired: false,
            }),
            tasks,
            http1,
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
        allowed.map_or(0, |allowed| allowed.min(MAX_STREAMS as usize))
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
            places: Places::default(),
            sent: None,
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

/// Waits until the server allows a request, or has closed the connection.
async fn allowance(driver: &mut Driver) -> Result<(), ConnectError> {
    while driver.current_max_send_streams() == 0 {
        if let Ok(ended) = tokio::time::timeout(SETTINGS_INTERVAL, &mut *driver).await {
            let reason = "the server closed it at once".to_owned();
            let reason = ended.err().map_or(reason, |error| error.to_string());
            return Err(ConnectError::Tcp(reason));
        }
    }
    Ok(())
}

/// The place of one request on a connection. It is kept until the library has taken all of the body: at most one piece of it
/// is then left to send.
pub(in crate::wasi::upstream) struct Http2Stream {
    connection: Arc<Http2Connection>,
    places: Places,
    /// Ends when the connection drops the body of the request.
    sent: Option<oneshot::Receiver<Infallible>>,
}

impl Http2Stream {
    /// Keeps `places` as long as the request lasts.
    pub(super) fn takes(&mut self, places: Places) {
        self.places = places;
    }

    /// Sends a request, and waits for the head of its response.
    ///
    /// If the response does not come in time, or the caller drops the future, and no other response came meanwhile, the
    /// connection is not used again: it may be dead.
    pub(in crate::wasi::upstream) async fn send(
        &mut self,
        mut request: Request<WasiBody>,
        first_byte: Duration,
    ) -> Result<Response<Incoming>, SendError> {
        if request.method() == Method::CONNECT {
            return Err(Error::HttpRequestMethodInvalid.into());
        }
        // Its value is in `:authority`.
        request.headers_mut().remove(HOST);
        *request.version_mut() = Version::HTTP_2;
        let (until_sent, sent) = oneshot::channel();
        self.sent = Some(sent);
        let request = request.map(|body| {
            let keep = move |error| {
                let _ = &until_sent;
                error
            };
            body.map_err(keep).boxed_unsync()
        });
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
        if error.requires_http1 {
            self.connection.http1.set();
        }
        if error.is_unprocessed {
            self.connection.retire();
        }
    }

    /// Notes that the server sends nothing any more.
    pub(in crate::wasi::upstream) fn retire(&self) {
        self.connection.retire();
    }
}

impl Drop for Http2Stream {
    fn drop(&mut self) {
        let tail = Tail {
            connection: Arc::clone(&self.connection),
            _places: std::mem::take(&mut self.places),
        };
        let Some(mut sent) = self.sent.take() else {
            return;
        };
        let is_sent = matches!(sent.try_recv(), Err(TryRecvError::Closed));
        // Without a runtime, the connections have ended.
        if !is_sent && let Ok(runtime) = Handle::try_current() {
            runtime.spawn(tail.wait(sent));
        }
    }
}

/// What is left of a request when nobody waits for its response any more.
struct Tail {
    connection: Arc<Http2Connection>,
    _places: Places,
}

impl Tail {
    /// Waits until the connection has sent it. If that takes too long, the connection gets no more requests.
    async fn wait(self, sent: oneshot::Receiver<Infallible>) {
        if tokio::time::timeout(TAIL, sent).await.is_err() {
            self.connection.retire();
        }
    }
}

impl Drop for Tail {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::body;
    use bytes::Bytes;
    use h2::server::{Builder, SendResponse};
    use http_body_util::StreamBody;
    use hyper::body::Frame;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
    use tokio::sync::mpsc;

    type Answers = mpsc::UnboundedReceiver<SendResponse<Bytes>>;

    /// Serves a connection that allows `streams`. Returns its other end, and the requests that came. They end with it.
    fn server(streams: u32) -> (Connection, Answers) {
        let (sender, answers) = mpsc::unbounded_channel();
        let serve = move |stream: DuplexStream| async move {
            let mut builder = Builder::new();
            builder.max_concurrent_streams(streams);
            let mut connection = builder.handshake(stream).await.expect("it is HTTP/2");
            while let Some(Ok((_, respond))) = connection.accept().await {
                let _ = sender.send(respond);
            }
        };
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        tokio::spawn(serve(theirs));
        let connection = Connection::new(Box::new(ours), true, Places::default());
        (connection, answers)
    }

    async fn started(streams: u32) -> (Arc<Http2Connection>, Answers) {
        let (connection, answers) = server(streams);
        let connection = Http2Connection::start(connection, Http1Note::default()).await;
        (
            connection.unwrap_or_else(|error| panic!("{error}")),
            answers,
        )
    }

    async fn send(mut stream: Http2Stream) -> Result<Response<Incoming>, SendError> {
        let request = Request::get("https://example.com/").body(body::empty());
        let request = request.expect("it is valid");
        stream.send(request, Duration::from_secs(60)).await
    }

    #[tokio::test]
    async fn a_connection_with_an_unanswered_request_is_not_used_again() {
        let (connection, mut answers) = started(100).await;
        let stream = connection.stream().expect("there is room");
        let sending = tokio::spawn(send(stream));
        let _unanswered = answers.recv().await.expect("it comes");
        assert!(connection.stream().is_some());
        sending.abort();
        assert!(sending.await.is_err());
        assert!(connection.stream().is_none());
    }

    #[tokio::test]
    async fn a_connection_with_other_responses_is_used_again() {
        let (connection, mut answers) = started(100).await;
        let stream = || connection.stream().expect("there is room");
        let sending = tokio::spawn(send(stream()));
        let _unanswered = answers.recv().await.expect("it comes");
        let answered = tokio::spawn(send(stream()));
        let mut respond = answers.recv().await.expect("it comes");
        let sent = respond.send_response(Response::new(()), true);
        sent.expect("the request is there");
        assert!(answered.await.expect("it ends").is_ok());
        sending.abort();
        assert!(sending.await.is_err());
        assert!(connection.stream().is_some());
    }

    /// Answers the first request by the end of the connection, as if no request had come.
    async fn go_away(mut stream: DuplexStream, reason: h2::Reason) -> std::io::Result<()> {
        const PREFACE: usize = 24;
        const HEADERS: u8 = 1;
        stream.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await?;
        stream.read_exact(&mut [0; PREFACE]).await?;
        loop {
            let mut head = [0; 9];
            stream.read_exact(&mut head).await?;
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let mut payload = vec![0; length as usize];
            stream.read_exact(&mut payload).await?;
            if head[3] == HEADERS {
                break;
            }
        }
        let frame = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        stream.write_all(&frame).await?;
        stream.write_all(&u32::from(reason).to_be_bytes()).await?;
        // Until the client closes.
        stream.read_to_end(&mut Vec::new()).await.map(|_| ())
    }

    #[tokio::test]
    async fn only_a_server_that_closes_as_planned_knows_what_it_handled() {
        for reason in [h2::Reason::NO_ERROR, h2::Reason::INTERNAL_ERROR] {
            let (ours, theirs) = tokio::io::duplex(1 << 16);
            tokio::spawn(go_away(theirs, reason));
            let connection = Connection::new(Box::new(ours), true, Places::default());
            let connection = Http2Connection::start(connection, Http1Note::default()).await;
            let connection = connection.unwrap_or_else(|error| panic!("{error}"));
            let error = send(connection.stream().expect("there is room"))
                .await
                .err();
            let is_unsent = error.expect("there is no response").is_unsent();
            assert_eq!(is_unsent, reason == h2::Reason::NO_ERROR, "{reason}");
        }
    }

    #[tokio::test]
    async fn a_request_keeps_its_place_until_its_body_is_sent() {
        let (connection, mut answers) = started(1).await;
        let mut stream = connection.stream().expect("there is room");
        // More than the server takes unread, in pieces: the library takes the whole of each.
        let piece = || Ok::<_, Error>(Frame::data(Bytes::from(vec![0; 1 << 14])));
        let pieces = futures::stream::iter(std::iter::repeat_with(piece).take(64));
        let body = StreamBody::new(pieces).boxed_unsync();
        let request = Request::put("https://example.com/").body(body);
        let request = request.expect("it is valid");
        let sending = stream.send(request, Duration::from_secs(60));
        let answering = async {
            let mut answer = answers.recv().await.expect("it comes");
            let sent = answer.send_response(Response::new(()), true);
            sent.expect("the request is there");
            answer
        };
        let (response, mut answer) = tokio::join!(sending, answering);
        assert!(response.is_ok());
        drop(stream);
        assert!(connection.stream().is_none());
        answer.send_reset(h2::Reason::NO_ERROR);
        while connection.stream().is_none() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_server_that_allows_no_requests_gets_none() {
        for _ in 0..3 {
            let (connection, mut answers) = server(0);
            let starting = Http2Connection::start(connection, Http1Note::default());
            let given_up = tokio::time::timeout(Duration::from_millis(20), starting).await;
            assert!(given_up.is_err());
            // The connection ends.
            assert!(answers.recv().await.is_none());
        }
    }

    #[tokio::test]
    async fn a_server_gets_as_many_requests_at_once_as_it_allows() {
        let (connection, _answers) = started(4).await;
        let streams: Vec<_> = std::iter::from_fn(|| connection.stream()).collect();
        assert_eq!(streams.len(), 4);
    }
}
