//! A client of the admin address of a running app.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::Context as _;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::failure::Failure;

/// How long a request may take. A list of very many responses takes a second.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The largest response that is read, in bytes.
const MAX_RESPONSE: usize = 64 << 20;

/// What to do if nothing answers.
const HINT: &str = "is the app running, with `admin = \"127.0.0.1:9090\"` in `[server]` of `waypost.toml` or with `up --admin 127.0.0.1:9090`?";

/// The admin address of a running app.
pub struct Admin {
    address: SocketAddr,
}

impl Admin {
    /// Names the address on which an app listens for operators.
    pub fn at(address: SocketAddr) -> Admin {
        // An app that listens on all addresses listens on this one.
        let ip = match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        let address = SocketAddr::new(ip, address.port());
        Admin { address }
    }

    /// Requests a path, and returns the JSON of the response.
    ///
    /// # Errors
    ///
    /// When nothing answers, or something else than an app, or the app refuses with a reason.
    pub fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.ask(Method::GET, path, Bytes::new())
    }

    /// Posts JSON to a path, and returns the JSON of the response.
    ///
    /// # Errors
    ///
    /// As those of [`get`](Self::get).
    pub fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.ask(Method::POST, path, body.to_string().into())
    }

    fn ask(&self, method: Method, path: &str, body: Bytes) -> anyhow::Result<Value> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, self.address.to_string())
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .context("the request is not valid")?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("cannot start the async runtime")?;
        // The timer needs the runtime when it is made.
        let answered = async { tokio::time::timeout(TIMEOUT, self.send(request)).await };
        let answered = runtime.block_on(answered);
        let Ok(answered) = answered else {
            let address = self.address;
            let seconds = TIMEOUT.as_secs();
            let message = format!("{address} does not answer within {seconds} seconds");
            return Err(Failure::new(message).hint(HINT).into());
        };
        let (status, body) = answered?;
        // An app answers in JSON, also to what it refuses.
        let value: Value = serde_json::from_slice(&body).map_err(|_| self.is_other(status))?;
        match (status.is_success(), value["error"].as_str()) {
            (true, _) => Ok(value),
            (false, Some(reason)) => Err(Failure::new(reason).into()),
            (false, None) => Err(self.is_other(status).into()),
        }
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> anyhow::Result<(StatusCode, Bytes)> {
        let stream = TcpStream::connect(self.address).await;
        let stream = stream.map_err(|error| self.unreachable(&error))?;
        let broken = || format!("the connection to {} broke off", self.address);
        let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = handshake.with_context(broken)?;
        // It ends with the runtime at the latest.
        tokio::spawn(connection);
        let response = sender.send_request(request).await.with_context(broken)?;
        let status = response.status();
        let body = Limited::new(response.into_body(), MAX_RESPONSE);
        let body = body.collect().await.map_err(anyhow::Error::from_boxed);
        Ok((status, body.with_context(broken)?.to_bytes()))
    }

    fn unreachable(&self, error: &io::Error) -> Failure {
        let address = self.address;
        match error.kind() {
            io::ErrorKind::ConnectionRefused => {
                Failure::new(format!("nothing listens on {address}"))
            }
            _ => Failure::new(format!("cannot connect to {address}: {error}")),
        }
        .hint(HINT)
    }

    fn is_other(&self, status: StatusCode) -> Failure {
        let address = self.address;
        Failure::new(format!(
            "{address} is not the admin address of an app: the response has status {}",
            status.as_u16()
        ))
        .hint(HINT)
    }
}
