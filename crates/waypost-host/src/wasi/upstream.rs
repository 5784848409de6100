//! Requests to other servers, over connections that stay open for the next request.
//!
//! Each component has connections of its own: what a server knows of a connection, such as who was authenticated on it,
//! never reaches a component with other permissions.

mod connection;
mod connector;
mod error;
mod http2;
mod passing;
mod response;
mod tls;
mod upload;

use super::dispatch::Io;
use crate::request::admission::{Admission, Permit};
use crate::request::body;
use connection::Used;
use connector::{CONNECT, Connect, Connector};
pub(crate) use error::SendError;
use http::{Extensions, Method, Request, Response};
use http_body_util::BodyExt;
use http2::{Http2Stream, TlsServers, Way};
use hyper::body::Incoming;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::capture_connection;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use passing::Again;
use response::ResponseBody;
use std::cell::Cell;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Poll;
use std::time::Duration;
pub(crate) use tls::Tls;
use upload::Upload;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

/// How many idle connections to one server a component keeps.
const MAX_IDLE: usize = 32;
/// How long a connection that nobody uses stays open. Servers close theirs after five seconds and more, as Node does, and
/// a request that meets the end of its connection is lost.
const KEPT_IDLE: Duration = Duration::from_secs(4);

/// How long a server may take unless the component says otherwise, as with Wasmtime. The request itself has a limit.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(600);

/// A response, with its place on a connection over HTTP/2.
type Exchanged = (Response<Incoming>, Option<Arc<Http2Stream>>);

type Client = legacy::Client<Connector, WasiBody>;

/// The connections to other servers of all components of an app.
pub(crate) struct Connections {
    /// Limits them, whether in use or idle.
    open: Admission,
    /// Limits the requests that share connections.
    requests: Admission,
    tls: Tls,
    upstreams: Mutex<Vec<Weak<Upstream>>>,
}

impl Connections {
    /// Makes the registry of an app that may have `limit` connections open, idle ones included: each takes a file descriptor.
    pub(crate) fn new(limit: usize, tls: Tls) -> Arc<Self> {
        Arc::new(Self {
            open: Admission::limited(limit),
            requests: Admission::limited(limit),
            tls,
            upstreams: Mutex::default(),
        })
    }

    /// Closes the connections that nobody uses.
    pub(crate) fn close_idle(self: &Arc<Self>) {
        let mut upstreams = self.lock();
        upstreams.retain(|upstream| upstream.strong_count() > 0);
        for upstream in upstreams.iter().filter_map(Weak::upgrade) {
            // Those in use belong to their requests.
            *upstream.lock() = client(upstream.connector.clone());
            upstream.servers.close_idle();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Weak<Upstream>>> {
        self.upstreams
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// The connections to other servers of one component.
pub(crate) struct Upstream {
    /// The connections over HTTP/1.1.
    client: Mutex<Client>,
    /// The connections over HTTP/2.
    servers: TlsServers,
    connector: Connector,
}

impl Upstream {
    /// Makes the upstream of a component; it connects when it is first used.
    pub(crate) fn new(connections: &Arc<Connections>) -> Arc<Self> {
        let connector = Connector::new(Arc::clone(connections));
        let client = Mutex::new(client(connector.clone()));
        let upstream = Arc::new(Self {
            client,
            servers: TlsServers::default(),
            connector,
        });
        connections.lock().push(Arc::downgrade(&upstream));
        upstream
    }

    fn lock(&self) -> MutexGuard<'_, Client> {
        self.client.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a request once, over the protocol that its server speaks.
    async fn exchange(
        &self,
        request: Request<WasiBody>,
        timeouts: &Timeouts,
        deny_private: bool,
    ) -> Result<Exchanged, SendError> {
        let (servers, connector) = (&self.servers, &self.connector);
        let uri = request.uri().clone();
        let way = servers.way(&uri, connector, timeouts.connect, deny_private);
        match way.await? {
            Way::Http1(open) => {
                let connect = Connect {
                    timeout: timeouts.connect,
                    deny_private,
                    open: Cell::new(open),
                };
                let responding = self.exchange_http1(request, timeouts);
                let mut response = CONNECT.scope(connect, responding).await;
                if let Err(error) = &mut response
                    && matches!(error.code, Error::TlsProtocolError)
                {
                    // Perhaps the server speaks no HTTP/1.1 any more. Nothing was sent.
                    error.is_unprocessed |= servers.forget_http1(&uri);
                }
                Ok((response?, None))
            }
            Way::Http2(mut stream) => {
                let response = stream.send(request, timeouts.first_byte).await?;
                Ok((response, Some(Arc::new(stream))))
            }
        }
    }

    /// Sends a request once over HTTP/1.1. A request of which nothing was sent goes to another connection. The connections that
    /// are idle stay open meanwhile.
    async fn exchange_http1(
        &self,
        mut request: Request<WasiBody>,
        timeouts: &Timeouts,
    ) -> Result<Response<Incoming>, SendError> {
        let client = self.lock().clone();
        let mut connected = capture_connection(&mut request);
        let mut responding = pin!(client.request(request));
        let early = tokio::select! {
            biased;
            response = &mut responding => Some(response),
            _ = connected.wait_for_connection_metadata() => None,
        };
        let response = match early {
            Some(response) => response,
            None => match tokio::time::timeout(timeouts.first_byte, responding).await {
                Ok(response) => response,
                Err(_) => return Err(Error::ConnectionReadTimeout.into()),
            },
        }?;
        if let Some(used) = response.extensions().get::<Used>() {
            used.set();
        }
        Ok(response)
    }

    /// Sends a request, and returns the response when its head is there, with the sending of what is left of the request.
    /// `place` is kept until the body of the response is dropped.
    /// With `deny_private`, no private address is connected to. The same server is always asked with the same value, so that a
    /// connection that was kept was checked in the same way.
    ///
    /// # Errors
    ///
    /// When there is no response.
    pub(crate) async fn send(
        &self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        deny_private: bool,
        place: Option<Permit>,
    ) -> Result<(Response<WasiBody>, Io), SendError> {
        let timeouts = Timeouts::of(options);
        let (parts, body) = request.into_parts();
        let Upload {
            body,
            mut rest,
            again,
        } = Upload::of(body, &parts)?;
        let first = Request::from_parts(parts.clone(), body);
        let responding = async {
            let first = self.exchange(first, &timeouts, deny_private).await;
            let error = match first {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            let Some(body) = body_of_second(&error, &parts.method, again.as_ref()) else {
                return Err(error);
            };
            if error.lacks_place() {
                self.connector.close_idle();
            }
            let request = Request::from_parts(parts, body);
            self.exchange(request, &timeouts, deny_private).await
        };
        let (response, stream) = with_upload(responding, &mut rest).await?;
        let between_bytes = timeouts.between_bytes;
        let response = response.map(|body| {
            ResponseBody::new(body, between_bytes, stream.clone(), place).boxed_unsync()
        });
        let rest: Io = match rest {
            Some(rest) => Box::new(async move {
                let _until_sent = stream;
                rest.await
            }),
            None => Box::new(std::future::ready(Ok(()))),
        };
        Ok((response, rest))
    }
}

/// Returns the body for a second try of a request that failed, or `None` if there must not be one.
fn body_of_second(error: &SendError, method: &Method, again: Option<&Again>) -> Option<WasiBody> {
    match again {
        None => error.allows_another_try(method).then(body::empty),
        Some(again) if error.is_unsent() => again.body(),
        Some(_) => None,
    }
}

fn client(connector: Connector) -> Client {
    legacy::Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(KEPT_IDLE)
        .pool_max_idle_per_host(MAX_IDLE)
        .build(connector)
}

/// How long each step of a request may take. The time to connect is the connector's to keep.
struct Timeouts {
    connect: Duration,
    first_byte: Duration,
    between_bytes: Duration,
}

impl Timeouts {
    fn of(options: Option<RequestOptions>) -> Self {
        let of = |timeout: Option<Duration>| timeout.unwrap_or(DEFAULT_TIMEOUT);
        Self {
            connect: of(options.and_then(|options| options.connect_timeout)),
            first_byte: of(options.and_then(|options| options.first_byte_timeout)),
            between_bytes: of(options.and_then(|options| options.between_bytes_timeout)),
        }
    }
}

/// Waits for the response while the body of the request is sent.
async fn with_upload<T>(
    responding: impl Future<Output = Result<T, SendError>>,
    rest: &mut Option<upload::Rest>,
) -> Result<T, SendError> {
    let mut responding = pin!(responding);
    poll_fn(|cx| {
        if let Some(sending) = rest
            && let Poll::Ready(sent) = Pin::new(sending).poll(cx)
        {
            *rest = None;
            sent?;
        }
        responding.as_mut().poll(cx)
    })
    .await
}

/// Returns whether a connection had a response before.
fn was_used(connected: &legacy::connect::Connected) -> bool {
    let mut extras = Extensions::new();
    connected.get_extras(&mut extras);
    extras.get::<Used>().is_some_and(Used::is_set)
}
