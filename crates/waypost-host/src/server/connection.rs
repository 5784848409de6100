//! One connection, HTTP/1.1 or HTTP/2.

use super::door::{self, Ends};
use super::on_spin;
use super::stream::PatientStream;
use super::target::TargetStream;
use crate::app::App;
use crate::manner::Manner;
use crate::settings::Limits;
use http::{Method, Request};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use std::future::Future;
use std::io::{self, ErrorKind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

/// HTTP/2 requests of one connection at once: as many as browsers send, and few enough that one client
/// cannot take the app's whole concurrency.
const STREAMS: u32 = 100;

/// Smallest buffer that hyper takes for a request's head.
const MIN_HEAD: usize = 8 * 1024;

/// How often a silent HTTP/2 client is asked whether it is still there.
const PING_INTERVAL: Duration = Duration::from_secs(20);

/// Makes connections, all set up alike.
pub(super) struct Connections {
    app: Arc<App>,
    builder: Arc<Builder<TokioExecutor>>,
    stopping: CancellationToken,
}

impl Connections {
    /// Sets connections up for `app`; they end gracefully when `stopping` is cancelled.
    pub(super) fn new(app: Arc<App>, stopping: CancellationToken) -> Self {
        let builder = Arc::new(builder(&app.settings.limits));
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
            if app.manner == Manner::Spin {
                return on_spin::run(app, stream, client, &stopping).await;
            }
            // Without it a chunk waits for the acknowledgement of the one before (40 ms).
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "connection without TCP_NODELAY");
            }
            let ends = Ends::new(client.ip(), own.port());
            run(app, &builder, stream, ends, &stopping).await;
        }
    }
}

async fn run(
    app: Arc<App>,
    builder: &Builder<TokioExecutor>,
    stream: TcpStream,
    ends: Ends,
    stopping: &CancellationToken,
) {
    let patience = app.settings.limits.idle_timeout;
    let stream = TargetStream::new(PatientStream::new(stream, patience));
    let seen = Arc::new(AtomicBool::new(false));
    let service = service_fn({
        let seen = Arc::clone(&seen);
        move |request: Request<Incoming>| {
            seen.store(true, Ordering::Relaxed);
            let (app, ends) = (Arc::clone(&app), ends.clone());
            async move {
                match request.method() {
                    // There is nothing to tunnel to: the connection ends without an answer.
                    &Method::CONNECT => Err(io::Error::from(ErrorKind::ConnectionRefused)),
                    _ => Ok(door::enter(app, request, ends).await),
                }
            }
        }
    });
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    // While it tells the two protocols apart, hyper's own timers do not run yet.
    let mut silent = pin!(async {
        tokio::time::sleep(patience).await;
        if seen.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    });
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = &mut silent => return,
        () = stopping.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(error, "connection ended early");
    }
}

/// Sets both protocols up. hyper's `pipeline_flush` stays off: it holds a response back while the next
/// request is in the buffer, so a stream would stall, and the answer to a malformed request never leave.
///
/// Heads have room for both limits, so that one that goes over either is read as a whole, and the door tells
/// 414 from 431. hyper's own answer to a head that does not even fit there is 431.
fn builder(limits: &Limits) -> Builder<TokioExecutor> {
    let head = limits
        .header_size
        .saturating_add(limits.request_line)
        .max(MIN_HEAD);
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // Most responses fit one buffer, which is cheaper to send than a list of two.
        .writev(false)
        .header_read_timeout(limits.idle_timeout)
        .max_headers(limits.header_count)
        .max_buf_size(head);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(u32::try_from(head).unwrap_or(u32::MAX))
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(limits.idle_timeout);
    builder
}
