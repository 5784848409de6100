//! One connection, in the manner of Spin (`serve_connection` in `crates/trigger-http/src/server.rs`): no limit of
//! time or size but those of the HTTP library, no `TCP_NODELAY`, and no request target is mended.

use crate::app::App;
use crate::lasting::Lasting;
use crate::spin;
use http::{Method, Request};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

/// Serves a connection until it ends, gracefully when `stopping` is cancelled.
pub(super) async fn run(
    app: Arc<App>,
    stream: TcpStream,
    client: SocketAddr,
    stopping: &CancellationToken,
) {
    let service = service_fn(move |request: Request<Incoming>| {
        let app = Arc::clone(&app);
        async move {
            if request.method() == Method::CONNECT {
                return Err(io::Error::from(ErrorKind::ConnectionRefused));
            }
            // A component runs on when its client leaves, and is not told.
            Lasting::new(spin::enter(app, request, client)).await
        }
    });
    let builder = Builder::new(TokioExecutor::new());
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = stopping.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(error, "connection ended early");
    }
}
