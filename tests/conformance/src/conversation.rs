//! Replays bytes on one connection, and compares the responses and when they arrive.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::answer::{Answer, Progress};
use crate::case;
use crate::client::{Connection, Outcome};
use crate::compare::Difference;
use crate::expectation::Expectation;
use crate::facts::Facts;
use crate::pattern::Scope;
use crate::replay::{Fault, Replay};
use crate::request::Message;

/// The responses received on a connection: whole ones, interim ones included, and a partial one.
#[derive(Clone, Debug, Default, PartialEq)]
struct Received {
    answers: Vec<Answer>,
    /// The position of each response's end.
    ends: Vec<usize>,
    partial: Option<Answer>,
}

/// The state of the conversation some time after a part of the requests was sent.
#[derive(Clone, Debug, PartialEq)]
struct Milestone {
    /// The number of whole responses.
    answers: usize,
    /// The received part of the next response's body, or `None` if the recording does not tell.
    body: Option<Vec<u8>>,
}

/// Sends each part, and checks after each that as much was received as in the recording. Then compares all
/// responses.
pub(crate) fn replay(replay: &Replay<'_>, line: &Value, recorded: &case::Connection) -> Vec<Fault> {
    let sent: Vec<u8> = recorded
        .send
        .iter()
        .flat_map(crate::recorded::Sent::bytes)
        .collect();
    let messages = messages(&sent);
    let bytes = recorded.observed.bytes();
    let expected = match Received::read(&bytes, &messages, true) {
        Ok(expected) => expected,
        Err(why) => return vec![fault(line, "recording", "answers", why)],
    };
    let milestones = milestones(
        &bytes,
        &recorded.observed.bytes_after_each_send,
        &messages,
        &expected,
    );
    let mut connection = match Connection::open(&replay.client, &bytes) {
        Ok(connection) => connection,
        Err(error) => return vec![fault(line, "connection", "open", error.to_string())],
    };
    let mut faults = Vec::new();
    for (index, part) in recorded.send.iter().enumerate() {
        connection.write(&part.bytes());
        let patience = (Duration::from_millis(part.wait_ms), replay.client.timeout);
        let milestone = milestones.get(index);
        if let Err(got) = wait(&mut connection, &messages, milestone, patience) {
            let expected = milestone.map(Milestone::show).unwrap_or_default();
            faults.push(fault(
                line,
                &format!("after part {}", index + 1),
                expected,
                got,
            ));
        }
    }
    match Received::read(&connection.received, &messages, connection.closed) {
        Ok(got) => faults.extend(compare_answers(replay, line, &messages, &expected, &got)),
        Err(why) => faults.push(fault(line, "answers", "as recorded", why)),
    }
    faults
}

/// Reads for the recorded time, and longer if less was received than in the recording.
///
/// The error describes what was received instead.
fn wait(
    connection: &mut Connection,
    messages: &[Message],
    milestone: Option<&Milestone>,
    (least, most): (Duration, Duration),
) -> Result<(), String> {
    let start = Instant::now();
    while connection.read(start + least) {}
    let Some(milestone) = milestone else {
        return Ok(());
    };
    loop {
        let received = Received::read(&connection.received, messages, connection.closed)?;
        if milestone.is_reached_by(&received) {
            return Ok(());
        }
        let too_much = received.answers.len() > milestone.answers;
        if too_much || !connection.read(start + least + most) {
            return Err(received.show());
        }
    }
}

fn compare_answers(
    replay: &Replay<'_>,
    line: &Value,
    messages: &[Message],
    expected: &Received,
    got: &Received,
) -> Vec<Fault> {
    let mut scope = Scope::new();
    let mut faults = Vec::new();
    let wanted: Vec<_> = expected.answers.iter().chain(&expected.partial).collect();
    let came: Vec<_> = got.answers.iter().chain(&got.partial).collect();
    if wanted.len() != came.len() {
        faults.push(fault(line, "answers", expected.show(), got.show()));
    }
    let nothing = Message {
        bytes: Vec::new(),
        is_head: false,
    };
    let mut finals = 0;
    for (wanted, came) in wanted.into_iter().zip(came) {
        let message = messages.get(finals).unwrap_or(&nothing);
        finals += usize::from(!wanted.is_interim());
        let facts = Facts::of(
            line,
            &written(wanted),
            &message.bytes,
            replay.port(&message.bytes),
        );
        let outcome = Outcome::Answered(came.clone(), 0);
        faults.extend(replay.judge(
            message,
            &Expectation::of_bytes(wanted),
            &facts,
            &outcome,
            &mut scope,
        ));
    }
    faults
}

impl Received {
    fn read(bytes: &[u8], messages: &[Message], closed: bool) -> Result<Self, String> {
        let mut received = Self::default();
        let mut at = 0;
        let mut finals = 0;
        while at < bytes.len() {
            let to_head = messages.get(finals).is_some_and(|message| message.is_head);
            match Answer::read(&bytes[at..], to_head, closed).map_err(|error| error.to_string())? {
                Progress::Whole(answer, length) => {
                    finals += usize::from(!answer.is_interim());
                    at += length;
                    received.ends.push(at);
                    received.answers.push(answer);
                }
                Progress::Body(answer) => {
                    received.partial = Some(answer);
                    break;
                }
                Progress::Head => break,
            }
        }
        Ok(received)
    }

    fn show(&self) -> String {
        let partial = self.partial.as_ref().map(|answer| answer.body.as_slice());
        show(
            self.answers
                .iter()
                .map(|answer| answer.status.to_string())
                .collect(),
            partial,
        )
    }
}

impl Milestone {
    fn is_reached_by(&self, received: &Received) -> bool {
        let body = received.partial.as_ref().map(|answer| &answer.body);
        received.answers.len() == self.answers
            && self.body.as_ref().is_none_or(|wanted| body == Some(wanted))
    }

    fn show(&self) -> String {
        show(
            vec![format!("{} whole", self.answers)],
            self.body.as_deref(),
        )
    }
}

fn show(mut answers: Vec<String>, partial: Option<&[u8]>) -> String {
    answers
        .extend(partial.map(|body| format!("one with {:?} so far", String::from_utf8_lossy(body))));
    if answers.is_empty() {
        "no answer".to_owned()
    } else {
        answers.join(", ")
    }
}

/// Computes what had been received after each part.
///
/// The recorded counts include headers that are missing in the recorded text (`Date`). So they are exact only when
/// counted from the end. Counted from the start, a response was whole if it ends before the count even without these
/// headers.
fn milestones(
    bytes: &[u8],
    counts: &[usize],
    messages: &[Message],
    expected: &Received,
) -> Vec<Milestone> {
    let total = counts.last().copied().unwrap_or_default();
    let milestone = |count: &usize| {
        let whole = expected.ends.iter().filter(|end| **end <= *count).count();
        let last_is_open = *count < total && whole == expected.ends.len();
        let answers = whole - usize::from(last_is_open && whole > 0);
        let so_far = bytes.len().saturating_sub(total - count);
        let partial = Received::read(&bytes[..so_far], messages, false)
            .ok()
            .filter(|read| read.answers.len() == answers);
        Milestone {
            answers,
            body: partial
                .and_then(|read| read.partial)
                .map(|answer| answer.body),
        }
    };
    counts.iter().map(milestone).collect()
}

/// Splits the sent bytes into requests, by their `Content-Length` or their last chunk.
fn messages(sent: &[u8]) -> Vec<Message> {
    let mut messages = Vec::new();
    let mut rest = sent;
    while !rest.is_empty() {
        let length = request_length(rest).min(rest.len());
        let (bytes, after) = rest.split_at(length);
        messages.push(Message {
            bytes: bytes.to_vec(),
            is_head: bytes.starts_with(b"HEAD "),
        });
        rest = after;
    }
    messages
}

fn request_length(bytes: &[u8]) -> usize {
    let find =
        |bytes: &[u8], part: &[u8]| bytes.windows(part.len()).position(|window| window == part);
    let Some(head) = find(bytes, b"\r\n\r\n").map(|end| end + 4) else {
        return bytes.len();
    };
    let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
    let value = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name))
            .map(str::trim)
    };
    if value("transfer-encoding:").is_some() {
        return find(&bytes[head - 2..], b"\r\n0\r\n\r\n")
            .map_or(bytes.len(), |end| head - 2 + end + 7);
    }
    let body: usize = value("content-length:")
        .and_then(|length| length.parse().ok())
        .unwrap_or_default();
    head.saturating_add(body)
}

/// Writes a response in the form of single cases.
fn written(answer: &Answer) -> Value {
    let headers: serde_json::Map<_, _> = answer
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), json!(value)))
        .collect();
    json!({ "status": answer.status, "headers": headers, "body": String::from_utf8_lossy(&answer.body) })
}

fn fault(line: &Value, what: &str, expected: impl Into<String>, got: impl Into<String>) -> Fault {
    Fault {
        title: line["note"].as_str().unwrap_or("connection").to_owned(),
        differences: vec![Difference::new(what, expected, got)],
        deviations: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str =
        "HTTP/1.1 405 Method Not Allowed\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    const SECOND: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n6\r\nsecond\r\n0\r\n\r\n";

    /// Returns the milestones if `stripped` bytes of each response's head are missing in the recording.
    fn milestones_of(text: &str, counts: &[usize]) -> Vec<(usize, Option<String>)> {
        let expected = Received::read(text.as_bytes(), &[], true).unwrap();
        let milestones = milestones(text.as_bytes(), counts, &[], &expected);
        let show = |milestone: Milestone| {
            (
                milestone.answers,
                milestone.body.map(|body| String::from_utf8(body).unwrap()),
            )
        };
        milestones.into_iter().map(show).collect()
    }

    #[test]
    fn requests_are_split() {
        let sent = "GET /a HTTP/1.1\r\n\r\nPOST /b HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcHEAD /c HTTP/1.1\r\n\r\n\
                    POST /d HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n0\r\n0\r\n\r\nGET /e HTTP/1.1\r\n";
        let titles: Vec<_> = messages(sent.as_bytes())
            .iter()
            .map(Message::title)
            .collect();
        assert_eq!(
            titles,
            ["GET /a", "POST /b", "HEAD /c", "POST /d", "GET /e"]
        );
    }

    #[test]
    fn milestones_between_responses() {
        let stripped = 37;
        let text = format!("{FIRST}{SECOND}");
        let (first, all) = (FIRST.len() + stripped, text.len() + 2 * stripped);
        assert_eq!(milestones_of(&text, &[first, all]), [(1, None), (2, None)]);
    }

    #[test]
    fn milestones_within_a_response() {
        let all = SECOND.len() + 37;
        let before_the_second_chunk = all - "6\r\nsecond\r\n0\r\n\r\n".len();
        let milestones = milestones_of(SECOND, &[before_the_second_chunk, all]);
        assert_eq!(milestones, [(0, Some("first".to_owned())), (1, None)]);
    }

    #[test]
    fn milestones_after_an_interim_response() {
        let text = format!("HTTP/1.1 100 Continue\r\n\r\n{SECOND}");
        assert_eq!(
            milestones_of(&text, &[25, text.len() + 37]),
            [(1, None), (2, None)]
        );
    }

    #[test]
    fn recordings_without_counts() {
        assert!(milestones_of(SECOND, &[]).is_empty());
        assert_eq!(milestones_of("", &[0, 0]), [(0, None), (0, None)]);
    }
}
