//! The artefacts that Spin gets, by Spin's rules: the host in Spin's manner, asked from outside.
//!
//! What those rules are is told in `crates/waypost-host/src/compat/spin.rs`, with the files of Spin that have them.

use std::io::{Read, Write};
use std::path::Path;

use crate::support::{Reply, Served, checkout, example_app, turn, waypost};
use serde_json::Value;

#[test]
fn the_example_app_answers_on_spin() {
    let _turn = turn();
    let app = up(&checkout(), "spin");
    example_app::answers(&app);
    handlers_are_out_of_reach(&app);
    spin_answers_by_itself(&app);
    assert_eq!(app.stop("TERM"), 0);
}

#[test]
fn faults_and_headers_on_spin() {
    let _turn = turn();
    let folder = checkout().join("tests/faulty-app");
    let (own, spin) = (up(&folder, "waypost"), up(&folder, "spin"));
    failures_answer_alike(&own, &spin);
    broken_streams(&spin);
    a_trap_in_the_middle_looks_complete(&own, &spin);
    what_a_handler_is_told(&spin);
    what_is_passed_on(&spin);
    forbidden_headers(&spin);
    traps_beside_others(&spin);
    assert_eq!(spin.get("/fine", "").text(), "fine");
}

fn up(app: &Path, host: &str) -> Served {
    Served::start(waypost(app).args(["up", "--listen", "127.0.0.1:0", "--as", host]))
}

/// Neither a name of the inside nor a path leads to a handler past the router.
fn handlers_are_out_of_reach(app: &Served) {
    let ask = |head: &str| {
        app.send(format!("GET {head}\r\nConnection: close\r\n\r\n"))
            .status
    };
    let inside = "items-slug.spin.internal";
    assert_eq!(
        ask(&format!("http://{inside}/hello HTTP/1.1\r\nHost: {inside}")),
        200
    );
    assert_eq!(
        ask(&format!(
            "http://{inside}/items-slug HTTP/1.1\r\nHost: {inside}"
        )),
        404
    );
    for path in ["/items-slug", "/component/items-slug", "/.spin/items-slug"] {
        assert_eq!(app.get(path, "").status, 404, "{path}");
    }
    // Spin takes such a `Host` off, and then misses it.
    assert!(is_closed(
        app,
        &format!("GET /hello HTTP/1.1\r\nHost: {inside}\r\n\r\n")
    ));
}

/// Paths of Spin's own never reach the app; requests without one host are not answered at all.
fn spin_answers_by_itself(app: &Served) {
    assert_eq!(app.get("/.well-known/spin/health", "").text(), "OK");
    let info: Value = serde_json::from_slice(&app.get("/.well-known/spin/info", "").body).unwrap();
    assert_eq!(info["name"], "waypost-examples");
    assert_eq!(app.get("/.well-known/spin/other", "").status, 404);
    assert_eq!(app.get("/hello", "X-Latin: caf\u{e9}\r\n").status, 200);
    let latin = b"GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: caf\xe9\r\n\r\n";
    let refused = app.send(latin);
    assert_eq!((refused.status, refused.text().as_str()), (500, ""));
    assert!(is_closed(app, "GET /hello HTTP/1.1\r\n\r\n"));
    assert!(is_closed(
        app,
        "GET http://b/hello HTTP/1.1\r\nHost: a\r\n\r\n"
    ));
    let asterisk = app.send("OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert_eq!(asterisk.status, 204);
}

fn is_closed(app: &Served, request: &str) -> bool {
    let mut stream = app.connect();
    stream.write_all(request.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    bytes.is_empty()
}

/// A client can't tell the hosts apart by how a handler fails.
fn failures_answer_alike(own: &Served, spin: &Served) {
    for target in ["/trap", "/failing", "/hungry"] {
        let shape = |app: &Served| {
            let reply = app.get(target, "");
            let mut headers = reply.headers.clone();
            headers.retain(|(name, _)| name != "date");
            for (name, value) in &mut headers {
                if name == "x-request-id" {
                    assert!(!value.is_empty());
                    value.clear();
                }
            }
            headers.sort_unstable();
            (reply.status, headers, reply.body)
        };
        let (expected, got) = (shape(own), shape(spin));
        assert_eq!(got, expected, "{target}");
        assert_eq!((got.0, got.2.as_slice()), (500, &b""[..]), "{target}");
        assert!(
            got.1
                .contains(&("content-length".to_owned(), "0".to_owned()))
        );
    }
    let id = |reply: Reply| reply.header("x-request-id").unwrap().to_owned();
    spin.logged(&id(spin.get("/trap", "")));
}

/// On Spin the end of a component is the end of its stream.
fn a_trap_in_the_middle_looks_complete(own: &Served, spin: &Served) {
    let read = |app: &Served| {
        let mut stream = app.connect();
        let request = b"GET /broken-stream?trap HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        stream.write_all(request).unwrap();
        let mut bytes = Vec::new();
        // The cut may show as an error.
        let _ = stream.read_to_end(&mut bytes);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(
            text.starts_with("HTTP/1.1 200 ") && text.contains("first"),
            "{text}"
        );
        text.ends_with("0\r\n\r\n")
    };
    assert!(!read(own));
    assert!(read(spin));
}

/// Spin hands the head out before the first byte is there: all that is left then is to cut the connection.
fn broken_streams(app: &Served) {
    for target in ["/broken-stream", "/broken-stream?late"] {
        let mut stream = app.connect();
        let request = format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        // The cut may show as an error.
        let _ = stream.read_to_end(&mut bytes);
        let text = String::from_utf8_lossy(&bytes);
        // What hyper has not sent by then goes with it.
        let has_begun = text.is_empty() || text.starts_with("HTTP/1.1 200 ");
        assert!(has_begun, "{target}: {text}");
        assert!(!text.ends_with("0\r\n\r\n"), "{target}: {text}");
    }
}

/// Of what a client says of the inside nothing arrives; what arrives is Spin's word, in Spin's order.
fn what_a_handler_is_told(app: &Served) {
    let forged = "X-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: https\r\n\
        X-Forwarded-For: 1.2.3.4\r\nForwarded: host=evil.example\r\nX-Request-Id: forged\r\n\
        Spin-Full-Url: http://evil.example/\r\nSpin-Client-Addr: 6.6.6.6:1\r\nX-Waypost-Pattern: /evil\r\n\
        Connection: close, X-Hidden\r\nX-Kept: 1\r\n";
    let seen: Value = serde_json::from_slice(&app.get("/seen?a=b", forged).body).unwrap();
    assert_eq!(seen["url"], "http://test.example/seen?a=b");
    assert_eq!(seen["authority"], "seen.spin.internal");
    let headers: Vec<(String, String)> = serde_json::from_value(seen["in_order"].clone()).unwrap();
    let mut headers: Vec<_> = headers
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    let id = headers
        .iter()
        .position(|(name, _)| *name == "x-request-id")
        .unwrap();
    assert_eq!(headers.remove(id).1.len(), 16);
    let expected = [
        // The client's, then the router's.
        ("x-kept", "1"),
        ("x-forwarded-proto", "http"),
        ("x-forwarded-host", "test.example"),
        ("x-forwarded-for", "127.0.0.1"),
        // Spin's.
        ("spin-path-info", "/seen"),
        ("spin-full-url", "http://localhost/seen?a=b"),
        ("spin-matched-route", "/..."),
        ("spin-base-path", "/"),
        ("spin-raw-component-route", "/..."),
        ("spin-component-route", ""),
        ("spin-client-addr", "0.0.0.0:0"),
        // The SDK's: there was none.
        ("host", "test.example"),
    ];
    // This one is named in `Connection`, which Spin takes off before the router could see it.
    headers.retain(|(name, _)| *name != "x-hidden");
    assert_eq!(headers, expected);
}

/// Method, query, body, status and trailers go through router and handler.
fn what_is_passed_on(app: &Served) {
    let body = vec![b'x'; 3 << 20];
    assert_eq!(
        app.request("POST", "/seen", "", &body).text(),
        body.len().to_string()
    );
    let asked = "Host: a\r\nTE: trailers\r\nConnection: close, TE\r\n";
    let chunked = "Transfer-Encoding: chunked\r\nTrailer: x-lines\r\n\r\n4\r\none\n\r\n0\r\nX-Lines: 2\r\n\r\n";
    let mut stream = app.connect();
    stream
        .write_all(format!("POST /trailers HTTP/1.1\r\n{asked}{chunked}").as_bytes())
        .unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    assert!(reply.ends_with("0\r\nx-lines: 2\r\n\r\n"), "{reply}");
    assert_eq!(app.get("/fine", "").header("content-length"), Some("4"));
}

/// A guest sees these on Spin, and may not set them: the router has to leave them out, or there is no answer.
fn forbidden_headers(app: &Served) {
    for header in [
        "Keep-Alive: timeout=5",
        "Proxy-Authorization: Basic YQ==",
        "Proxy-Authenticate: Basic",
        "Proxy-Connection: keep-alive",
        "Upgrade: h2c",
        "HTTP2-Settings: AAMAAABkAAQAAP__",
        "TE: trailers",
    ] {
        let reply = app.get("/seen", &format!("{header}\r\n"));
        assert_eq!(reply.status, 200, "{header}");
        let name = header.split(':').next().unwrap().to_ascii_lowercase();
        assert!(!reply.text().contains(&format!("{name:?}")), "{header}");
    }
}

/// An instance works on several requests there; those that meet a trap are answered all the same.
fn traps_beside_others(app: &Served) {
    std::thread::scope(|scope| {
        let statuses = |target: &'static str| {
            let ask = move || app.get(target, "").status;
            let clients: Vec<_> = (0..20).map(|_| scope.spawn(ask)).collect();
            clients
                .into_iter()
                .map(|client| client.join().unwrap())
                .collect::<Vec<_>>()
        };
        let trap = scope.spawn(move || statuses("/trap"));
        assert_eq!(statuses("/fine"), [200; 20]);
        assert_eq!(trap.join().unwrap(), [500; 20]);
    });
}
