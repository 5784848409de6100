//! `up --watch`: an app that is served while it is worked on.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::{Served, turn, waypost};

/// How long a change may take to be served on a slow machine.
const PATIENCE: Duration = Duration::from_secs(120);

#[test]
fn what_is_edited_is_served() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let new = waypost(folder.path()).args(["new", "demo"]).output();
    assert!(new.unwrap().status.success());
    let app = folder.path().join("demo");
    write_route(&app, "hello", "\"one\"");
    let served = Served::start(waypost(&app).args(["up", "--watch", "--listen", "localhost:0"]));
    assert_eq!(served.get("/hello", "").text(), "one");

    write_route(&app, "hello", "include_str!(\"page.txt\")");
    fs::write(app.join("handlers/hello/page.txt"), "two").unwrap();
    answers(&served, "/hello", 200, "two");
    fs::write(app.join("handlers/hello/page.txt"), "three").unwrap();
    answers(&served, "/hello", 200, "three");

    // What does not compile is told, and the version before goes on.
    write_route(&app, "hello", "not a reply");
    let log = served.logged("Still serving the last version");
    assert!(log.contains("does not compile"), "{log}");
    assert_eq!(served.get("/hello", "").text(), "three");
    write_route(&app, "hello", "\"four\"");
    answers(&served, "/hello", 200, "four");

    // A route that comes, and one that goes.
    let add = waypost(&app).args(["add", "other"]).output().unwrap();
    assert!(add.status.success());
    write_route(&app, "other", "\"here\"");
    answers(&served, "/other", 200, "here");
    fs::remove_dir_all(app.join("handlers/hello")).unwrap();
    answers(&served, "/hello", 404, "Not Found");
    assert_eq!(served.get("/other", "").text(), "here");
    assert_eq!(served.stop("INT"), 0);
}

fn write_route(app: &Path, folder: &str, reply: &str) {
    let route = format!("async fn get() -> &'static str {{ {reply} }}\nwaypost::export!(get);\n");
    fs::write(app.join("handlers").join(folder).join("route.rs"), route).unwrap();
}

/// Waits until a path answers so. Until then any answer may come, as it may be between two versions; a connection
/// may be closed before its request was read.
fn answers(served: &Served, path: &str, status: u16, text: &str) {
    let start = Instant::now();
    let begin = format!("HTTP/1.1 {status} ");
    loop {
        let reply = exchange(served, path).unwrap_or_default();
        if reply.starts_with(&begin) && reply.ends_with(&format!("\r\n\r\n{text}")) {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "{path}: {reply}");
        // Builds need the cores.
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn exchange(served: &Served, path: &str) -> std::io::Result<String> {
    let mut stream = served.connect();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: test.example\r\nConnection: close\r\n\r\n"
    )?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply)?;
    Ok(reply)
}
