//! Exceeds every bound while a second route is under load, which must not be disturbed.
//!
//! The load is a fixed rate of requests that leaves the machine idle for the most part (see `load.rs`), and not as
//! many as it can take: a guest in an endless loop has a core for itself, which of two cores is half of what a load
//! without end would get, and no bound promises that. What is promised is that nobody waits: the answers of the load
//! keep coming at 0.8 of their undisturbed rate or more, all of them right, and 99 of 100 within what people take
//! for at once.

#![allow(
    clippy::expect_used,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test may panic and print"
)]

mod attacks;
mod frames;
mod hostile;
mod load;
#[path = "../host/support/mod.rs"]
mod support;

use attacks::attacks;
use futures::future::BoxFuture;
use load::{Load, PACE, Verdict};
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::{Client, Running, TestApp};
use tokio::net::TcpListener;

/// As in the command. The allocator of glibc keeps most of the memory that one of its threads got.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Limits that are reached within a fraction of a second. How the host reacts does not depend on their size. (One client of
/// HTTP/2 may send a hundred requests at once: the app's concurrency is above that, as it is by default.)
const LIMITS: &str = "[limits]\n\
    max_duration = \"600ms\"\n\
    cpu_time = \"100ms\"\n\
    memory = \"16MiB\"\n\
    request_body = \"64KiB\"\n\
    idle_timeout = \"250ms\"\n\
    connections = 40\n\
    concurrency = 200\n\
    route_concurrency = 10\n\
    log_rate = \"16KiB\"\n";

/// How often an attack is repeated, with a calm period before and after each time.
const ROUNDS: u32 = 3;

/// Shortest length of a calm period, or of an attack.
const PERIOD: Duration = Duration::from_millis(250);

/// How often an attack may disturb the load before it fails: other programs may use this machine.
const TRIES: u32 = 3;

/// The turn of a test: nothing else runs while one measures.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bounds_hold_and_nobody_else_notices() {
    let _turn = TURN.lock().await;
    let app = Arc::new(app().await);
    let admin = watch(&app).await;
    let load = Load::start(app.address, PACE).await;
    for attack in attacks() {
        let run = || (attack.run)(Arc::clone(&app));
        measure(admin, &load, attack.name, attack.bound, ROUNDS, &run).await;
    }
    load.stop().await;
    let app = Arc::into_inner(app).expect("nobody else holds it");
    app.stopped().await;
}

async fn app() -> Running {
    let app = [
        "busy", "endless", "hello", "hog", "print", "reads", "slow", "stream",
    ];
    let app = app
        .into_iter()
        .fold(TestApp::new().router(), |app, name| app.private(name, ""));
    app.settings(LIMITS).start().await
}

/// Repeats an attack until it does not disturb the load.
async fn measure(
    admin: std::net::SocketAddr,
    load: &Load,
    name: &str,
    bound: Option<&str>,
    count: u32,
    attack: &(impl Fn() -> BoxFuture<'static, ()> + Sync),
) {
    let before = counted(admin, bound).await;
    let mut verdict = rounds(load, count, attack).await;
    for _ in 1..TRIES {
        if verdict.is_undisturbed() {
            break;
        }
        verdict = rounds(load, count, attack).await;
    }
    eprintln!("{name:55} {verdict}");
    let lost = load.lost();
    assert!(lost.is_empty(), "{name}: {lost:?} of the load");
    assert!(verdict.is_undisturbed(), "{name}: {verdict}");
    let after = counted(admin, bound).await;
    assert!(after > before || bound.is_none(), "{name}: not counted");
}

/// Alternates calm periods and attacks.
async fn rounds(
    load: &Load,
    count: u32,
    attack: &(impl Fn() -> BoxFuture<'static, ()> + Sync),
) -> Verdict {
    let mut calm = vec![load.during(tokio::time::sleep(PERIOD)).await];
    let mut attacked = Vec::new();
    for _ in 0..count {
        let repeated = async {
            let start = Instant::now();
            while start.elapsed() < PERIOD {
                attack().await;
            }
        };
        attacked.push(load.during(repeated).await);
        calm.push(load.during(tokio::time::sleep(PERIOD)).await);
    }
    Verdict::new(&calm, &attacked)
}

/// Serves the metrics of the host.
async fn watch(app: &Arc<Running>) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a port is free");
    let address = listener.local_addr().expect("the listener is bound");
    let host = Arc::clone(&app.host);
    tokio::spawn(async move { host.serve_admin(listener).await });
    address
}

/// Returns how often the host has counted that a bound was exceeded.
async fn counted(admin: std::net::SocketAddr, bound: Option<&str>) -> u64 {
    let Some(bound) = bound else { return 0 };
    let metrics = Client::connect(admin)
        .await
        .get("/.well-known/waypost/metrics")
        .await;
    let name = format!("waypost_over_bound_total{{bound=\"{bound}\"}} ");
    let mut lines = metrics.text.lines();
    let value = lines.find_map(|line| line.strip_prefix(&name));
    value
        .expect("each bound is counted")
        .parse()
        .expect("it is a number")
}

/// The bound on the requests of the app is the one that spares nobody who comes new: who is turned away is told at
/// once, and when to come again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_app_says_so_at_once_and_recovers() {
    let _turn = TURN.lock().await;
    let app = ["slow", "near", "far"]
        .into_iter()
        .fold(TestApp::new(), |app, id| {
            app.component_of(id, "slow", &format!("\"/{id}\""), "")
        });
    let limits = "[limits]\nconcurrency = 20\nroute_concurrency = 10\n";
    let app = app.settings(limits).start().await;
    let ask = |path: String| {
        let app = &app;
        async move { (app.get(&path).await, Instant::now()) }
    };
    let start = Instant::now();
    let paths = (0..30).map(|number| format!("/{}?600", ["slow", "near", "far"][number % 3]));
    let replies = futures::future::join_all(paths.map(ask)).await;
    let (served, turned_away): (Vec<_>, Vec<_>) = replies
        .into_iter()
        .partition(|(reply, _)| reply.status == 200);
    assert_eq!((served.len(), turned_away.len()), (20, 10));
    for (reply, end) in turned_away {
        assert_eq!(
            (reply.status.as_u16(), reply.text.as_str()),
            (503, "Service Unavailable\n")
        );
        assert_eq!(reply.headers["retry-after"], "1");
        assert!(end - start < Duration::from_millis(600), "it had to wait");
    }
    assert_eq!(app.get("/slow?0").await.status, 200);
    app.stopped().await;
}
