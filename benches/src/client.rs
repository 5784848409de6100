//! The built-in client: checks responses, opens many streams, and drives a server if `wrk` is missing.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bytes::Bytes;
use futures::future::join_all;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::sample::Sample;
use crate::workload::Workload;

/// The timeout for one response.
const PATIENCE: Duration = Duration::from_secs(30);

/// The number of the next request of a workload whose paths are numbered.
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// Why there was no correct response.
pub struct Fault {
    pub text: String,
    /// `true` if the server responded, so that another try is useless.
    pub is_final: bool,
}

/// Sends one request, and checks the response.
pub fn ask(address: SocketAddr, workload: &Workload) -> Result<(), Fault> {
    let answer = runtime().block_on(async {
        let mut connection = Connection::open(address, workload).await?;
        tokio::time::timeout(PATIENCE, connection.ask()).await?
    });
    let unanswered = |error: anyhow::Error| Fault {
        text: format!("{error:#}"),
        is_final: false,
    };
    let (status, body) = answer.map_err(unanswered)?;
    workload.check(status, &body).map_err(|text| Fault {
        text,
        is_final: true,
    })
}

/// Sends requests continuously on each of many connections.
pub fn drive(
    address: SocketAddr,
    workload: &Workload,
    connections: usize,
    time: Duration,
) -> anyhow::Result<Sample> {
    runtime().block_on(async {
        let start = Instant::now();
        let clients = (0..connections).map(|_| async {
            let (mut taken, mut bad) = (Vec::new(), 0);
            let Ok(mut connection) = Connection::open(address, workload).await else {
                return (taken, 1);
            };
            while start.elapsed() < time {
                let asked = Instant::now();
                match connection.ask().await {
                    Ok((status, _)) if status == workload.status => taken.push(asked.elapsed()),
                    Ok(_) => bad += 1,
                    Err(_) => return (taken, bad + 1),
                }
            }
            (taken, bad)
        });
        let results = join_all(clients).await;
        let bad = results.iter().map(|(_, bad)| bad).sum();
        let taken = results.into_iter().flat_map(|(taken, _)| taken).collect();
        Ok(Sample::of(taken, start.elapsed(), bad))
    })
}

/// Opens many streams at once, and waits for the first event of each. Calls `held` while all of them are open.
pub fn hold(
    address: SocketAddr,
    workload: &Workload,
    streams: usize,
    held: impl FnOnce(),
) -> anyhow::Result<Sample> {
    runtime().block_on(async {
        let start = Instant::now();
        let open = (0..streams).map(|_| async {
            let asked = Instant::now();
            let mut connection = Connection::open(address, workload).await?;
            let (status, body, rest) = connection.first().await?;
            workload.check(status, &body).map_err(anyhow::Error::msg)?;
            anyhow::Ok((asked.elapsed(), connection, rest))
        });
        let opened = tokio::time::timeout(PATIENCE, join_all(open))
            .await
            .context("the streams took too long")?;
        let elapsed = start.elapsed();
        held();
        let (open, failed): (Vec<_>, Vec<_>) = opened.into_iter().partition(Result::is_ok);
        if let Some(Err(error)) = failed.first() {
            eprintln!(
                "{} streams failed; the first error: {error:#}",
                failed.len()
            );
        }
        let taken = open.iter().flatten().map(|(taken, ..)| *taken).collect();
        Ok(Sample::of(taken, elapsed, failed.len() as u64))
    })
}

struct Connection<'a> {
    sender: SendRequest<Full<Bytes>>,
    workload: &'a Workload,
}

impl<'a> Connection<'a> {
    async fn open(address: SocketAddr, workload: &'a Workload) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // The task ends with its sender, which reports errors.
        tokio::spawn(connection);
        Ok(Self { sender, workload })
    }

    async fn ask(&mut self) -> anyhow::Result<(u16, Bytes)> {
        if self.workload.is_events {
            let (status, first, _) = self.first().await?;
            return Ok((status, first));
        }
        let answer = self.send().await?;
        let status = answer.status().as_u16();
        Ok((status, answer.into_body().collect().await?.to_bytes()))
    }

    /// Returns the status, the first chunk of the body, and the rest of the body.
    async fn first(&mut self) -> anyhow::Result<(u16, Bytes, Incoming)> {
        let answer = self.send().await?;
        let status = answer.status().as_u16();
        let mut body = answer.into_body();
        let frame = body.frame().await.transpose()?;
        let piece = frame
            .and_then(|frame| frame.into_data().ok())
            .unwrap_or_default();
        Ok((status, piece, body))
    }

    async fn send(&mut self) -> anyhow::Result<hyper::Response<Incoming>> {
        let workload = self.workload;
        let number = match workload.is_numbered {
            true => NUMBER.fetch_add(1, Ordering::Relaxed).to_string(),
            false => String::new(),
        };
        let mut request = Request::builder()
            .method(workload.method)
            .uri(format!("{}{number}", workload.target))
            .header("host", "127.0.0.1");
        for (name, value) in workload.headers {
            request = request.header(*name, *value);
        }
        self.sender.ready().await?;
        Ok(self
            .sender
            .send_request(request.body(Full::new(workload.body.clone()))?)
            .await?)
    }
}

fn runtime() -> tokio::runtime::Runtime {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime of one thread needs only a file descriptor")
}
