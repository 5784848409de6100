//! Servers that are reached over TLS. With those that choose HTTP/2, the requests of a component share connections.

mod connection;

use super::connection::Connection;
use super::connector::Connector;
use super::error::ConnectError;
use super::tls::Offer;
use connection::Http2Connection;
pub(super) use connection::Http2Stream;
use http::Uri;
use http::uri::{Authority, Scheme};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How many servers a component remembers the protocol of. Beyond it, those without a connection are forgotten.
const REMEMBERED: usize = 256;

/// How long a server is taken to speak only HTTP/1.1. Then it is asked again: it may speak HTTP/2 since.
const HTTP1_NOTED: Duration = Duration::from_secs(300);

/// How long a request waits for a connection that another one makes, before it makes its own: one attempt may be slow because
/// a packet was lost, or because the server is reached by several machines of which one is down.
const TURN: Duration = Duration::from_secs(1);

/// How a request goes to its server.
pub(super) enum Way {
    /// Over HTTP/1.1, perhaps on a connection that was just opened.
    Http1(Option<Connection>),
    Http2(Http2Stream),
}

/// The servers that a component reached over TLS.
#[derive(Default)]
pub(super) struct TlsServers(Mutex<HashMap<Authority, Arc<TlsServer>>>);

impl TlsServers {
    /// Returns the way to the server of a URI. A new connection is made if none has room for a request.
    pub(super) async fn way(
        &self,
        uri: &Uri,
        connector: &Connector,
        timeout: Duration,
        deny_private: bool,
    ) -> Result<Way, ConnectError> {
        let authority = uri.authority();
        let authority = authority.filter(|_| uri.scheme() == Some(&Scheme::HTTPS));
        let Some(authority) = authority else {
            return Ok(Way::Http1(None));
        };
        let server = self.server(authority);
        let finding = server.way(uri, connector, deny_private);
        let way = tokio::time::timeout(timeout, finding).await;
        let mut way = way.map_err(|_| ConnectError::Timeout)??;
        if let Way::Http2(stream) = &mut way {
            stream.takes(connector.request()?);
        }
        Ok(way)
    }

    fn server(&self, authority: &Authority) -> Arc<TlsServer> {
        let mut servers = lock(&self.0);
        if servers.len() >= REMEMBERED && !servers.contains_key(authority) {
            servers.retain(|_, server| Arc::strong_count(server) > 1 || server.is_connected());
        }
        Arc::clone(servers.entry(authority.clone()).or_default())
    }

    /// Forgets that the server of a URI speaks only HTTP/1.1. Returns whether it was noted.
    pub(super) fn forget_http1(&self, uri: &Uri) -> bool {
        let servers = lock(&self.0);
        let server = uri.authority().and_then(|authority| servers.get(authority));
        server.is_some_and(|server| server.known().http1.forget())
    }

    /// Closes the connections that nobody uses.
    pub(super) fn close_idle(&self) {
        for server in lock(&self.0).values() {
            let connections = &mut server.known().connections;
            connections.retain(|connection| !connection.close_if_idle());
        }
    }
}

/// A server that is reached over TLS.
#[derive(Default)]
struct TlsServer {
    /// Held while a connection is made, so that the requests that come meanwhile share it, unless it takes too long.
    connecting: tokio::sync::Mutex<()>,
    known: Mutex<Known>,
}

/// What is known of a server.
#[derive(Default)]
struct Known {
    http1: Http1Note,
    connections: Vec<Arc<Http2Connection>>,
}

impl TlsServer {
    async fn way(
        &self,
        uri: &Uri,
        connector: &Connector,
        deny_private: bool,
    ) -> Result<Way, ConnectError> {
        if let Some(way) = self.known().way() {
            return Ok(way);
        }
        let _turn = tokio::time::timeout(TURN, self.connecting.lock()).await;
        if let Some(way) = self.known().way() {
            return Ok(way);
        }
        let connection = connector.open(uri, deny_private, Offer::Http2).await?;
        if !connection.is_http2() {
            self.known().http1.set();
            return Ok(Way::Http1(Some(connection)));
        }
        let connection = Http2Connection::start(connection, self.http1()).await?;
        let stream = connection.stream();
        self.known().connections.push(connection);
        stream.map(Way::Http2).ok_or_else(|| {
            let reason = "the server closed it at once";
            ConnectError::Tcp(reason.to_owned())
        })
    }

    fn http1(&self) -> Http1Note {
        self.known().http1.clone()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        lock(&self.known)
    }

    fn is_connected(&self) -> bool {
        let connections = &mut self.known().connections;
        connections.retain(|connection| !connection.is_over());
        !connections.is_empty()
    }
}

impl Known {
    /// Returns the way to the server, or `None` if a connection has to be made first.
    fn way(&mut self) -> Option<Way> {
        let connections = &mut self.connections;
        if self.http1.is_set() {
            connections.clear();
            return Some(Way::Http1(None));
        }
        connections.retain(|connection| !connection.is_over());
        let stream = connections.iter().find_map(Http2Connection::stream);
        stream.map(Way::Http2)
    }
}

/// When a server said, by its choice or by an error (RFC 9113, section 7), that it wants HTTP/1.1. Its connections share this.
#[derive(Clone, Default)]
struct Http1Note(Arc<Mutex<Option<Instant>>>);

impl Http1Note {
    fn set(&self) {
        *lock(&self.0) = Some(Instant::now());
    }

    fn is_set(&self) -> bool {
        lock(&self.0).is_some_and(|noted| noted.elapsed() < HTTP1_NOTED)
    }

    /// Returns whether it was set.
    fn forget(&self) -> bool {
        lock(&self.0).take().is_some()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
