//! A client of one connection.

use super::PATIENCE;
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, Version};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::convert::Infallible;
use std::net::SocketAddr;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

type AnyBody = UnsyncBoxBody<Bytes, Infallible>;

/// Sends requests on one connection; dropping it closes the connection.
pub struct Client {
    sender: Sender,
    address: SocketAddr,
    connection: JoinHandle<()>,
}

enum Sender {
    One(http1::SendRequest<AnyBody>),
    Two(http2::SendRequest<AnyBody>),
}

/// A response, read to its end.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Client {
    /// Connects with HTTP/1.1.
    pub async fn connect(address: SocketAddr) -> Self {
        let io = TokioIo::new(TcpStream::connect(address).await.expect("the host listens"));
        let (sender, connection) = http1::handshake(io).await.expect("the connection stands");
        let connection = tokio::spawn(async move {
            let _ = connection.await;
        });
        Self {
            sender: Sender::One(sender),
            address,
            connection,
        }
    }

    /// Connects with HTTP/2.
    pub async fn connect_http2(address: SocketAddr) -> Self {
        let io = TokioIo::new(TcpStream::connect(address).await.expect("the host listens"));
        let (sender, connection) = http2::handshake(TokioExecutor::new(), io)
            .await
            .expect("the connection stands");
        let connection = tokio::spawn(async move {
            let _ = connection.await;
        });
        Self {
            sender: Sender::Two(sender),
            address,
            connection,
        }
    }

    /// Waits until the host closes the connection.
    pub async fn closed(mut self) {
        tokio::time::timeout(PATIENCE, &mut self.connection)
            .await
            .expect("the host closes")
            .expect("the connection's task ends");
    }

    /// Sends a request and returns the response once its head is there.
    pub async fn send<B>(&mut self, request: Request<B>) -> hyper::Result<Response<Incoming>>
    where
        B: Body<Data = Bytes, Error = Infallible> + Send + 'static,
    {
        let mut request = request.map(BodyExt::boxed_unsync);
        let sent = async {
            match &mut self.sender {
                Sender::One(sender) => {
                    let host = self
                        .address
                        .to_string()
                        .parse()
                        .expect("an address is a header value");
                    request.headers_mut().entry("host").or_insert(host);
                    sender.ready().await?;
                    sender.send_request(request).await
                }
                Sender::Two(sender) => {
                    let path = request
                        .uri()
                        .path_and_query()
                        .map_or("/", |path| path.as_str());
                    *request.uri_mut() = format!("http://{}{path}", self.address)
                        .parse()
                        .expect("it is a URI");
                    *request.version_mut() = Version::HTTP_2;
                    sender.ready().await?;
                    sender.send_request(request).await
                }
            }
        };
        tokio::time::timeout(PATIENCE, sent)
            .await
            .expect("the host answers")
    }

    /// Sends a request and reads its response to the end.
    pub async fn ask<B>(&mut self, request: Request<B>) -> Reply
    where
        B: Body<Data = Bytes, Error = Infallible> + Send + 'static,
    {
        let response = self.send(request).await.expect("the host answers");
        let (parts, body) = response.into_parts();
        let body = tokio::time::timeout(PATIENCE, body.collect())
            .await
            .expect("the body ends");
        let bytes = body.expect("the body is whole").to_bytes();
        Reply {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    /// Requests a path.
    pub async fn get(&mut self, path: &str) -> Reply {
        let request = Request::get(path)
            .body(Full::default())
            .expect("the request is well formed");
        self.ask(request).await
    }

    /// Requests a path; returns `None` if the host does not answer.
    pub async fn try_get(&mut self, path: &str) -> Option<Reply> {
        let request = Request::get(path).body(Full::<Bytes>::default()).ok()?;
        let (parts, body) = self.send(request).await.ok()?.into_parts();
        let body = tokio::time::timeout(PATIENCE, body.collect()).await.ok()?;
        Some(Reply {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8_lossy(&body.ok()?.to_bytes()).into_owned(),
        })
    }

    /// Posts text to a path.
    pub async fn post(&mut self, path: &str, text: impl Into<Bytes>) -> Reply {
        let request = Request::post(path)
            .body(Full::new(text.into()))
            .expect("the request is well formed");
        self.ask(request).await
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.connection.abort();
    }
}
