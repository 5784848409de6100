//! HTTP/2 by hand: frames that only an attacker sends (RFC 9113, section 4.1).

use super::support::PATIENCE;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const CONTINUATION: u8 = 9;

pub const END_STREAM: u8 = 1;
pub const END_HEADERS: u8 = 4;

/// Error codes (section 7).
pub const FRAME_SIZE_ERROR: u8 = 6;
pub const REFUSED_STREAM: u8 = 7;
pub const CANCEL: u8 = 8;
pub const ENHANCE_YOUR_CALM: u8 = 11;

/// A frame.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame {
    pub kind: u8,
    pub stream: u32,
    pub payload: Vec<u8>,
}

/// Returns the bytes of a frame.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("frames are short");
    let mut bytes = length.to_be_bytes()[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// Returns the header block of a GET, without any table (RFC 7541, section 6.2.2).
pub fn get(path: &str) -> Vec<u8> {
    const METHOD_GET_SCHEME_HTTP: [u8; 2] = [0x82, 0x86];
    const AUTHORITY_H: [u8; 3] = [0x01, 1, b'h'];
    const PATH: u8 = 0x04;
    let length = u8::try_from(path.len()).expect("paths are short");
    let mut block = METHOD_GET_SCHEME_HTTP.to_vec();
    block.extend(AUTHORITY_H);
    block.extend([PATH, length]);
    block.extend(path.as_bytes());
    block
}

/// Returns a GET on a stream.
pub fn ask(stream: u32, path: &str) -> Vec<u8> {
    frame(HEADERS, END_HEADERS | END_STREAM, stream, &get(path))
}

/// A connection on which any bytes can be sent.
pub struct Raw(TcpStream);

impl Raw {
    /// Connects, and sends the preface and these settings.
    pub async fn connect(address: SocketAddr, settings: &[u8]) -> Self {
        let mut stream = TcpStream::connect(address).await.expect("the host listens");
        let mut preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        preface.extend(frame(SETTINGS, 0, 0, settings));
        let sent = stream.write_all(&preface).await;
        sent.expect("the host reads");
        Self(stream)
    }

    /// Sends bytes; returns whether the host still accepts them.
    pub async fn send(&mut self, bytes: &[u8]) -> bool {
        let sent = tokio::time::timeout(PATIENCE, self.0.write_all(bytes)).await;
        sent.expect("the host reads, or closes").is_ok()
    }

    /// Reads until the host closes.
    pub async fn frames(mut self) -> Vec<Frame> {
        let mut bytes = Vec::new();
        let read = tokio::time::timeout(PATIENCE, self.0.read_to_end(&mut bytes)).await;
        // Bytes that came before a reset count, too.
        let _ = read.expect("the host closes");
        parse(&bytes)
    }

    /// Reads until the host has sent a frame that matches.
    pub async fn until(&mut self, mut fits: impl FnMut(&[Frame]) -> bool) -> Vec<Frame> {
        let mut bytes = Vec::new();
        let read = async {
            while !fits(&parse(&bytes)) {
                let count = self.0.read_buf(&mut bytes).await.expect("the host sends");
                assert!(count > 0, "the host closed after {:?}", parse(&bytes));
            }
        };
        tokio::time::timeout(PATIENCE, read)
            .await
            .expect("the host answers");
        parse(&bytes)
    }
}

/// Returns the error code with which the host ended the connection.
pub fn goodbye(frames: &[Frame]) -> Option<u8> {
    let last = frames.iter().rfind(|frame| frame.kind == GOAWAY)?;
    last.payload.get(7).copied()
}

fn parse(mut bytes: &[u8]) -> Vec<Frame> {
    let mut frames = Vec::new();
    while let [a, b, c, kind, _flags, s0, s1, s2, s3, rest @ ..] = bytes {
        let length = u32::from_be_bytes([0, *a, *b, *c]);
        let length = usize::try_from(length).expect("it is of three bytes");
        let Some((payload, next)) = rest.split_at_checked(length) else {
            break;
        };
        let stream = u32::from_be_bytes([*s0, *s1, *s2, *s3]);
        frames.push(Frame {
            kind: *kind,
            stream,
            payload: payload.to_vec(),
        });
        bytes = next;
    }
    frames
}
