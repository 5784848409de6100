//! New connections to other servers.

use super::Connections;
use super::connection::Connection;
use super::error::ConnectError;
use super::tls::{HTTP2, Offer};
use crate::request::admission::{Admission, Full, Permit};
use http::Uri;
use http::uri::Scheme;
use std::cell::Cell;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tower_service::Service;
use waypost_config::outbound::is_private;

tokio::task_local! {
    /// How to connect for the request at hand. The library has one connector for all requests.
    pub(super) static CONNECT: Connect;
}

/// How to connect for a request.
pub(super) struct Connect {
    /// How long to wait for the connection.
    pub(super) timeout: Duration,
    /// Whether private addresses are left out.
    pub(super) deny_private: bool,
    /// A connection that is open already.
    pub(super) open: Cell<Option<Connection>>,
}

/// How many names one component looks up at once. Each takes a thread until the system answers.
const LOOKUPS: usize = 8;

/// How often to look for a place that an idle connection left, and how long to wait in between.
const TRIES: u32 = 20;
const RETRY_AFTER: Duration = Duration::from_millis(5);

/// Connects a component to servers, as many as the app may.
///
/// The address is looked up here, checked, and connected to, so that a name that has another address a moment later (DNS
/// rebinding) makes no difference.
#[derive(Clone)]
pub(super) struct Connector {
    connections: Arc<Connections>,
    /// Limits the connections of the component.
    own: Arc<Admission>,
    /// Limits the requests of the component that share connections.
    own_requests: Arc<Admission>,
    lookups: Arc<Semaphore>,
}

impl Connector {
    /// Makes the connector of a component.
    pub(super) fn new(connections: Arc<Connections>) -> Self {
        Self {
            own: Arc::new(connections.open.share()),
            own_requests: Arc::new(connections.requests.share()),
            lookups: Arc::new(Semaphore::new(LOOKUPS)),
            connections,
        }
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
        let connector = self.clone();
        let how = CONNECT.try_with(|how| (how.timeout, how.deny_private, how.open.take()));
        let (timeout, deny_private, open) = how.unwrap_or((super::DEFAULT_TIMEOUT, true, None));
        Box::pin(async move {
            if let Some(connection) = open {
                return Ok(connection);
            }
            let opening = connector.open(&uri, deny_private, Offer::Http1);
            let opened = tokio::time::timeout(timeout, opening).await;
            opened.map_err(|_| ConnectError::Timeout)?
        })
    }
}

/// What a connection or a request takes of those of its component, and of the app's.
pub(super) type Places = [Option<Permit>; 2];

impl Connector {
    /// Closes the connections that nobody uses, of all components.
    pub(super) fn close_idle(&self) {
        self.connections.close_idle();
    }

    /// Admits one more request to a connection that others use too: as many as there may be connections, because each holds
    /// as much memory.
    pub(super) fn request(&self) -> Result<Places, ConnectError> {
        let limit = |Full(limit)| ConnectError::Requests(limit);
        let own = self.own_requests.enter().map_err(limit)?;
        Ok([own, self.connections.requests.enter().map_err(limit)?])
    }

    fn enter(&self) -> Result<Places, Full> {
        Ok([self.own.enter()?, self.connections.open.enter()?])
    }

    /// Admits one more connection. Idle ones of other components make room; those of this one stay open as long as the request
    /// that waits here.
    async fn places(&self) -> Result<Places, ConnectError> {
        let mut entered = self.enter();
        if entered.is_err() {
            self.connections.close_idle();
        }
        for _ in 0..TRIES {
            if entered.is_ok() {
                break;
            }
            tokio::time::sleep(RETRY_AFTER).await;
            entered = self.enter();
        }
        entered.map_err(|Full(limit)| ConnectError::Limit(limit))
    }

    /// Opens a connection to the server of a URI. Without TLS it speaks HTTP/1.1.
    pub(super) async fn open(
        &self,
        uri: &Uri,
        deny_private: bool,
        offer: Offer,
    ) -> Result<Connection, ConnectError> {
        let places = self.places().await?;
        let is_tls = uri.scheme() == Some(&Scheme::HTTPS);
        let host = uri.host().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        let addresses = self.look_up(host, port).await?;
        let stream = connect_to(host, &addresses, deny_private).await?;
        if !is_tls {
            return Ok(Connection::new(Box::new(stream), false, places));
        }
        let stream = self.connections.tls.connect(host, stream, offer).await?;
        let is_http2 = stream.get_ref().1.alpn_protocol() == Some(HTTP2);
        Ok(Connection::new(Box::new(stream), is_http2, places))
    }

    /// Returns the addresses of a host. The system can't be told that nobody waits for them any more: a lookup keeps its place
    /// until it has ended.
    async fn look_up(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, ConnectError> {
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(vec![(address, port).into()]);
        }
        // Never closed.
        let place = Arc::clone(&self.lookups).acquire_owned().await;
        let host = host.to_owned();
        let lookup = move || {
            let _place = place;
            let addresses = (host.as_str(), port).to_socket_addrs();
            addresses.map(Vec::from_iter)
        };
        let addresses = tokio::task::spawn_blocking(lookup).await;
        let addresses = addresses.unwrap_or_else(|error| Err(io::Error::other(error)));
        addresses.map_err(|error| ConnectError::Dns(error.to_string()))
    }
}

/// Connects to the first of a host's addresses that answers.
async fn connect_to(
    host: &str,
    addresses: &[SocketAddr],
    deny_private: bool,
) -> Result<TcpStream, ConnectError> {
    let mut last = ConnectError::Dns("there is no address".to_owned());
    for address in addresses {
        if deny_private && is_private(address.ip()) {
            last = ConnectError::Private(host.to_owned());
            continue;
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn a_private_address_of_a_name_is_left_out() {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a port is free");
        let here = listener.local_addr().expect("the listener is bound");
        let denied = connect_to("here", &[here], true).await;
        assert!(matches!(denied, Err(ConnectError::Private(_))));
        assert!(connect_to("here", &[here], false).await.is_ok());
        let nowhere = connect_to("nowhere", &[], true).await;
        assert!(matches!(nowhere, Err(ConnectError::Dns(_))));
    }
}
