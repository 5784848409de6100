//! Tests the output and exit code of the command, against a server that sends canned bytes.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test may panic")]

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use waypost_conformance::{Deviations, Suite};

/// Responses by request line. Several responses to one line are sent in turn; the last is repeated.
struct Canned {
    port: u16,
    heads: Arc<Mutex<Vec<String>>>,
}

/// A response, and the time before it.
struct Reply(&'static str, Duration);

const AT_ONCE: Duration = Duration::ZERO;

impl Canned {
    fn serve(replies: Vec<(&'static str, Vec<Reply>)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let replies: HashMap<_, _> = replies
            .into_iter()
            .map(|(line, replies)| (line, (AtomicUsize::new(0), replies)))
            .collect();
        let (seen, replies) = (Arc::clone(&heads), Arc::new(replies));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (seen, replies) = (Arc::clone(&seen), Arc::clone(&replies));
                thread::spawn(move || answer(stream, &seen, &replies));
            }
        });
        Self { port, heads }
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

fn answer(
    mut stream: TcpStream,
    seen: &Mutex<Vec<String>>,
    replies: &HashMap<&str, (AtomicUsize, Vec<Reply>)>,
) {
    let mut received = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut buffer) {
        received.extend_from_slice(&buffer[..length]);
        while let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") {
            let head: Vec<_> = received.drain(..end + 4).collect();
            let head = String::from_utf8_lossy(&head).into_owned();
            let line = head.split(" HTTP/1.1\r\n").next().unwrap_or_default();
            let (count, replies) = &replies[line];
            let Reply(text, pause) =
                &replies[count.fetch_add(1, Ordering::SeqCst).min(replies.len() - 1)];
            let stays = !head.to_ascii_lowercase().contains("connection: close");
            seen.lock().unwrap().push(head);
            thread::sleep(*pause);
            if stream.write_all(text.as_bytes()).is_err() || !stays {
                return;
            }
        }
    }
}

struct Run {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

/// Runs the command on the cases, with additional arguments.
fn run(port: u16, cases: &[Value], arguments: &[&str]) -> Run {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("cases.jsonl");
    let lines: Vec<_> = cases.iter().map(Value::to_string).collect();
    std::fs::write(&file, lines.join("\n")).unwrap();
    command(
        &["--base", &format!("http://127.0.0.1:{port}")],
        arguments,
        &[file],
    )
}

fn command(base: &[&str], arguments: &[&str], files: &[PathBuf]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_waypost-conformance"));
    let output = command
        .args(base)
        .args(arguments)
        .args(files)
        .output()
        .unwrap();
    Run {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Writes a table of deviations.
fn table(folder: &TempDir, text: &str) -> String {
    let file = folder.path().join("table.toml");
    std::fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

fn single(id: &str, method: &str, path: &str, expect: Value) -> Value {
    let request = json!({ "method": method, "path": path, "headers": [["Host", "x"]] });
    json!({ "id": id, "kind": "single", "request": request, "expect": expect })
}

fn once(text: &'static str) -> Vec<Reply> {
    vec![Reply(text, AT_ONCE)]
}

const HELLO: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello";
const EMPTY: &str = "HTTP/1.1 204 No Content\r\n\r\n";

#[test]
fn correct_responses_pass() {
    let server = Canned::serve(vec![
        ("GET /a", once(HELLO)),
        ("HEAD /a", once(HELLO.strip_suffix("hello").unwrap())),
    ]);
    let expect = |body| json!({ "status": 200, "headers": { "content-type": "text/plain" }, "absent": ["allow"], "body": body });
    let cases = [
        single("a-1", "GET", "/a", expect("hello")),
        single("a-2", "HEAD", "/a", expect("")),
        json!({ "id": "b-1", "kind": "build" }),
        json!({ "id": "b-2", "kind": "mini-app" }),
    ];
    let run = run(server.port, &cases, &[]);
    assert_eq!(
        run.stdout,
        "2 skipped: run by `waypost check`\n2 passed, 0 failed, 2 skipped\n"
    );
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    assert!(
        server
            .heads()
            .contains(&"GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_owned())
    );
}

#[test]
fn a_failure_is_a_small_diff() {
    let server = Canned::serve(vec![("GET /a", once(HELLO))]);
    let expect = json!({ "status": 404, "headers": { "x-a": "1" }, "absent": ["content-type"], "body": "help!" });
    let run = run(server.port, &[single("a-1", "GET", "/a", expect)], &[]);
    let expected = "\
FAIL a-1  GET /a
  status               expected  404
                       got       200
  header x-a           expected  1
                       got       absent
  header content-type  expected  absent
                       got       text/plain
  body                 expected  \"help!\"
                       got       \"hello\"

0 passed, 1 failed, 0 skipped
";
    assert_eq!(run.stdout, expected);
    assert_eq!(run.code, Some(1));
}

#[test]
fn misbehaving_servers_fail_without_a_hang() {
    let slow = vec![Reply(HELLO, Duration::from_secs(2))];
    let server = Canned::serve(vec![
        ("GET /junk", once("SSH-2.0-x\r\n\r\n")),
        ("GET /slow", slow),
        (
            "GET /cut",
            once("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello"),
        ),
        ("GET /none", once("")),
    ]);
    let expect = json!({ "status": 200, "headers": {}, "body": "hello" });
    let cases: Vec<_> = ["junk", "slow", "cut", "none"]
        .map(|id| single(id, "GET", &format!("/{id}"), expect.clone()))
        .into();
    let run = run(server.port, &cases, &["--timeout", "0.5", "--jobs", "1"]);
    for line in [
        "got       an invalid HTTP response: the head is malformed: invalid HTTP version",
        "got       an incomplete response after the timeout: 0 bytes",
        "got       cut before its end",
        "got       no response, the connection closed",
        "0 passed, 4 failed, 0 skipped",
    ] {
        assert!(run.stdout.contains(line), "{line}\n{}", run.stdout);
    }
    assert_eq!(run.code, Some(1));
}

#[test]
fn invalid_lines_fail() {
    let server = Canned::serve(Vec::new());
    let run = run(
        server.port,
        &[json!({ "id": "x", "kind": "dance" }), json!(7)],
        &[],
    );
    assert!(run.stdout.contains(
        "FAIL x  \n  case  expected  a valid case\n        got       a case of unknown kind `dance`"
    ));
    assert!(run.stdout.contains("cases.jsonl:2"), "{}", run.stdout);
    assert_eq!(run.code, Some(1));
}

#[test]
fn symbols_keep_their_value_in_a_sequence() {
    let id = |id: &'static str| Reply(id, AT_ONCE);
    let a = "HTTP/1.1 200 OK\r\nset-cookie: __prerender_bypass=s3cret; Path=/\r\ncontent-length: 1\r\n\r\na";
    let b = "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nb";
    let server = Canned::serve(vec![("GET /id", vec![id(a), id(b), id(b), id(b), id(a)])]);
    let step = |body: &str| json!({ "request": { "method": "GET", "path": "/id" }, "expect": { "status": 200, "body": body } });
    let mut first = step("<id1>");
    first["expect"]["headers"] = json!({ "set-cookie": "__prerender_bypass=<bypass>; Path=/" });
    let mut second = step("<id2>");
    second["request"]["headers"] = json!([["Cookie", "k=<bypass>"]]);
    let twice = json!({ "parallel": [step("<id2>"), step("<id2>")] });
    let steps = [first, second, twice, step("<id2>")];
    let run = run(
        server.port,
        &[json!({ "id": "s-1", "kind": "sequence", "steps": steps })],
        &["--no-deviations"],
    );
    assert_eq!(
        run.stdout,
        "FAIL s-1  step 4: GET /id\n  body  expected  \"<id2>\"\n        got       \"a\"\n\n0 passed, 1 failed, 0 skipped\n"
    );
    assert!(server.heads()[1].contains("Cookie: k=s3cret\r\n"));
}

#[test]
fn a_client_may_leave_before_the_response() {
    let server = Canned::serve(vec![
        ("GET /slow", vec![Reply(HELLO, Duration::from_secs(1))]),
        ("GET /log", once(HELLO)),
    ]);
    let steps = json!([
        { "request": { "method": "GET", "path": "/slow" }, "expect": { "status": null, "wire": { "outcome": "client closed after 50 ms" } } },
        { "wait_ms": 10, "request": { "method": "GET", "path": "/log" }, "expect": { "status": 200, "body": "hello" } },
    ]);
    let run = run(
        server.port,
        &[json!({ "id": "s-1", "kind": "sequence", "steps": steps })],
        &["--no-deviations"],
    );
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (Some(0), "1 passed, 0 failed, 0 skipped\n")
    );
}

#[test]
fn sequences_that_need_a_restart_are_skipped() {
    let server = Canned::serve(Vec::new());
    let run = run(
        server.port,
        &[json!({ "id": "s-1", "kind": "sequence", "steps": [{ "note": "restarted" }] })],
        &[],
    );
    assert!(
        run.stdout.ends_with("0 passed, 0 failed, 1 skipped\n"),
        "{}",
        run.stdout
    );
}

fn connection(received: &str, counts: &[usize]) -> Value {
    let send = json!([
        { "raw": "GET /a HTTP/1.1\r\nHost: x\r\n\r\n", "wait_ms": 50 },
        { "raw": "POST /b HTTP/1.1\r\nHost: x\r\n\r\n", "wait_ms": 50 },
    ]);
    json!({ "id": "c-1", "kind": "connection", "note": "two", "send": send,
            "observed": { "received": received, "bytes_after_each_send": counts } })
}

#[test]
fn connections() {
    let server = Canned::serve(vec![("GET /a", once(HELLO)), ("POST /b", once(EMPTY))]);
    let recorded = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nKeep-Alive: timeout=5\r\nTransfer-Encoding: chunked\r\n\r\n\
                    5\r\nhello\r\n0\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n";
    let first = recorded.find("HTTP/1.1 204").unwrap();
    let counts = [first + 37, recorded.len() + 74];
    let right = run(server.port, &[connection(recorded, &counts)], &[]);
    assert_eq!(
        (right.code, right.stdout.as_str()),
        (Some(0), "1 passed, 0 failed, 0 skipped\n")
    );
    let wrong = run(
        server.port,
        &[connection(&recorded.replace("hello", "world"), &counts)],
        &[],
    );
    assert!(
        wrong
            .stdout
            .contains("FAIL c-1  GET /a\n  body  expected  \"world\""),
        "{}",
        wrong.stdout
    );
    let early = run(
        server.port,
        &[connection(recorded, &[0, recorded.len()])],
        &["--timeout", "0.2"],
    );
    assert!(
        early.stdout.contains("after part 1  expected  0 whole"),
        "{}",
        early.stdout
    );
}

const NOT_ALLOWED: &str =
    "HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, HEAD, OPTIONS\r\ncontent-length: 0\r\n\r\n";

fn not_allowed() -> Value {
    single(
        "m-1",
        "POST",
        "/a",
        json!({ "status": 405, "headers": {}, "absent": ["allow"], "body": "" }),
    )
}

#[test]
fn deviations_are_checked_like_recordings() {
    let server = Canned::serve(vec![("POST /a", once(NOT_ALLOWED))]);
    assert_eq!(
        run(server.port, &[not_allowed()], &[]).code,
        Some(0),
        "the built-in table expects it"
    );
    let without = run(server.port, &[not_allowed()], &["--no-deviations"]);
    assert!(
        without.stdout.contains("header allow  expected  absent"),
        "{}",
        without.stdout
    );
    let wrong = Canned::serve(vec![(
        "POST /a",
        once("HTTP/1.1 405 No\r\nAllow: POST\r\ncontent-length: 0\r\n\r\n"),
    )]);
    let wrong = run(wrong.port, &[not_allowed()], &[]);
    assert!(
        wrong.stdout.contains(
            "header allow  expected  <methods>\n                got       POST\n  with deviation"
        ),
        "{}",
        wrong.stdout
    );
}

#[test]
fn deviations_that_are_not_needed_fail() {
    let server = Canned::serve(vec![(
        "POST /a",
        once("HTTP/1.1 405 No\r\ncontent-length: 0\r\n\r\n"),
    )]);
    let run = run(server.port, &[not_allowed()], &[]);
    assert!(
        run.stdout.contains("not needed any more\n  with deviation"),
        "{}",
        run.stdout
    );
    assert_eq!(run.code, Some(1));
}

#[test]
fn the_recorded_response_may_be_correct_too() {
    let hit = || Reply("HTTP/1.1 204 No\r\nx-waypost-cache: HIT\r\n\r\n", AT_ONCE);
    let miss = || Reply("HTTP/1.1 204 No\r\nx-waypost-cache: MISS\r\n\r\n", AT_ONCE);
    let folder = TempDir::new().unwrap();
    let file = table(
        &folder,
        "[[deviation]]\nrule = 16\nreason = 'r'\nor_recorded = true\ncases = { step = 1 }\n\
         answer.headers = { x-waypost-cache = 'MISS' }\n",
    );
    let expect = json!({ "status": 204, "headers": { "x-nextjs-cache": "HIT" } });
    let step = json!({ "request": { "method": "GET", "path": "/c" }, "expect": expect });
    let case = json!({ "id": "s-1", "kind": "sequence", "steps": [step, step] });
    for (replies, code) in [
        (vec![miss(), hit()], 0),
        (vec![hit(), hit()], 0),
        (vec![miss(), miss()], 1),
    ] {
        let server = Canned::serve(vec![("GET /c", replies)]);
        let run = run(
            server.port,
            std::slice::from_ref(&case),
            &["--complete", "--deviations", &file],
        );
        assert_eq!(run.code, Some(code), "{}", run.stdout);
    }
}

#[test]
fn the_cases_of_an_area_can_be_left_out() {
    let table = "[[deviation]]\nrule = 1\nreason = 'r'\ncases = 'm-*'\nanswer.headers = { allow = '<methods>' }\n";
    let server = Canned::serve(Vec::new());
    let mut suite = Suite::new(format!("http://127.0.0.1:{}", server.port).parse().unwrap())
        .deviations(Deviations::parse(table).unwrap())
        .complete()
        .leave_out("methods", "not here");
    let mut case = not_allowed();
    case["area"] = json!("methods");
    suite.add("cases", &case.to_string());
    let report = suite.run().unwrap();
    assert!(report.is_success(), "{report}");
    assert_eq!(report.skipped["not here"], 1);
    assert!(server.heads().is_empty());
}

#[test]
fn a_table_without_rules_or_cases_fails() {
    let server = Canned::serve(vec![("POST /a", once(NOT_ALLOWED))]);
    let folder = TempDir::new().unwrap();
    let entry = |rule: u8, cases: &str| {
        format!(
            "[[deviation]]\nrule = {rule}\nreason = 'r'\ncases = '{cases}'\nanswer.headers = {{ allow = '<methods>' }}\n"
        )
    };
    let good = table(&folder, &entry(1, "m-*"));
    assert_eq!(
        run(
            server.port,
            &[not_allowed()],
            &["--complete", "--deviations", &good]
        )
        .code,
        Some(0)
    );
    let file = table(&folder, &(entry(18, "m-*") + &entry(2, "x-*")));
    let part = run(server.port, &[not_allowed()], &["--deviations", &file]);
    assert!(
        part.stdout.contains("a rule from 1 to 17")
            && part.stdout.ends_with("1 passed, 1 failed, 0 skipped\n"),
        "{}",
        part.stdout
    );
    let all = run(
        server.port,
        &[not_allowed()],
        &["--complete", "--deviations", &file],
    );
    assert!(
        all.stdout.contains(
            "FAIL table  deviation 2 (rule 2: r)\n  deviation  expected  a case that it matches"
        ),
        "{}",
        all.stdout
    );
    assert_eq!(all.code, Some(1));
}

#[test]
fn only_selects_ids() {
    let server = Canned::serve(vec![("POST /a", once(NOT_ALLOWED))]);
    let cases = [
        not_allowed(),
        single("z-1", "GET", "/never", json!({ "status": 200 })),
    ];
    assert!(
        run(server.port, &cases, &["--only", "m-*"])
            .stdout
            .ends_with("1 passed, 0 failed, 0 skipped\n")
    );
    assert_eq!(run(server.port, &cases, &["--only", "q"]).code, Some(2));
}

#[test]
fn an_unreachable_server_is_a_failure() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let run = run(port, &[not_allowed()], &[]);
    assert!(
        run.stdout.contains("got       no connection"),
        "{}",
        run.stdout
    );
    assert_eq!(run.code, Some(1));
}

#[test]
fn wrong_usage() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("f.jsonl");
    std::fs::write(&file, not_allowed().to_string()).unwrap();
    let malformed = table(&folder, "x");
    let base = ["--base", "http://127.0.0.1:1"];
    for (base, arguments, files) in [
        (&base[..], vec![], vec![]),
        (&[][..], vec![], vec![file.clone()]),
        (&["--base", "ftp://x"][..], vec![], vec![file.clone()]),
        (&base[..], vec![], vec![folder.path().join("missing.jsonl")]),
        (&base[..], vec!["--timeout", "0"], vec![file.clone()]),
        (&base[..], vec!["--jobs", "0"], vec![file.clone()]),
        (
            &base[..],
            vec!["--deviations", &malformed],
            vec![file.clone()],
        ),
        (&base[..], vec!["--complete", "--only", "x"], vec![file]),
    ] {
        let run = command(base, &arguments, &files);
        assert_eq!(
            run.code,
            Some(2),
            "{arguments:?}: {}{}",
            run.stdout,
            run.stderr
        );
        assert!(run.stderr.starts_with("error: "), "{}", run.stderr);
    }
}
