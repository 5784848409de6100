//! Handlers that misbehave, and clients that do: each gets its own answer, and no one else notices.

use std::io::{Read, Write};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::{Reply, Served, checkout, turn};

#[test]
fn a_fault_stays_where_it_is() {
    let _turn = turn();
    let app = Served::up(&checkout().join("tests/faulty-app"));
    traps_and_errors(&app);
    what_takes_too_much(&app);
    broken_streams(&app);
    quiet_streams(&app);
    bodies_over_the_limit(&app);
    trailers(&app);
    markers_of_the_inside(&app);
    malformed_requests(&app);
    many_at_once(&app);
    assert_eq!(app.get("/fine", "").text(), "fine");
    assert_eq!(app.stop("TERM"), 0);
}

/// A 500 tells the client nothing, and the log everything, under one id.
fn traps_and_errors(app: &Served) {
    for (target, cause) in [
        ("/trap", "the trap was sprung by"),
        ("/failing", "can't answer: the secret cause"),
    ] {
        let reply = app.get(target, "");
        assert_eq!((reply.status, reply.text().as_str()), (500, ""), "{target}");
        let log = app.logged(cause);
        let id = reply
            .header("x-request-id")
            .unwrap_or_else(|| panic!("no id on {target}"));
        assert!(log.contains(id), "{id} is not in the log:\n{log}");
        // The fields of the line say it.
        assert!(!log.contains("(request "), "{log}");
        assert_eq!(app.get("/fine", "").status, 200);
    }
}

fn what_takes_too_much(app: &Served) {
    assert_eq!(app.get("/loops", "").status, 500);
    assert_eq!(app.get("/hungry", "").status, 500);
    assert_eq!(app.get("/slow", "").status, 504);
}

fn broken_streams(app: &Served) {
    assert_eq!(app.get("/broken-stream", "").status, 500);
    // After the first byte there is only the connection to cut: no last chunk.
    let mut stream = app.connect();
    stream
        .write_all(b"GET /broken-stream?late HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    let mut bytes = Vec::new();
    // The cut may show as an error.
    let _ = stream.read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.starts_with("HTTP/1.1 200 "), "{text}");
    assert!(
        text.contains("first") && !text.ends_with("0\r\n\r\n"),
        "{text}"
    );
}

/// The place of a client that left is free again, though its stream has nothing to say for an hour.
fn quiet_streams(app: &Served) {
    let open = || {
        let mut stream = app.connect();
        stream
            .write_all(b"GET /quiet HTTP/1.1\r\nHost: a\r\n\r\n")
            .unwrap();
        let mut bytes = [0; 512];
        let count = stream.read(&mut bytes).unwrap();
        let status = String::from_utf8_lossy(&bytes[..count.min(12)]).into_owned();
        (stream, status)
    };
    let open_soon = || {
        let start = Instant::now();
        loop {
            match open() {
                (stream, status) if status == "HTTP/1.1 200" => return stream,
                (_, status) => assert_eq!(status, "HTTP/1.1 503"),
            }
            assert!(start.elapsed() < Duration::from_secs(10), "no place");
            sleep(Duration::from_millis(20));
        }
    };
    for round in 0..5 {
        let held = [open_soon(), open_soon()];
        assert_eq!(open().1, "HTTP/1.1 503", "round {round}");
        drop(held);
    }
}

/// Trailers go through router and host both ways, for a client that takes them (RFC 9112 section 7.1.2).
fn trailers(app: &Served) {
    let read = |request: &str| {
        let mut stream = app.connect();
        stream.write_all(request.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    };
    let end = "0\r\nx-lines: 2\r\n\r\n";
    let asked = "Host: a\r\nTE: trailers\r\nConnection: close, TE\r\n";
    let reply = read(&format!("GET /trailers HTTP/1.1\r\n{asked}\r\n"));
    assert!(reply.ends_with(end), "{reply}");
    let chunked = "Transfer-Encoding: chunked\r\nTrailer: x-lines\r\n\r\n4\r\none\n\r\n0\r\nX-Lines: 2\r\n\r\n";
    let reply = read(&format!("POST /trailers HTTP/1.1\r\n{asked}{chunked}"));
    assert!(reply.ends_with(end), "{reply}");
    let reply = read("GET /trailers HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert!(reply.ends_with("0\r\n\r\n"), "{reply}");
}

fn bodies_over_the_limit(app: &Served) {
    let post = |length: usize| app.request("POST", "/seen", "", &vec![b'x'; length]);
    assert_eq!(post(1 << 20).text(), (1 << 20).to_string());
    assert_eq!(post((1 << 20) + 1).status, 413);
}

fn markers_of_the_inside(app: &Served) {
    let forged = "X-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: https\r\n\
        X-Forwarded-For: 1.2.3.4\r\nForwarded: host=evil.example\r\nX-Request-Id: forged\r\n\
        Spin-Full-Url: http://evil.example/\r\nSpin-Component-Route: /evil\r\nX-Waypost-Pattern: /evil\r\n\
        Connection: close, X-Hidden\r\nX-Hidden: 1\r\nX-Kept: 1\r\n";
    let seen: serde_json::Value =
        serde_json::from_slice(&app.get("/seen?a=b", forged).body).unwrap();
    assert_eq!(seen["url"], "http://test.example/seen?a=b");
    let text = seen["headers"].to_string();
    for absent in [
        "evil",
        "forged",
        "1.2.3.4",
        "x-hidden",
        "spin-",
        "x-waypost",
        "connection",
    ] {
        assert!(
            !text.contains(absent),
            "{absent} reached the handler: {text}"
        );
    }
    assert_eq!(seen["headers"]["x-kept"], "1");
    let told = ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"];
    let told = told.map(|name| {
        seen["headers"][name]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    });
    assert_eq!(told, ["127.0.0.1", "test.example", "http"]);
}

fn malformed_requests(app: &Served) {
    let status = |request: &[u8]| app.send(request).status;
    for (request, expected) in [
        (&b"GET /seen HTTP/1.1\r\nConnection: close\r\n\r\n"[..], 400),
        (
            b"GET /seen HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n",
            400,
        ),
        (
            b"GET /seen HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n",
            400,
        ),
        (
            b"GET /seen HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: a\x00b\r\n\r\n",
            400,
        ),
        (
            b"GET http://other.example/fine HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            200,
        ),
        (b"nonsense\r\n\r\n", 400),
    ] {
        assert_eq!(
            status(request),
            expected,
            "{}",
            String::from_utf8_lossy(request)
        );
    }
}

/// A route that traps again and again does not cost another a single request.
fn many_at_once(app: &Served) {
    let statuses = |target: &'static str| -> Vec<u16> {
        std::thread::scope(|scope| {
            let clients: Vec<_> = (0..8)
                .map(|_| {
                    scope
                        .spawn(move || (0..25).map(|_| app.get(target, "")).collect::<Vec<Reply>>())
                })
                .collect();
            clients
                .into_iter()
                .flat_map(|c| c.join().unwrap())
                .map(|reply| reply.status)
                .collect()
        })
    };
    std::thread::scope(|scope| {
        let fine = scope.spawn(|| statuses("/fine"));
        let trap = scope.spawn(|| statuses("/trap"));
        assert!(fine.join().unwrap().iter().all(|status| *status == 200));
        assert!(trap.join().unwrap().iter().all(|status| *status == 500));
    });
}
