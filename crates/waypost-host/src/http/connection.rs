//! One connection, HTTP/1.1 or HTTP/2.

pub(super) mod linger;
pub(super) mod progress;
mod socket;

use super::admin;
use super::egress::SentBody;
use super::ingress::{self, Endpoints};
use super::spin;
use crate::app::App;
use crate::app::cache::door::Arrival;
use crate::compat::HostProfile;
use crate::observe::metrics::Bound;
use crate::request::head::RequestError;
use futures::future::{Either, ready};
use http::{Request, Response, Version};
use hyper::body::{Body as _, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use progress::{Lapse, Progress};
use socket::ClientSocket;
use std::convert::Infallible;
use std::error::Error;
use std::future::Future;
use std::io::{self, ErrorKind};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

/// HTTP/2 requests of one connection at once: as many as browsers send, and few enough that one client cannot take the
/// whole concurrency of the app.
const STREAMS: u32 = 100;

/// Smallest buffer that hyper accepts for the head of a request.
const MIN_HEAD: usize = 8 * 1024;

/// How long a connection of HTTP/1 that is idle when the host stops may send one more request. That may be on its way, and
/// its client could not know whether it was handled.
const LAST_REQUEST: Duration = Duration::from_millis(500);

/// How often a silent HTTP/2 client is pinged.
const PING_INTERVAL: Duration = Duration::from_secs(20);

/// Makes connections that are configured alike.
pub(super) struct Connections {
    app: Arc<App>,
    builder: Arc<Builder<TokioExecutor>>,
    stopping: CancellationToken,
}

impl Connections {
    /// Configures connections for `app`. They end gracefully when `stopping` is cancelled.
    pub(super) fn new(app: Arc<App>, stopping: CancellationToken) -> Self {
        let builder = Arc::new(builder(&app));
        Self {
            app,
            builder,
            stopping,
        }
    }

    /// Serves one connection until it ends.
    pub(super) fn serve(&self, stream: TcpStream) -> impl Future<Output = ()> + Send + use<> {
        let (app, builder) = (Arc::clone(&self.app), Arc::clone(&self.builder));
        let stopping = self.stopping.clone();
        async move {
            let (Ok(client), Ok(own)) = (stream.peer_addr(), stream.local_addr()) else {
                return;
            };
            if app.profile == HostProfile::Spin {
                return spin::run(app, stream, client, &stopping).await;
            }
            // Otherwise a chunk waits for the acknowledgement of the one before (40 ms).
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "connection without TCP_NODELAY");
            }
            let endpoints = Endpoints::new(client, own);
            run(app, &builder, stream, endpoints, &stopping).await;
        }
    }
}

async fn run(
    app: Arc<App>,
    builder: &Builder<TokioExecutor>,
    stream: TcpStream,
    endpoints: Endpoints,
    stopping: &CancellationToken,
) {
    let idle_timeout = app.settings.limits.idle_timeout;
    let progress = Arc::new(Progress::new(Arc::clone(&app.metrics)));
    let (socket, returned) = ClientSocket::new(stream, idle_timeout, Arc::clone(&progress));
    let end = drive(&app, builder, socket, endpoints, &progress, stopping).await;
    if let End::Failed(error) = &end {
        tracing::debug!(error, "connection ended early");
    }
    // The HTTP library does not answer an incomplete head.
    let is_stalled = matches!(end, End::Lapsed) && progress.is_in_head();
    let rejection = is_stalled.then_some(RequestError::StalledHead);
    if let Some(bound) = end.bound(rejection) {
        progress.metrics.over(bound);
    }
    if progress.is_closed() {
        return;
    }
    if let Ok(stream) = returned.await {
        let response = rejection.map(linger::rejection).unwrap_or_default();
        // Over HTTP/2 a refused upload ends by itself, with its stream.
        let patience = match progress.is_http2() {
            true => &linger::BRIEF,
            false => &linger::PATIENT,
        };
        linger::close(stream, &response, patience, last_request(&app, stopping)).await;
    }
}

/// How a connection ended.
enum End {
    Done,
    Failed(Box<dyn Error + Send + Sync>),
    /// The client made no progress.
    Lapsed,
}

impl End {
    /// Returns the bound that the connection itself exceeded, if any.
    fn bound(&self, rejection: Option<RequestError>) -> Option<Bound> {
        let is_large = self.error().is_some_and(hyper::Error::is_parse_too_large);
        let of_library = match (is_large, self.is_unread()) {
            (true, _) => Some(Bound::Headers),
            (_, true) => Some(Bound::IdleTimeout),
            (false, false) => None,
        };
        rejection.and_then(RequestError::bound).or(of_library)
    }

    /// Returns whether a write timed out, as the client read nothing.
    fn is_unread(&self) -> bool {
        let cause = self.error().and_then(|error| error.source());
        let cause = cause.and_then(|cause| cause.downcast_ref::<io::Error>());
        cause.is_some_and(|error| error.kind() == ErrorKind::TimedOut)
    }

    fn error(&self) -> Option<&hyper::Error> {
        match self {
            Self::Failed(error) => error.downcast_ref(),
            Self::Done | Self::Lapsed => None,
        }
    }
}

/// Lets the HTTP library serve a connection until it ends.
async fn drive(
    app: &Arc<App>,
    builder: &Builder<TokioExecutor>,
    socket: ClientSocket,
    endpoints: Endpoints,
    progress: &Arc<Progress>,
    stopping: &CancellationToken,
) -> End {
    let limits = &app.settings.limits;
    let serving = Arc::new(Serving {
        app: Arc::clone(app),
        endpoints,
        progress: Arc::clone(progress),
        stopping: stopping.clone(),
    });
    let service = service_fn(|request: Request<Incoming>| serving.answer(request));
    let mut connection = pin!(builder.serve_connection(TokioIo::new(socket), service));
    let patience = || progress.lapse(limits.idle_timeout, limits.keep_alive);
    let mut lapse = pin!(patience());
    let mut stop = pin!(async {
        stopping.cancelled().await;
        if !progress.is_http2() {
            last_request(app, stopping).await;
        }
    });
    let mut is_stopping = false;
    loop {
        tokio::select! {
            ended = &mut connection => return ended.map_or_else(End::Failed, |()| End::Done),
            lapsed = &mut lapse => match lapsed {
                Lapse::Silent | Lapse::Stalled => return End::Lapsed,
                Lapse::Idle => {
                    connection.as_mut().graceful_shutdown();
                    lapse.set(patience());
                }
            },
            () = &mut stop, if !is_stopping => {
                is_stopping = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

/// A connection that serves requests.
struct Serving {
    app: Arc<App>,
    endpoints: Endpoints,
    progress: Arc<Progress>,
    stopping: CancellationToken,
}

impl Serving {
    /// Answers a request. What the cache has at the door needs no work, and no future that does it.
    fn answer(
        self: &Arc<Self>,
        request: Request<Incoming>,
    ) -> impl Future<Output = Result<Response<SentBody>, Infallible>> + use<> {
        let (version, has_body) = (request.version(), !request.body().is_end_stream());
        let mut open = self.progress.open(has_body);
        let asks_health = self.app.settings.server.public_health && is_health(&request);
        let arrival = match asks_health {
            true => Arrival::Passed(None),
            false => self.app.at_the_door(&request),
        };
        let target = match arrival {
            Arrival::Answered { response, place } => {
                open.keep(place);
                let response = self.finish(response, version, false);
                let response = SentBody::whole(response, version, open);
                return Either::Left(ready(Ok(response)));
            }
            Arrival::Passed(target) => target,
        };
        let serving = Arc::clone(self);
        Either::Right(async move {
            let app = Arc::clone(&serving.app);
            let (response, is_last) = match asks_health {
                true => (admin::health(&app), false),
                false => {
                    let endpoints = serving.endpoints.clone();
                    let answered = ingress::enter(app, request, endpoints, target).await;
                    open.keep(answered.place);
                    (answered.response, answered.is_last)
                }
            };
            let response = serving.finish(response, version, is_last);
            Ok(SentBody::response(response, version, open))
        })
    }

    /// Says in a response of HTTP/1 whether it is the last of the connection. Over HTTP/2, only the stream ends, and a frame
    /// says when the connection does.
    fn finish<B>(&self, mut response: Response<B>, version: Version, is_last: bool) -> Response<B> {
        if version == Version::HTTP_2 {
            return response;
        }
        if is_last || self.stopping.is_cancelled() {
            ingress::say_close(&mut response);
        }
        if is_last {
            self.progress.discard();
        }
        response
    }
}

/// Waits until the host stops, and then for as long as an idle connection may send one more request.
async fn last_request(app: &App, stopping: &CancellationToken) {
    stopping.cancelled().await;
    tokio::time::sleep(LAST_REQUEST.min(app.settings.server.shutdown_grace / 2)).await;
}

/// Returns whether a request asks for the health of the host.
fn is_health(request: &Request<Incoming>) -> bool {
    request.uri().path() == admin::HEALTH && admin::is_read(request.method())
}

/// Configures both protocols. hyper's `pipeline_flush` stays off: it holds a response back while the next request is in the
/// buffer, so a stream would stall, and the answer to a malformed request would never be sent.
///
/// The buffer has room for both limits of any route, so that a head over either is read as a whole, and the host can
/// answer 414 or 431. hyper itself answers 431 to a head that does not fit into the buffer.
fn builder(app: &App) -> Builder<TokioExecutor> {
    let widest = &app.widest;
    let head = widest
        .header_size
        .saturating_add(widest.request_line)
        .max(MIN_HEAD);
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // Most responses fit into one buffer, which is cheaper to send than a list of two.
        .writev(false)
        // `Progress` has this timeout, without setting a timer for each request.
        .header_read_timeout(None)
        .max_headers(widest.header_count)
        .max_buf_size(head);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(u32::try_from(head).unwrap_or(u32::MAX))
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(app.settings.limits.idle_timeout);
    builder
}
