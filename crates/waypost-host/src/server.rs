//! The listening side: connections, their limits, and how they end.

mod compression;
mod connection;
mod door;
mod farewell;
mod on_spin;
mod outbox;
mod progress;
mod sent;
mod socket;

use crate::app::App;
use crate::error::HostError;
use crate::metrics::{Bound, Phase};
use connection::Connections;
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

/// How long accepting rests when the process has no file descriptor left: some connection ends meanwhile.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(50);

/// Connections over the limit that are told so at once; others are closed without a word, so that who opens
/// thousands gains no more than these.
const TURNED_AWAY: usize = 64;

/// Serves until `shutdown` resolves: then accepts no more, lets requests in flight finish for the grace
/// period of the settings, and cuts what is left. Every connection has ended when this returns.
///
/// # Errors
///
/// When the listener fails for good.
pub(crate) async fn serve(
    app: Arc<App>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> Result<(), HostError> {
    let metrics = Arc::clone(&app.metrics);
    metrics.enter(Phase::Serving);
    let grace = app.settings.server.shutdown_grace;
    let places = Arc::new(Semaphore::new(
        app.settings.limits.connections.min(Semaphore::MAX_PERMITS),
    ));
    let porch = Arc::new(Semaphore::new(TURNED_AWAY));
    let stopping = CancellationToken::new();
    let connections = Connections::new(app, stopping.clone());
    let mut tasks = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    let result = loop {
        tokio::select! {
            () = &mut shutdown => break Ok(()),
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => match Arc::clone(&places).try_acquire_owned() {
                    Ok(place) => {
                        let connection = connections.serve(stream);
                        tasks.spawn(async move {
                            connection.await;
                            drop(place);
                        });
                    }
                    Err(_) => {
                        metrics.over(Bound::Connections);
                        turn_away(stream, &porch, &mut tasks, &stopping);
                    }
                },
                Err(error) if is_passing(&error) => tokio::time::sleep(EXHAUSTED_PAUSE).await,
                Err(error) => break Err(HostError::Listener(error)),
            },
            // Ended connections are let go of as they end.
            Some(_) = tasks.join_next() => {}
        }
    };
    metrics.enter(Phase::Stopping);
    drop(listener);
    stopping.cancel();
    finish(tasks, grace).await;
    result
}

/// Waits for the connections, for as long as the grace period lasts.
async fn finish(mut tasks: JoinSet<()>, grace: Duration) {
    let all = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(grace, all).await.is_err() {
        tracing::warn!(
            connections = tasks.len(),
            "the grace period is over; cutting what is left"
        );
        tasks.shutdown().await;
    }
}

/// Tells a client that there is no room for its connection.
fn turn_away(
    stream: TcpStream,
    porch: &Arc<Semaphore>,
    tasks: &mut JoinSet<()>,
    stopping: &CancellationToken,
) {
    let Ok(place) = Arc::clone(porch).try_acquire_owned() else {
        return;
    };
    let stopping = stopping.clone();
    tasks.spawn(async move {
        farewell::part(stream, &busy(), stopping.cancelled()).await;
        drop(place);
    });
}

/// What a client over the limit of connections gets, whatever it sends.
fn busy() -> String {
    let status = StatusCode::SERVICE_UNAVAILABLE;
    farewell::answer(status, "too many connections\n", "retry-after: 1\r\n")
}

/// Tells errors of one connection, or of the moment, from those of the listener (`accept(2)`).
fn is_passing(error: &io::Error) -> bool {
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
