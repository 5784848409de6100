//! The last word on a connection, and time for the client to hear it.
//!
//! A socket that is closed while bytes of its client are unread resets the connection, and the client may lose
//! the answer that is on its way (RFC 9112, section 9.6). So the host ends its own side first, and reads on for
//! a moment.

use crate::request::RequestError;
use http::StatusCode;
use std::future::Future;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long the host reads on for a client that was told to go: a few round trips around the world.
const LINGER: Duration = Duration::from_secs(1);

/// How much is read of what nobody wants, so many bytes at a time: more than is on its way when a client learns of
/// the end, and too little to keep the host busy.
const GULP: usize = 64 << 10;
const GULPS: usize = 128;

/// What a client gets that the HTTP library has no answer for.
pub(super) fn answer(status: StatusCode, reason: &str, headers: &str) -> String {
    let name = status.canonical_reason().unwrap_or("error");
    let (code, length) = (status.as_u16(), reason.len());
    format!(
        "HTTP/1.1 {code} {name}\r\n{headers}content-type: text/plain; charset=utf-8\r\n\
         content-length: {length}\r\nconnection: close\r\n\r\n{reason}"
    )
}

/// What a client gets whose head is refused before it is whole.
pub(super) fn refusal(error: RequestError) -> String {
    answer(error.status(), &format!("{error}\n"), "")
}

/// Says `words`, if any, and closes once the client has closed too, or has had its time. `hurry` cuts that short.
pub(super) async fn part(mut stream: TcpStream, words: &str, hurry: impl Future<Output = ()>) {
    // A new or a drained buffer holds these few bytes; a client that cannot even take them gets nothing.
    if !words.is_empty() && stream.try_write(words.as_bytes()).is_err() {
        return;
    }
    let close = async {
        // A client that has gone needs no more.
        if stream.shutdown().await.is_ok() {
            // On the heap, as every connection would be larger by it.
            let mut unread = vec![0; GULP];
            for _ in 0..GULPS {
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
