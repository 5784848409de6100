//! How components come, change and fail, and how a host ends.

use super::support::{Client, TestApp, eventually, logged, program};
use http::Request;
use http_body_util::{BodyExt, Full};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

#[tokio::test]
async fn a_trap_is_a_500_and_others_do_not_notice() {
    let app = Arc::new(
        TestApp::new()
            .component("trap", "\"/...\"", "")
            .start()
            .await,
    );
    let waiting: Vec<_> = (0..8)
        .map(|_| {
            let app = Arc::clone(&app);
            tokio::spawn(async move { app.get("/wait").await })
        })
        .collect();
    for _ in 0..8 {
        let reply = app.get("/trap").await;
        assert_eq!((reply.status.as_u16(), reply.text.as_str()), (500, ""));
        let id = reply.headers["x-request-id"]
            .to_str()
            .expect("the id is text")
            .to_owned();
        eventually("the cause", || {
            logged(&["component=trap", &id, "instance failed"])
        })
        .await;
    }
    for waiting in waiting {
        assert_eq!(waiting.await.expect("the request ends").text, "waited");
    }
}

#[tokio::test]
async fn a_trap_of_a_wasi_0_2_component_is_a_500_too() {
    let app = TestApp::new()
        .component("hello02", "\"/...\"", "")
        .start()
        .await;
    let mut client = app.client().await;
    assert_eq!(client.get("/trap").await.status, 500);
    assert_eq!(client.get("/").await.status, 200);
    app.stopped().await;
}

#[tokio::test]
async fn developers_read_the_cause() {
    let app = TestApp::new()
        .component("trap", "\"/...\"", "")
        .development()
        .start()
        .await;
    let reply = app.get("/error").await;
    assert_eq!(reply.status, 500);
    assert!(reply.text.contains("asked to fail"), "{}", reply.text);
    app.stopped().await;
}

#[tokio::test]
async fn a_component_is_loaded_once_and_only_when_asked_for() {
    let app = TestApp::new()
        .component_of("lazy", "hello", "\"/lazy\"", "")
        .component_of("never", "hello", "\"/never\"", "")
        .start()
        .await;
    let app = Arc::new(app);
    for reply in futures::future::join_all((0..10).map(|_| app.get("/lazy"))).await {
        assert_eq!(reply.status, 200);
    }
    let log = super::support::log();
    let loads = |id: &str| {
        log.lines()
            .filter(|line| line.contains(&format!("component={id} ")) && line.contains("loaded"))
            .count()
    };
    assert_eq!((loads("lazy"), loads("never")), (1, 0));
}

#[tokio::test]
async fn a_changed_component_is_swapped_without_a_lost_request() {
    let app = TestApp::new()
        .component_of("changes", "slow", "\"/...\"", "")
        .start()
        .await;
    let app = Arc::new(app);
    assert_eq!(app.get("/?1").await.text, "awake");
    let in_flight = tokio::spawn({
        let app = Arc::clone(&app);
        async move { app.get("/?1500").await }
    });
    eventually("the request in flight", || {
        logged(&["component=changes", "slow began 1500"])
    })
    .await;
    std::fs::copy(program("hello"), app.app.path().join("changes.wasm"))
        .expect("the folder is writable");
    let mut client = app.client().await;
    let mut old = 0;
    let swapped = loop {
        let reply = client.get("/?2").await;
        assert_eq!(reply.status, 200);
        if reply.text != "awake" {
            break reply;
        }
        old += 1;
        assert!(old < 100_000, "the new version never came");
    };
    assert!(swapped.text.contains("target /?2"), "{}", swapped.text);
    assert_eq!(in_flight.await.expect("the request ends").text, "awake");
    std::fs::write(app.app.path().join("changes.wasm"), "broken").expect("the folder is writable");
    while !logged(&["component `changes`", "no WebAssembly"]) {
        // The version before serves on.
        assert_eq!(client.get("/").await.status, 200);
    }
}

/// Tools and container layers put files back with the times that they had.
#[tokio::test]
async fn a_component_of_the_same_length_and_time_is_swapped() {
    let app = TestApp::new()
        .component_of("twin", "hello", "\"/...\"", "")
        .start()
        .await;
    let file = app.app.path().join("twin.wasm");
    let first = std::fs::read(&file).expect("the file is there");
    let modified = std::fs::metadata(&file)
        .and_then(|about| about.modified())
        .expect("the file is there");
    let greeting = app.get("/").await.text;
    assert!(greeting.contains("target /"), "{greeting}");

    let at = first
        .windows(7)
        .position(|bytes| bytes == b"target ")
        .expect("the text is in the component");
    let mut second = first.clone();
    second[at..at + 6].copy_from_slice(b"TARGET");
    std::fs::write(&file, &second).expect("the folder is writable");
    let written = std::fs::File::options().write(true).open(&file);
    written
        .and_then(|written| written.set_modified(modified))
        .expect("the file is ours");
    let mut client = app.client().await;
    let began = std::time::Instant::now();
    while !client.get("/").await.text.contains("TARGET /") {
        let waited = began.elapsed();
        assert!(
            waited < Duration::from_secs(10),
            "the new version never came"
        );
    }
    app.stopped().await;
}

/// A file that is touched, or built again to the same bytes, keeps its instances.
#[tokio::test]
async fn a_component_of_the_same_content_is_not_loaded_again() {
    let app = TestApp::new()
        .component_of("touched", "hello", "\"/...\"", "")
        .start()
        .await;
    let file = app.app.path().join("touched.wasm");
    assert_eq!(app.get("/").await.status, 200);
    let bytes = std::fs::read(&file).expect("the file is there");
    std::fs::write(&file, bytes).expect("the folder is writable");
    app.host.look_again();
    assert_eq!(app.get("/").await.status, 200);
    let log = super::support::log();
    let loads = log
        .lines()
        .filter(|line| line.contains("component=touched ") && line.contains("loaded"));
    assert_eq!(loads.count(), 1);
    app.stopped().await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_component_that_is_not_a_file_or_too_much_is_refused_at_once() {
    let app = TestApp::new()
        .component_of("endless", "hello", "\"/endless\"", "")
        .component_of("pipe", "hello", "\"/pipe\"", "")
        .component_of("large", "hello", "\"/large\"", "")
        .component_of("deep", "hello", "\"/deep\"", "")
        .component_of("many", "hello", "\"/many\"", "")
        .development();
    let file = |name: &str| app.path().join(format!("{name}.wasm"));
    for name in ["endless", "pipe"] {
        std::fs::remove_file(file(name)).expect("the file is there");
    }
    std::os::unix::fs::symlink("/dev/zero", file("endless")).expect("the folder is writable");
    let made = std::process::Command::new("mkfifo")
        .arg(file("pipe"))
        .status();
    assert!(made.expect("there is a `mkfifo`").success());
    let large = std::fs::File::create(file("large")).expect("the folder is writable");
    large.set_len(1 << 40).expect("it takes no room");
    let nested = "(component ".repeat(60) + &")".repeat(60);
    let many = format!("(component {})", "(component)".repeat(20_000));
    for (name, text) in [("deep", nested), ("many", many)] {
        let bytes = wat::parse_str(text).expect("the text is valid");
        std::fs::write(file(name), bytes).expect("the folder is writable");
    }
    let app = app.start().await;
    for (path, reason) in [
        ("/endless", "not a regular file"),
        ("/pipe", "not a regular file"),
        ("/large", "larger than 256 MiB"),
        ("/deep", "nested too deep"),
        ("/many", "too many components"),
    ] {
        let reply = app.get(path).await;
        assert_eq!(reply.status, 500);
        assert!(reply.text.contains(reason), "{path}: {}", reply.text);
    }
    app.stopped().await;
}

#[tokio::test]
async fn a_component_that_cannot_be_loaded_says_why() {
    let wat = "(component (import \"wasi:nn/graph@0.2.0\" (instance)) (import \"other:thing/x@1.0.0\" (instance)) (instance $i) (export \"wasi:http/handler@0.3.0\" (instance $i)))";
    let app = TestApp::new()
        .component_of("missing", "hello", "\"/missing\"", "")
        .component_of("core", "hello", "\"/core\"", "")
        .component_of("text", "hello", "\"/text\"", "")
        .component_of("silent", "hello", "\"/silent\"", "")
        .component_of("greedy", "hello", "\"/greedy\"", "")
        .development();
    let file = |name: &str| app.path().join(format!("{name}.wasm"));
    std::fs::remove_file(file("missing")).expect("the file is there");
    for (name, text) in [
        ("core", "(module)"),
        ("silent", "(component)"),
        ("greedy", wat),
    ] {
        std::fs::write(file(name), wat::parse_str(text).expect("the text is valid"))
            .expect("the folder is writable");
    }
    std::fs::write(file("text"), "#!/bin/sh").expect("the folder is writable");
    let all = app.host().expect("the host starts").load_all().await;
    let faults = all.expect_err("none can be loaded").to_string();
    assert_eq!(faults.lines().count(), 5, "{faults}");
    let app = app.start().await;
    for (path, parts) in [
        (
            "/missing",
            ["missing.wasm` is missing", "cargo waypost build"],
        ),
        ("/core", ["core WebAssembly module", "wasm32-wasip2"]),
        ("/text", ["no WebAssembly", "wasm32-wasip2"]),
        ("/silent", ["answers no HTTP", "waypost::export!"]),
        (
            "/greedy",
            ["`wasi:nn/graph@0.2.0`", "`other:thing/x@1.0.0`"],
        ),
    ] {
        let reply = app.get(path).await;
        assert_eq!(reply.status, 500);
        for part in parts {
            assert!(reply.text.contains(part), "{part} in {}", reply.text);
        }
    }
    app.stopped().await;
}

#[tokio::test]
async fn what_was_compiled_ahead_is_not_compiled_again() {
    let app = TestApp::new()
        .component_of("first", "hello", "\"/...\"", "")
        .component_of("broken", "hello", "\"/broken\"", "")
        .on_disk();
    std::fs::write(app.path().join("broken.wasm"), "broken").expect("the folder is writable");
    let host = app.host().expect("the host starts");
    host.compile_all().await;
    assert_eq!(host.instances(), 0);
    let compiled = compiled(&app.cache_dir());
    assert_eq!(compiled.len(), 1, "{compiled:?}");
    let app = app.start().await;
    assert_eq!(app.get("/").await.status, 200);
    assert_eq!(compiled, self::compiled(&app.app.cache_dir()));
    app.stopped().await;
}

/// The files of compiled code in a cache folder.
fn compiled(cache_dir: &Path) -> BTreeSet<PathBuf> {
    std::fs::read_dir(cache_dir)
        .expect("the cache is there")
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "code")
        })
        .collect()
}

#[tokio::test]
async fn a_host_that_stops_lets_requests_finish() {
    let mut app = TestApp::new()
        .component("slow", "\"/...\"", "")
        .start()
        .await;
    let mut client = app.client().await;
    let address = app.address;
    let asked = tokio::spawn(async move { client.get("/?402").await });
    eventually("the request in flight", || logged(&["slow began 402"])).await;
    app.stop();
    let app = app.stopped().await;
    assert_eq!(asked.await.expect("the request ends").text, "awake");
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
    drop(app);
}

#[tokio::test]
async fn a_request_that_is_sent_as_the_host_stops_is_answered() {
    let mut app = TestApp::new()
        .component("hello", "\"/...\"", "")
        .start()
        .await;
    let mut idle = Vec::new();
    for _ in 0..20 {
        let mut client = app.client().await;
        assert_eq!(client.post("/", "first").await.status, 200);
        idle.push(client);
    }
    // These are connected, but the host has not seen a request of theirs.
    let mut fresh = Vec::new();
    for _ in 0..20 {
        fresh.push(app.client().await);
    }
    app.stop();
    tokio::task::yield_now().await;
    let last = idle.iter_mut().chain(&mut fresh);
    let last = last.map(|client| client.post("/", "last"));
    for reply in futures::future::join_all(last).await {
        assert_eq!(reply.status, 200);
        assert_eq!(reply.headers["connection"], "close");
    }
    app.stopped().await;
}

#[tokio::test]
async fn a_host_that_stops_does_not_wait_long_for_idle_clients() {
    let app = TestApp::new()
        .component("hello", "\"/...\"", "")
        .start()
        .await;
    let mut client = app.client().await;
    assert_eq!(client.get("/").await.status, 200);
    let start = Instant::now();
    app.stopped().await;
    assert!(start.elapsed() < Duration::from_secs(3));
    client.closed().await;
}

#[tokio::test]
async fn a_host_that_stops_cuts_what_does_not_end() {
    let app = TestApp::new()
        .component("stream", "\"/...\"", "")
        .settings("[server]\nshutdown_grace = \"200ms\"\n")
        .start()
        .await;
    let mut client = Client::connect(app.address).await;
    let request = Request::get("/ticks")
        .body(Full::default())
        .expect("the request is well formed");
    let mut response = client.send(request).await.expect("the head comes");
    response.frame().await.expect("it ticks").expect("it ticks");
    let start = Instant::now();
    app.stopped().await;
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "{:?}",
        start.elapsed()
    );
    assert!(response.into_body().collect().await.is_err());
}

#[tokio::test]
async fn a_dropped_host_leaves_no_instance() {
    let app = TestApp::new()
        .component("hello", "\"/...\"", "")
        .start()
        .await;
    assert_eq!(app.get("/").await.status, 200);
    assert_eq!(app.host.instances(), 1);
    app.stopped().await;
}
