//! Closes a connection so that its client can still read the response.
//!
//! Closing a socket with unread bytes resets the connection, and the client may lose a response that is on its way
//! (RFC 9112, section 9.6). So the host ends its own side first, and reads on for a moment.

use crate::request::head::RequestError;
use http::StatusCode;
use std::future::Future;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How much longer the host reads what a client sends, after it has ended its own side.
pub(in crate::http) struct Patience {
    /// The longest time in all.
    time: Duration,
    /// The longest time without a byte.
    silence: Duration,
    pub(super) bytes: u64,
}

/// For a client that may be in the middle of an upload, and that reads the response only after it has sent everything.
pub(super) const PATIENT: Patience = Patience {
    time: Duration::from_secs(30),
    silence: Duration::from_secs(2),
    bytes: 256 << 20,
};

/// For a client that has sent a request at most: a few round trips around the world.
pub(in crate::http) const BRIEF: Patience = Patience {
    time: Duration::from_secs(1),
    silence: Duration::from_secs(1),
    bytes: 8 << 20,
};

/// Size of one read of bytes that are discarded.
pub(super) const READ_SIZE: usize = 64 << 10;

/// Writes a response that the HTTP library does not send itself.
pub(in crate::http) fn response(status: StatusCode, reason: &str, headers: &str) -> String {
    let name = status.canonical_reason().unwrap_or("error");
    let (code, length) = (status.as_u16(), reason.len());
    format!(
        "HTTP/1.1 {code} {name}\r\n{headers}content-type: text/plain; charset=utf-8\r\n\
         content-length: {length}\r\nconnection: close\r\n\r\n{reason}"
    )
}

/// Writes the response to a head that is rejected before it is complete.
pub(super) fn rejection(error: RequestError) -> String {
    response(error.status(), &format!("{error}\n"), "")
}

/// Sends `response`, if it is not empty, and closes the connection when the client has closed it too, when `patience` is
/// over, or when `hurry` resolves.
pub(in crate::http) async fn close(
    mut stream: TcpStream,
    response: &str,
    patience: &Patience,
    hurry: impl Future<Output = ()>,
) {
    // These few bytes fit into an empty buffer. A client whose buffer is full gets nothing.
    if !response.is_empty() && stream.try_write(response.as_bytes()).is_err() {
        return;
    }
    let close = async {
        // It fails when the client has left.
        if stream.shutdown().await.is_ok() {
            read_on(&mut stream, patience).await;
        }
    };
    tokio::select! {
        _ = tokio::time::timeout(patience.time, close) => {}
        () = hurry => {}
    }
}

/// Discards what the client still sends.
async fn read_on(stream: &mut TcpStream, patience: &Patience) {
    // On the heap, as it would make the future of every connection larger.
    let mut unread = vec![0; READ_SIZE];
    let mut left = patience.bytes;
    while left > 0 {
        match tokio::time::timeout(patience.silence, stream.read(&mut unread)).await {
            Ok(Ok(count)) if count > 0 => {
                left = left.saturating_sub(count.try_into().unwrap_or(u64::MAX));
            }
            _ => return,
        }
    }
}
