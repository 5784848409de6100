//! Accepts connections, limits their number, and ends them when the host stops.

use super::connection::{Connections, linger};
use super::files;
use crate::app::App;
use crate::observe::metrics::{Bound, Phase};
use http::StatusCode;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How long to wait before accepting again when the process has no file descriptor left: a connection may end meanwhile.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(50);

/// Connections over the limit that get a response at once. The others are closed without one, so that a client with
/// thousands of them occupies no more than these.
const REJECTED: usize = 64;

/// Serves until `shutdown` resolves: then accepts no more connections, lets requests in flight finish within the grace
/// period of the settings, and closes the others. Every connection has ended when this returns.
///
/// # Errors
///
/// When the listener fails permanently.
pub(crate) async fn serve(
    app: Arc<App>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let metrics = Arc::clone(&app.metrics);
    metrics.enter(Phase::Serving);
    let grace = app.settings.server.shutdown_grace;
    let places = Arc::new(Semaphore::new(files::connections(
        app.settings.limits.connections,
    )));
    let rejected = Arc::new(Semaphore::new(files::rejected(REJECTED)));
    let stopping = CancellationToken::new();
    let connections = Connections::new(app, stopping.clone());
    let mut tasks = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    let take = |stream, tasks: &mut JoinSet<()>| match Arc::clone(&places).try_acquire_owned() {
        Ok(place) => {
            let connection = connections.serve(stream);
            tasks.spawn(async move {
                connection.await;
                drop(place);
            });
        }
        Err(_) => {
            metrics.over(Bound::Connections);
            reject(stream, &rejected, tasks, &stopping);
        }
    };
    let result = loop {
        tokio::select! {
            () = &mut shutdown => break Ok(()),
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => take(stream, &mut tasks),
                Err(error) if is_temporary(&error) => tokio::time::sleep(EXHAUSTED_PAUSE).await,
                Err(error) => break Err(error),
            },
            Some(_) = tasks.join_next() => {}
        }
    };
    metrics.enter(Phase::Stopping);
    // These clients are connected already, and may have sent a request.
    for stream in waiting(listener) {
        take(stream, &mut tasks);
    }
    stopping.cancel();
    finish(tasks, grace).await;
    result
}

/// Accepts the connections that wait, and then closes the listener. The runtime would accept only some of them at a time.
fn waiting(listener: TcpListener) -> impl Iterator<Item = TcpStream> {
    let listener = listener.into_std().ok();
    let accepted = std::iter::from_fn(move || listener.as_ref()?.accept().ok());
    accepted.filter_map(|(stream, _)| {
        stream.set_nonblocking(true).ok()?;
        TcpStream::from_std(stream).ok()
    })
}

/// Waits for the connections to end, and closes those that are left after the grace period.
async fn finish(mut tasks: JoinSet<()>, grace: Duration) {
    let all = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(grace, all).await.is_err() {
        tracing::warn!(
            connections = tasks.len(),
            "the grace period is over; closing the connections that are left"
        );
        tasks.shutdown().await;
    }
}

/// Answers a connection over the limit with a 503.
fn reject(
    stream: TcpStream,
    rejected: &Arc<Semaphore>,
    tasks: &mut JoinSet<()>,
    stopping: &CancellationToken,
) {
    let Ok(place) = Arc::clone(rejected).try_acquire_owned() else {
        return;
    };
    let stopping = stopping.clone();
    tasks.spawn(async move {
        linger::close(stream, &busy(), &linger::BRIEF, stopping.cancelled()).await;
        drop(place);
    });
}

/// Returns the response to every connection over the limit, whatever it sends.
fn busy() -> String {
    let status = StatusCode::SERVICE_UNAVAILABLE;
    linger::response(status, "too many connections\n", "retry-after: 1\r\n")
}

/// Returns whether an error concerns one connection or the moment, and not the listener (`accept(2)`).
fn is_temporary(error: &io::Error) -> bool {
    const ENFILE: i32 = 23;
    const EMFILE: i32 = 24;
    let kind = matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
            | io::ErrorKind::OutOfMemory
    );
    kind || matches!(error.raw_os_error(), Some(ENFILE | EMFILE))
}
