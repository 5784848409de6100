//! Parses HTTP/1.1 responses (RFC 9112 section 6.3) from bytes that may end anywhere.
//!
//! It is a pure function of the bytes received so far. A reader of a socket calls it again after it has read more.

use thiserror::Error;

/// The most header lines that a response may have.
const MOST_HEADERS: usize = 256;

/// A received response.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) reason: String,
    /// The headers in the order of the wire, with names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) end: End,
}

/// How a response ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// With its whole body, by its framing.
    Whole,
    /// Before the end of its body.
    Cut,
}

/// How much of a response has been received.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Progress {
    /// The head is incomplete.
    Head,
    /// The body is incomplete. The response contains the received part, with [`End::Cut`].
    Body(Answer),
    /// The response is complete. Its length in bytes follows.
    Whole(Answer, usize),
}

/// Why bytes are not a valid response.
#[derive(Debug, Error, PartialEq)]
#[non_exhaustive]
pub(crate) enum AnswerError {
    #[error("the head is malformed: {0}")]
    Head(#[from] httparse::Error),
    #[error("the status {0} is out of range")]
    Status(u16),
    #[error("`Content-Length` is not a single number: `{0}`")]
    Length(String),
    #[error("a chunk is malformed")]
    Chunk,
}

enum Framing {
    Length(usize),
    Chunked,
    UntilClose,
}

impl Answer {
    /// Parses one response at the start of `bytes`. `closed` is `true` if no more bytes will come.
    pub(crate) fn read(bytes: &[u8], to_head: bool, closed: bool) -> Result<Progress, AnswerError> {
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut head = httparse::Response::new(&mut headers);
        let httparse::Status::Complete(start) = head.parse(bytes)? else {
            return Ok(Progress::Head);
        };
        let mut answer = Self {
            status: head.code.unwrap_or_default(),
            reason: head.reason.unwrap_or_default().to_owned(),
            headers: head
                .headers
                .iter()
                .map(|header| (header.name.to_ascii_lowercase(), value_text(header.value)))
                .collect(),
            body: Vec::new(),
            end: End::Cut,
        };
        if !(100..=999).contains(&answer.status) {
            return Err(AnswerError::Status(answer.status));
        }
        let used = answer.take_body(&bytes[start..], to_head, closed)?;
        Ok(match used {
            Some(used) => {
                answer.end = End::Whole;
                Progress::Whole(answer, start + used)
            }
            None => Progress::Body(answer),
        })
    }

    /// Returns the values of a header, one per line.
    pub(crate) fn lines(&self, name: &str) -> Vec<&str> {
        let lines = self.headers.iter().filter(|(known, _)| known == name);
        lines.map(|(_, value)| value.as_str()).collect()
    }

    /// Returns `true` for an interim response, which another one follows (RFC 9110 section 15.2).
    pub(crate) fn is_interim(&self) -> bool {
        (100..200).contains(&self.status) && self.status != 101
    }

    /// Takes the body from the bytes. Returns its length in bytes, or `None` if it is incomplete.
    fn take_body(
        &mut self,
        bytes: &[u8],
        to_head: bool,
        closed: bool,
    ) -> Result<Option<usize>, AnswerError> {
        match self.framing(to_head)? {
            Framing::Length(length) => {
                let there = length.min(bytes.len());
                self.body = bytes[..there].to_vec();
                Ok((there == length).then_some(length))
            }
            Framing::UntilClose => {
                self.body = bytes.to_vec();
                Ok(closed.then_some(bytes.len()))
            }
            Framing::Chunked => self.take_chunks(bytes),
        }
    }

    fn framing(&self, to_head: bool) -> Result<Framing, AnswerError> {
        if to_head || self.status < 200 || matches!(self.status, 204 | 304) {
            return Ok(Framing::Length(0));
        }
        if let Some(last) = self.lines("transfer-encoding").pop() {
            let chunked = last
                .rsplit(',')
                .next()
                .is_some_and(|coding| coding.trim().eq_ignore_ascii_case("chunked"));
            return Ok(if chunked {
                Framing::Chunked
            } else {
                Framing::UntilClose
            });
        }
        let lengths = self.lines("content-length");
        let Some(first) = lengths.first() else {
            return Ok(Framing::UntilClose);
        };
        let number = first.bytes().all(|byte| byte.is_ascii_digit())
            && lengths.iter().all(|length| length == first);
        match first.parse() {
            Ok(length) if number => Ok(Framing::Length(length)),
            _ => Err(AnswerError::Length(lengths.join("`, `"))),
        }
    }

    fn take_chunks(&mut self, bytes: &[u8]) -> Result<Option<usize>, AnswerError> {
        let mut at = 0;
        loop {
            let rest = &bytes[at..];
            let size = match httparse::parse_chunk_size(rest) {
                Ok(httparse::Status::Complete((line, size))) => {
                    at += line;
                    usize::try_from(size).map_err(|_| AnswerError::Chunk)?
                }
                Ok(httparse::Status::Partial) => return Ok(None),
                Err(httparse::InvalidChunkSize) => return Err(AnswerError::Chunk),
            };
            if size == 0 {
                return Ok(trailers(&bytes[at..])?.map(|trailers| at + trailers));
            }
            let rest = &bytes[at..];
            self.body.extend_from_slice(&rest[..size.min(rest.len())]);
            let Some(after) = rest.get(size..) else {
                return Ok(None);
            };
            match after {
                [b'\r', b'\n', ..] => at += size + 2,
                [] | [b'\r'] => return Ok(None),
                _ => return Err(AnswerError::Chunk),
            }
        }
    }
}

/// Returns the length of the trailers, including the empty line after them, or `None` if they are incomplete.
fn trailers(bytes: &[u8]) -> Result<Option<usize>, AnswerError> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    match httparse::parse_headers(bytes, &mut headers)? {
        httparse::Status::Complete((used, _)) => Ok(Some(used)),
        httparse::Status::Partial => Ok(None),
    }
}

/// Decodes a header value as UTF-8, or as Latin-1 if it is not valid UTF-8.
fn value_text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Progress, AnswerError> {
        Answer::read(text.as_bytes(), false, false)
    }

    fn whole(text: &str) -> (Answer, usize) {
        match read(text) {
            Ok(Progress::Whole(answer, used)) => (answer, used),
            other => panic!("{text:?} was read as {other:?}"),
        }
    }

    const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nt: 1\r\n\r\n";
    const FIXED: &str = "HTTP/1.1 404 Not Found\r\nX-A: 1\r\nx-a: é\r\nContent-Length: 2\r\n\r\nhi";

    #[test]
    fn whole_responses() {
        let (answer, used) = whole(FIXED);
        assert_eq!(
            (answer.status, answer.reason.as_str(), used),
            (404, "Not Found", FIXED.len())
        );
        assert_eq!(answer.lines("x-a"), ["1", "é"]);
        assert_eq!(
            (answer.body.as_slice(), answer.end),
            (&b"hi"[..], End::Whole)
        );
        let next = format!("{CHUNKED}HTTP/1.1");
        let (answer, used) = whole(&next);
        assert_eq!(
            (answer.body.as_slice(), used),
            (&b"abcde"[..], CHUNKED.len())
        );
    }

    #[test]
    fn every_prefix_is_incomplete_and_keeps_the_received_part() {
        for text in [CHUNKED, FIXED] {
            let whole = whole(text).0.body;
            for end in 0..text.len() {
                let Some(prefix) = text.get(..end) else {
                    continue;
                };
                match read(prefix).unwrap() {
                    Progress::Head => {}
                    Progress::Body(answer) => {
                        assert!(whole.starts_with(&answer.body) && answer.end == End::Cut)
                    }
                    Progress::Whole(..) => panic!("{prefix:?} is not whole"),
                }
            }
        }
    }

    #[test]
    fn responses_without_a_body() {
        assert_eq!(whole("HTTP/1.1 204 No Content\r\n\r\nHTTP").1, 27);
        assert_eq!(
            whole("HTTP/1.1 304 x\r\ncontent-length: 5\r\n\r\n").0.body,
            b""
        );
        assert!(whole("HTTP/1.1 100 Continue\r\n\r\n").0.is_interim());
        let head = Answer::read(
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            true,
            false,
        );
        assert!(matches!(head, Ok(Progress::Whole(..))));
    }

    #[test]
    fn a_close_ends_only_a_body_without_framing() {
        let text = b"HTTP/1.0 200 OK\r\n\r\nabc";
        assert!(matches!(
            Answer::read(text, false, false),
            Ok(Progress::Body(_))
        ));
        assert!(
            matches!(Answer::read(text, false, true), Ok(Progress::Whole(answer, 22)) if answer.body == b"abc")
        );
        let cut = &CHUNKED.as_bytes()[..60];
        assert!(matches!(
            Answer::read(cut, false, true),
            Ok(Progress::Body(_))
        ));
    }

    #[test]
    fn values_that_are_not_utf_8_are_latin_1() {
        let text = b"HTTP/1.1 200 OK\r\nx: caf\xe9\r\ncontent-length: 0\r\n\r\n";
        let Ok(Progress::Whole(answer, _)) = Answer::read(text, false, false) else {
            panic!()
        };
        assert_eq!(answer.lines("x"), ["café"]);
    }

    #[test]
    fn malformed_responses() {
        for text in [
            "nonsense\r\n\r\n",
            "HTTP/1.1 20 OK\r\n\r\n",
            "HTTP/1.1 000 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\na b: c\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: +1\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nabc",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffffffffff\r\n",
        ] {
            assert!(read(text).is_err(), "{text:?} was read as {:?}", read(text));
        }
    }

    #[test]
    fn a_huge_chunk_size_does_not_panic() {
        let text = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff\r\nabc";
        assert!(matches!(read(text), Ok(Progress::Body(answer)) if answer.body == b"abc"));
    }
}
