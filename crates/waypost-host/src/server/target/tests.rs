use super::*;
use proptest::prelude::*;
use std::collections::VecDeque;
use tokio::io::AsyncReadExt;

/// Gives bytes in these pieces, one for each read that has room for it.
struct Pieces(VecDeque<Vec<u8>>);

impl AsyncRead for Pieces {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(mut piece) = self.0.pop_front() {
            let rest = piece.split_off(piece.len().min(buffer.remaining()));
            buffer.put_slice(&piece);
            if !rest.is_empty() {
                self.0.push_front(rest);
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// Longer than any line here.
const LONG: usize = 1 << 20;

/// What comes out when `pieces` go in, read with buffers of `room` bytes.
fn through(pieces: impl IntoIterator<Item = Vec<u8>>, room: usize) -> Vec<u8> {
    let pieces = pieces.into_iter().filter(|piece| !piece.is_empty());
    let mut stream = TargetStream::new(
        Pieces(pieces.collect()),
        Arc::new(Progress::new(Arc::default())),
        LONG,
    );
    let mut out = Vec::new();
    let mut buffer = vec![0; room];
    futures::executor::block_on(async {
        loop {
            match stream
                .read(&mut buffer)
                .await
                .expect("the pieces can be read")
            {
                0 => return out,
                count => out.extend_from_slice(&buffer[..count]),
            }
        }
    })
}

/// What comes out, however the bytes come in.
fn encoded_in_every_way(sent: &[u8]) -> Vec<u8> {
    let whole = through([sent.to_vec()], 1024);
    for room in [1, 2, 3, 7] {
        assert_eq!(
            through([sent.to_vec()], room),
            whole,
            "{room} bytes at a time"
        );
    }
    let bytes = sent.iter().map(|byte| vec![*byte]);
    assert_eq!(through(bytes, 1024), whole, "byte by byte");
    for at in 0..sent.len() {
        let (left, right) = sent.split_at(at);
        let parts = [left.to_vec(), right.to_vec()];
        assert_eq!(
            through(parts, 1024),
            whole,
            "in two parts, of which one has {at} bytes"
        );
    }
    whole
}

fn check(sent: &str, expected: &str) {
    let got = encoded_in_every_way(sent.as_bytes());
    assert_eq!(String::from_utf8_lossy(&got), expected);
}

#[test]
fn every_request_line_is_encoded() {
    check(
        "GET /a<b> HTTP/1.1\r\nhost: <h>\r\n\r\n\r\n\nPOST /?a=\"x\" HTTP/1.1\ncontent-length: 20\n\nGET /<> HTTP/1.1\r\n\r\nGET /` HTTP/1.1\r\n\r\n",
        "GET /a%3Cb%3E HTTP/1.1\r\nhost: <h>\r\n\r\n\r\n\nPOST /?a=%22x%22 HTTP/1.1\ncontent-length: 20\n\nGET /<> HTTP/1.1\r\n\r\nGET /%60 HTTP/1.1\r\n\r\n",
    );
}

#[test]
fn what_cannot_be_followed_is_let_be() {
    let next = "GET /<> HTTP/1.1\r\n\r\n";
    for first in [
        "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\ncontent-length: 0\r\ncontent-length: 0\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "\u{16}\u{3}\u{1}",
        " ",
    ] {
        let sent = format!("{first}{next}");
        check(&sent, &sent);
    }
}

#[test]
fn a_line_grows_to_no_more_than_three_times_its_size() {
    let sent = format!("GET /{} HTTP/1.1\r\n\r\n", "<".repeat(5000));
    let got = through([sent.clone().into_bytes()], 1024);
    assert_eq!(got.len(), sent.len() + 2 * 5000);
    assert_eq!(got.iter().filter(|byte| **byte == b'<').count(), 0);
}

/// A request as it is sent, and as it must arrive.
#[derive(Clone, Debug)]
struct Sent {
    before: String,
    after: String,
}

/// Requests as hyper takes them, apart from their targets.
fn request() -> impl Strategy<Value = Sent> {
    let target = "(https?://[a-z.:0-9]{1,9})?/[!-\"$-~]{0,12}(#[!-~]{0,4})?";
    let fields = proptest::collection::vec("[A-Za-z-]{1,18}: ?[ -~]{0,12}", 0..3);
    let lead = prop::sample::select(vec!["", "\r\n", "\n"]);
    let end = prop::sample::select(vec!["\r\n", "\n"]);
    let parts = (
        lead,
        "[A-Z]{1,7}",
        target,
        fields,
        end,
        "[ -~\r\n]{0,30}",
        any::<bool>(),
    );
    parts.prop_map(|(lead, method, target, fields, end, content, has_length)| {
        let mut tail = format!(" HTTP/1.1{end}");
        for field in fields.iter().filter(|field| !says_length(field)) {
            tail += &format!("{field}{end}");
        }
        if has_length {
            tail += &format!("Content-Length: {}{end}{end}{content}", content.len());
        } else {
            tail += end;
        }
        Sent {
            before: format!("{lead}{method} {target}{tail}"),
            after: format!("{lead}{method} {}{tail}", expected(&target)),
        }
    })
}

fn says_length(field: &str) -> bool {
    let field = field.to_ascii_lowercase();
    field.starts_with("content-length:") || field.starts_with("transfer-encoding:")
}

/// The rule in another way: part by part of the target.
fn expected(target: &str) -> String {
    let start = target.find("://").map_or(0, |at| at + "://".len());
    let path = target[start..]
        .find('/')
        .map_or(target.len(), |at| start + at);
    let fragment = target[path..]
        .find('#')
        .map_or(target.len(), |at| path + at);
    let query = target[path..fragment]
        .find('?')
        .map_or(fragment, |at| path + at);
    let encode = |text: &str, bytes: &[char]| {
        bytes.iter().fold(text.to_owned(), |text, &byte| {
            text.replace(byte, &format!("%{:02X}", u32::from(byte)))
        })
    };
    let mut out = target[..path].to_owned();
    out += &encode(&target[path..query], &['<', '>', '`']);
    out += &encode(&target[query..fragment], &['<', '>', '"']);
    out + &target[fragment..]
}

/// Header fields by name.
type Fields = Vec<(String, Vec<u8>)>;

/// Method, headers and content of each request, as `httparse` sees them, which is what hyper parses with.
fn parsed(mut bytes: &[u8]) -> Vec<(String, Fields, Vec<u8>)> {
    let mut requests = Vec::new();
    loop {
        let mut headers = [httparse::EMPTY_HEADER; 8];
        let mut request = httparse::Request::new(&mut headers);
        let Ok(httparse::Status::Complete(head)) = request.parse(bytes) else {
            return requests;
        };
        let headers = request.headers.iter();
        let headers: Vec<_> = headers
            .map(|h| (h.name.to_owned(), h.value.to_vec()))
            .collect();
        let length = headers.iter().find(|(name, _)| name == "Content-Length");
        let length = length.map_or(0, |(_, value)| {
            String::from_utf8_lossy(value)
                .parse()
                .expect("it is a number")
        });
        let method = request.method.unwrap_or_default().to_owned();
        let (content, rest) = bytes[head..].split_at(length);
        requests.push((method, headers, content.to_vec()));
        bytes = rest;
    }
}

proptest! {
    #[test]
    fn nothing_but_targets_changes(
        requests in proptest::collection::vec(request(), 1..5),
        cuts in proptest::collection::vec(1..60_usize, 0..12),
        room in 1..80_usize,
    ) {
        let before: String = requests.iter().map(|request| request.before.as_str()).collect();
        let after: String = requests.iter().map(|request| request.after.as_str()).collect();
        let mut rest = before.clone().into_bytes();
        let mut pieces = Vec::new();
        for cut in cuts {
            let tail = rest.split_off(cut.min(rest.len()));
            pieces.push(std::mem::replace(&mut rest, tail));
        }
        pieces.push(rest);
        let got = through(pieces, room);
        prop_assert_eq!(String::from_utf8_lossy(&got), after.as_str());
        prop_assert_eq!(parsed(&got), parsed(before.as_bytes()));
        prop_assert_eq!(parsed(&got).len(), requests.len());
    }

    #[test]
    fn without_such_bytes_nothing_changes(bytes in "[ -~\r\n]{0,200}", room in 1..80_usize) {
        let bytes = bytes.replace(['<', '>', '`', '"'], "");
        prop_assert_eq!(through([bytes.clone().into_bytes()], room), bytes.into_bytes());
    }
}
