//! A client that keeps its connection, and says what went wrong.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long any answer may take. Beyond it the request is lost.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection of HTTP/1.1.
pub struct Client(BufReader<TcpStream>);

/// A status and a whole body.
pub type Answer = (u16, Vec<u8>);

impl Client {
    /// Connects.
    pub fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the host listens");
        let patience = Some(PATIENCE);
        stream.set_read_timeout(patience).expect("it is not zero");
        stream.set_write_timeout(patience).expect("it is not zero");
        stream.set_nodelay(true).expect("it is a TCP socket");
        Self(BufReader::new(stream))
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) -> Result<(), String> {
        let sent = self.0.get_mut().write_all(bytes);
        sent.map_err(|error| format!("sending: {error}"))
    }

    /// Sends a request with a body and reads the answer.
    pub fn ask(&mut self, method: &str, target: &str, body: &[u8]) -> Result<Answer, String> {
        let length = body.len();
        let head =
            format!("{method} {target} HTTP/1.1\r\nhost: h\r\ncontent-length: {length}\r\n\r\n");
        self.send(&[head.as_bytes(), body].concat())?;
        self.answer()
    }

    /// Reads an answer.
    pub fn answer(&mut self) -> Result<Answer, String> {
        self.read().map_err(|error| format!("reading: {error}"))
    }

    /// Reads so many bytes of whatever comes.
    pub fn skip(&mut self, count: u64) -> std::io::Result<u64> {
        std::io::copy(&mut self.0.by_ref().take(count), &mut std::io::sink())
    }

    fn read(&mut self) -> std::io::Result<Answer> {
        let status = self.line()?;
        let status = status.split(' ').nth(1).and_then(|code| code.parse().ok());
        let mut length = Some(0);
        loop {
            let line = self.line()?.to_ascii_lowercase();
            match line.split_once(": ") {
                Some(("content-length", value)) => length = value.parse().ok(),
                Some(("transfer-encoding", _)) => length = None,
                Some(_) => {}
                None => break,
            }
        }
        let body = match length {
            Some(length) => self.exactly(length)?,
            None => self.chunks()?,
        };
        status.map(|status| (status, body)).ok_or_else(malformed)
    }

    fn chunks(&mut self) -> std::io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let size = usize::from_str_radix(&self.line()?, 16).map_err(|_| malformed())?;
            body.extend(self.exactly(size)?);
            self.line()?;
            if size == 0 {
                return Ok(body);
            }
        }
    }

    fn exactly(&mut self, length: usize) -> std::io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.0.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn line(&mut self) -> std::io::Result<String> {
        let mut line = String::new();
        match self.0.read_line(&mut line)? {
            0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(line.trim_end().to_owned()),
        }
    }
}

fn malformed() -> std::io::Error {
    std::io::ErrorKind::InvalidData.into()
}
