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

/// How long the host reads on: a few round trips around the world.
const LINGER: Duration = Duration::from_secs(1);

/// Size of one read of bytes that are discarded.
const READ_SIZE: usize = 64 << 10;

/// How many reads are discarded: more than is on its way when a client learns of the end, and too little to keep the host
/// busy.
const READS: usize = 128;

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

/// Sends `response`, if it is not empty, and closes the connection when the client has closed it too, when the time is over,
/// or when `hurry` resolves.
pub(in crate::http) async fn close(
    mut stream: TcpStream,
    response: &str,
    hurry: impl Future<Output = ()>,
) {
    // These few bytes fit into an empty buffer. A client whose buffer is full gets nothing.
    if !response.is_empty() && stream.try_write(response.as_bytes()).is_err() {
        return;
    }
    let close = async {
        // It fails when the client has left.
        if stream.shutdown().await.is_ok() {
            // On the heap, as it would make the future of every connection larger.
            let mut unread = vec![0; READ_SIZE];
            for _ in 0..READS {
                if !stream.read(&mut unread).await.is_ok_and(|count| count > 0) {
                    break;
                }
            }
        }
    };
    tokio::select! {
        _ = tokio::time::timeout(LINGER, close) => {}
        () = hurry => {}
    }
}
