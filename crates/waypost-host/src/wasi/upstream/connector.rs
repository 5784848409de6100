//! New connections to other servers.

use super::Connections;
use super::error::ConnectError;
use crate::request::admission::Permit;
use http::Uri;
use http::uri::Scheme;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{self, Connected};
use hyper_util::rt::TokioIo;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tower_service::Service;

tokio::task_local! {
    /// How long the request at hand waits for a connection. The library has one connector for all requests.
    pub(super) static CONNECT_TIMEOUT: Duration;
}

/// How often to look for a place that an idle connection left, and how long to wait in between.
const TRIES: u32 = 20;
const RETRY_AFTER: Duration = Duration::from_millis(5);

static TLS: LazyLock<TlsConnector> = LazyLock::new(|| {
    let roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.into(),
    };
    let config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
});

/// Connects to servers, as many as the app may.
#[derive(Clone)]
pub(super) struct Connector(Arc<Connections>);

impl Connector {
    /// Makes the connector of a component.
    pub(super) fn new(connections: Arc<Connections>) -> Self {
        Self(connections)
    }
}

impl Service<Uri> for Connector {
    type Response = Connection;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Connection, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connections = Arc::clone(&self.0);
        let timeout = CONNECT_TIMEOUT.try_with(|timeout| *timeout);
        let timeout = timeout.unwrap_or(super::DEFAULT_TIMEOUT);
        Box::pin(async move {
            let place = place(&connections).await?;
            let stream = tokio::time::timeout(timeout, connect(&uri)).await;
            let stream = stream.map_err(|_| ConnectError::Timeout)??;
            Ok(Connection {
                stream: TokioIo::new(stream),
                used: Used::default(),
                _place: place,
            })
        })
    }
}

/// Admits one more connection of the app. Idle ones make room.
async fn place(connections: &Arc<Connections>) -> Result<Option<Permit>, ConnectError> {
    if let Ok(place) = connections.open.enter() {
        return Ok(place);
    }
    connections.close_idle();
    for _ in 0..TRIES {
        tokio::time::sleep(RETRY_AFTER).await;
        if let Ok(place) = connections.open.enter() {
            return Ok(place);
        }
    }
    Err(ConnectError::Limit)
}

async fn connect(uri: &Uri) -> Result<Box<dyn Stream>, ConnectError> {
    let is_tls = uri.scheme() == Some(&Scheme::HTTPS);
    let host = uri.host().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let port = uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
    let stream = connect_tcp(host, port).await?;
    if !is_tls {
        return Ok(Box::new(stream));
    }
    let name = ServerName::try_from(host.to_owned()).map_err(|_| ConnectError::Name)?;
    let stream = TLS.connect(name, stream).await;
    Ok(Box::new(stream.map_err(ConnectError::tls)?))
}

async fn connect_tcp(host: &str, port: u16) -> Result<TcpStream, ConnectError> {
    let addresses = tokio::net::lookup_host((host, port)).await;
    let mut last = ConnectError::Dns("there is no address".to_owned());
    for address in addresses.map_err(|error| ConnectError::Dns(error.to_string()))? {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // Otherwise a small piece of a body waits. Without it the connection is as good.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) => last = ConnectError::tcp(&error),
        }
    }
    Err(last)
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Set once a connection had a response. The next request may find it closed.
#[derive(Clone, Debug, Default)]
pub(super) struct Used(Arc<AtomicBool>);

impl Used {
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A connection, with its place among those of the app.
pub(super) struct Connection {
    stream: TokioIo<Box<dyn Stream>>,
    used: Used,
    _place: Option<Permit>,
}

impl connect::Connection for Connection {
    fn connected(&self) -> Connected {
        Connected::new().extra(self.used.clone())
    }
}

impl Read for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl Write for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, pieces)
    }
}
