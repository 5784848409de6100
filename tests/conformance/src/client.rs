//! One connection to the server: sends bytes and reads a response, with a timeout.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::answer::{Answer, Progress};
use crate::base::Base;
use crate::request::Message;

/// The number of bytes that are read at once.
const READ_SIZE: usize = 64 * 1024;

/// The largest response that is read. The largest recorded responses have some ten kilobytes. The limit keeps
/// a server that sends for ever from filling the memory before the timeout.
const LARGEST_ANSWER: usize = 64 * 1024 * 1024;

/// The server, and the timeout for its responses.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) base: Base,
    /// The timeout for one response, from the first byte sent to the last byte received.
    pub(crate) timeout: Duration,
}

/// When the client closes the connection on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leave {
    /// Never: the client waits for the response.
    Never,
    /// After this time, whatever has been received.
    After(Duration),
    /// After this time, but not before a part of a body has been received.
    AfterBody(Duration),
}

/// The outcome of a request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// A response, and the number of stray bytes after it.
    Answered(Answer, usize),
    /// The connection was closed without a response.
    Silence,
    /// The client closed the connection on purpose, before a whole head was received.
    Left,
    /// The received bytes are not a valid response.
    Malformed(String),
    /// The response was not complete in time. The number is that of the received bytes.
    Late(usize),
    /// The connection failed.
    Unreachable(String),
}

impl Client {
    /// Sends a message on a new connection, and waits for the response.
    pub(crate) fn send(&self, message: &Message, leave: Leave) -> Outcome {
        match Connection::open(self, &message.bytes) {
            Ok(connection) => connection.exchange(message, leave, self.timeout),
            Err(error) => Outcome::Unreachable(error.to_string()),
        }
    }
}

/// An open connection, and all bytes received on it.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    pub(crate) received: Vec<u8>,
    pub(crate) closed: bool,
}

impl Connection {
    /// Connects to the server for a message, without sending it.
    pub(crate) fn open(client: &Client, message: &[u8]) -> io::Result<Self> {
        let address = client.base.address(message);
        let stream = TcpStream::connect_timeout(&address, client.timeout)?;
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(client.timeout))?;
        Ok(Self {
            stream,
            received: Vec::new(),
            closed: false,
        })
    }

    /// Sends bytes. Errors are ignored, because a server may respond and close before it has read all of them.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        drop(self.stream.write_all(bytes));
    }

    /// Reads once, until `deadline`. Returns `true` if bytes were received.
    pub(crate) fn read(&mut self, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || self.closed || self.received.len() > LARGEST_ANSWER {
            return false;
        }
        let mut buffer = [0; READ_SIZE];
        let read = self
            .stream
            .set_read_timeout(Some(left))
            .and_then(|()| self.stream.read(&mut buffer));
        match read {
            Ok(0) => self.closed = true,
            Ok(length) => self.received.extend_from_slice(&buffer[..length]),
            Err(error) if is_timeout(&error) => return false,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => self.closed = true,
        }
        true
    }

    fn exchange(mut self, message: &Message, leave: Leave, timeout: Duration) -> Outcome {
        let stream = match self.stream.try_clone() {
            Ok(stream) => stream,
            Err(error) => return Outcome::Unreachable(error.to_string()),
        };
        // Read while a long body is written, because a server may respond before it has read all of it.
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut stream = &stream;
                drop(stream.write_all(&message.bytes));
            });
            let outcome = self.answer(message.is_head, leave, timeout);
            drop(self.stream.shutdown(Shutdown::Both));
            outcome
        })
    }

    fn answer(&mut self, to_head: bool, leave: Leave, timeout: Duration) -> Outcome {
        let start = Instant::now();
        loop {
            let (used, progress) = match final_answer(&self.received, to_head, self.closed) {
                Ok(found) => found,
                Err(why) => return Outcome::Malformed(why),
            };
            let deadline = start + leave.deadline(&progress, timeout);
            match progress {
                Progress::Whole(answer, length) => {
                    return Outcome::Answered(answer, self.received.len() - used - length);
                }
                Progress::Head if self.closed && self.received.is_empty() => {
                    return Outcome::Silence;
                }
                Progress::Head if self.closed => {
                    return Outcome::Malformed("the response ends within the head".to_owned());
                }
                Progress::Body(answer) if self.closed => return Outcome::Answered(answer, 0),
                Progress::Head | Progress::Body(_) if self.read(deadline) => {}
                Progress::Body(answer) if leave != Leave::Never => {
                    return Outcome::Answered(answer, 0);
                }
                Progress::Head if matches!(leave, Leave::After(_)) => return Outcome::Left,
                Progress::Head | Progress::Body(_) => return Outcome::Late(self.received.len()),
            }
        }
    }
}

impl Leave {
    fn deadline(self, progress: &Progress, timeout: Duration) -> Duration {
        let body_began = matches!(progress, Progress::Body(answer) if !answer.body.is_empty());
        match self {
            Self::After(time) => time,
            Self::AfterBody(time) if body_began => time,
            Self::Never | Self::AfterBody(_) => timeout,
        }
    }
}

/// Parses the first response that is not an interim one. Also returns the number of bytes before it.
fn final_answer(bytes: &[u8], to_head: bool, closed: bool) -> Result<(usize, Progress), String> {
    let mut used = 0;
    loop {
        let progress =
            Answer::read(&bytes[used..], to_head, closed).map_err(|error| error.to_string())?;
        match progress {
            Progress::Whole(answer, length) if answer.is_interim() => used += length,
            progress => return Ok((used, progress)),
        }
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    /// Serves one connection: reads a little, sends each part after a pause, and closes.
    fn outcome(parts: &'static [(u64, &'static str)], leave: Leave) -> Outcome {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = Client {
            base: listener.local_addr().unwrap().into(),
            timeout: Duration::from_millis(400),
        };
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            drop(stream.read(&mut [0; 100]));
            for (pause, part) in parts {
                thread::sleep(Duration::from_millis(*pause));
                drop(stream.write_all(part.as_bytes()));
            }
        });
        let message = Message {
            bytes: b"GET / HTTP/1.1\r\n\r\n".to_vec(),
            is_head: false,
        };
        let outcome = client.send(&message, leave);
        server.join().unwrap();
        outcome
    }

    #[test]
    fn outcomes() {
        const OK: &str =
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";
        assert!(
            matches!(outcome(&[(0, OK)], Leave::Never), Outcome::Answered(answer, 0) if answer.status == 200)
        );
        assert!(matches!(
            outcome(&[(0, OK), (0, "junk")], Leave::Never),
            Outcome::Answered(_, 0 | 4)
        ));
        assert_eq!(outcome(&[], Leave::Never), Outcome::Silence);
        assert!(matches!(
            outcome(&[(0, "HTTP/1.1 200")], Leave::Never),
            Outcome::Malformed(_)
        ));
        assert!(matches!(
            outcome(&[(0, "SSH-2.0-x\r\n")], Leave::Never),
            Outcome::Malformed(_)
        ));
        assert_eq!(outcome(&[(600, OK)], Leave::Never), Outcome::Late(0));
        assert_eq!(
            outcome(&[(300, OK)], Leave::After(Duration::from_millis(100))),
            Outcome::Left
        );
    }

    #[test]
    fn a_client_leaves_a_stream_after_its_first_part() {
        const HEAD: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        let leave = Leave::AfterBody(Duration::from_millis(50));
        let Outcome::Answered(answer, _) = outcome(
            &[(0, HEAD), (100, "1\r\na\r\n"), (100, "1\r\nb\r\n")],
            leave,
        ) else {
            panic!()
        };
        assert_eq!(answer.body, b"a");
    }

    #[test]
    fn an_unreachable_server() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = Client {
            base: listener.local_addr().unwrap().into(),
            timeout: Duration::from_millis(400),
        };
        drop(listener);
        let message = Message {
            bytes: Vec::new(),
            is_head: false,
        };
        assert!(matches!(
            client.send(&message, Leave::Never),
            Outcome::Unreachable(_)
        ));
    }
}
