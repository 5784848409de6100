//! Hostile handlers and clients, each of which takes all that it can get, against a host in a process of its own that has few
//! file descriptors.
//!
//! Nothing is lost on another route, whose answers hardly take longer; afterwards the process has let go of everything.
//! `WAYPOST_HOSTILE` says how often each attack is repeated (3 times where it does not).

use super::load::Load;
use super::support::{Child, Client, TestApp, serve_in_child};
use super::{ROUNDS, TURN, measure};
use futures::future::{BoxFuture, join_all};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

/// The test that the process of the host runs.
const CHILD: &str = "hostile::child";

/// Descriptors of the process: as many connections as one client opens are too many.
const FILES: u32 = 256;

/// By how much the memory of the process may grow, once all of its components are loaded.
const GROWTH: u64 = 192 << 20;

/// How long the process may take to let go of everything: instances without work end after ten seconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// Time between two requests of a client of the load: together they send 100 per second, as the attacks take all cores for long.
const PACE: Duration = Duration::from_millis(80);

const HEALTH: &str = "/.well-known/waypost/health";

const LIMITS: &str = "[limits]\n\
    max_duration = \"2s\"\n\
    cpu_time = \"300ms\"\n\
    memory = \"16MiB\"\n\
    total_memory = \"128MiB\"\n\
    idle_timeout = \"1s\"\n\
    route_concurrency = 20\n\
    store_size = \"1MiB\"\n\
    deny_private = false\n";

/// Where the host listens, and somebody who accepts connections and says nothing.
#[derive(Clone, Copy)]
struct Target {
    address: SocketAddr,
    admin: SocketAddr,
    silent: SocketAddr,
}

/// An attack, and the bound that stops it: empty where that depends on the speed of the machine, or where nothing is counted.
type Attack = (
    &'static str,
    &'static str,
    fn(Target) -> BoxFuture<'static, ()>,
);

const ATTACKS: [Attack; 12] = [
    ("1: header fields without end", "", |target| {
        Box::pin(ask(
            target,
            4,
            "/hoard/?fields=30000".to_owned(),
            &[500, 504],
        ))
    }),
    ("1: requests with long methods", "", |target| {
        Box::pin(ask(
            target,
            4,
            "/hoard/?methods=400".to_owned(),
            &[200, 500, 504],
        ))
    }),
    ("2: a great many lines in one call", "log_rate", |target| {
        let path = format!("/hoard/?lines={}", 8 << 20);
        Box::pin(ask(target, 4, path, &[200, 500, 504]))
    }),
    ("2: random bytes without end", "", |target| {
        Box::pin(ask(
            target,
            4,
            "/hoard/?random=1000000".to_owned(),
            &[500, 504],
        ))
    }),
    ("2: endless loops", "cpu_time", |target| {
        Box::pin(ask(target, 4, "/busy/".to_owned(), &[500, 504]))
    }),
    ("3: files without end", "open_files", |target| {
        Box::pin(ask(target, 4, "/hoard/?files=5000".to_owned(), &[200, 504]))
    }),
    (
        "3: connections to other hosts",
        "total_outbound_connections",
        |target| {
            let path = format!("/outbound/?90*http://{}/", target.silent);
            Box::pin(ask(target, 4, path, &[200, 504]))
        },
    ),
    ("3: idle clients", "connections", |target| {
        Box::pin(idle(target))
    }),
    ("4: stores without end", "store_size", |target| {
        Box::pin(fill(target))
    }),
    (
        "6: requests that make many others",
        "inner_requests",
        |target| {
            let path = "/outbound/?18*http://fan.spin.internal/?18*http://slow.spin.internal/?300";
            Box::pin(ask(target, 1, path.to_owned(), &[200, 504]))
        },
    ),
    ("7: silent clients of the admin listener", "", |target| {
        Box::pin(silence(target))
    }),
    ("10: all of the memory", "total_memory", |target| {
        Box::pin(ask(target, 20, "/hog/?12".to_owned(), &[200, 503, 504]))
    }),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    serve_in_child().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_handlers_and_clients_disturb_nobody() {
    let _turn = TURN.lock().await;
    let app = app();
    let child = Child::with_files(&app, CHILD, FILES);
    let target = Target {
        address: child.address,
        admin: child.admin,
        silent: silent().await,
    };
    load_all(target).await;
    let before = child.usage();
    let load = Load::start(child.address, PACE).await;
    for (name, bound, run) in ATTACKS {
        let bound = Some(bound).filter(|bound| !bound.is_empty());
        measure(child.admin, &load, name, bound, rounds(), &|| run(target)).await;
    }
    load.stop().await;
    let after = let_go(&child, before).await;
    eprintln!("memory, files and threads: {before:?}, then {after:?}");
    child.kill();
}

fn rounds() -> u32 {
    let rounds = std::env::var("WAYPOST_HOSTILE");
    rounds.map_or(ROUNDS, |number| {
        number.parse().expect("`WAYPOST_HOSTILE` is a number")
    })
}

fn app() -> TestApp {
    let app = TestApp::new().on_disk().router();
    std::fs::create_dir(app.path().join("files")).expect("it is a new folder");
    std::fs::write(app.path().join("files/file"), "x").expect("the folder is writable");
    let files = "files = [{ source = \"files\", destination = \"/files\" }]";
    let store = "key_value_stores = [\"default\"]";
    let all = "allowed_outbound_hosts = [\"http://*:*\", \"http://*.spin.internal\"]";
    let private = "{ private = true }";
    [
        ("busy", ""),
        ("hello", ""),
        ("hog", ""),
        ("slow", ""),
        ("hoard", files),
    ]
    .into_iter()
    .fold(app, |app, (name, lines)| app.private(name, lines))
    .private("state", store)
    .component_of("calm", "state", private, store)
    .private("outbound", all)
    .component_of("fan", "outbound", private, all)
    .settings(LIMITS)
}

/// Accepts connections, and keeps them.
async fn silent() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a port is free");
    let address = listener.local_addr().expect("the listener is bound");
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            kept.push(stream);
        }
    });
    address
}

/// Has the host load each component: that takes longer than a response may.
async fn load_all(target: Target) {
    for path in [
        "/busy/?1",
        "/hello/page",
        "/hog/?1",
        "/slow/?1",
        "/hoard/?files=1",
        "/state/get?k",
        "/calm/set?k",
        "/outbound/?1*http://fan.spin.internal/?1*http://slow.spin.internal/?1",
    ] {
        let start = Instant::now();
        while Client::connect(target.address).await.get(path).await.status != 200 {
            assert!(start.elapsed() < PATIENCE * 4, "{path} is not served");
        }
    }
}

/// Sends this many requests at once; each gets one of these answers, or the beginning of one: on a busy machine a limit of time
/// may end the instance while its body is sent.
async fn ask(target: Target, count: usize, path: String, expected: &'static [u16]) {
    let asked = (0..count).map(|_| async {
        let mut client = Client::connect(target.address).await;
        let Some(reply) = client.try_get(&path).await else {
            return;
        };
        let is_expected = expected.contains(&reply.status.as_u16());
        assert!(is_expected, "{path}: {} {}", reply.status, reply.text);
    });
    join_all(asked).await;
}

/// Opens more connections than the process has descriptors. Whoever runs the app still gets to know how it is.
async fn idle(target: Target) {
    let clients = (0..300).map(|_| TcpStream::connect(target.address));
    let clients = join_all(clients).await;
    healthy(target).await;
    drop(clients);
}

/// Fills a store. Another route's store answers meanwhile.
async fn fill(target: Target) {
    let others = async {
        for _ in 0..5 {
            let start = Instant::now();
            let reply = Client::connect(target.address)
                .await
                .get("/calm/get?k")
                .await;
            assert_eq!(reply.text, "Some(Ok(\"value of k\"))");
            assert!(
                start.elapsed() < Duration::from_millis(500),
                "it waits for the others"
            );
        }
    };
    let filling = ask(target, 4, "/state/fill?100".to_owned(), &[200, 504]);
    tokio::join!(filling, others);
}

/// Takes every place of the admin listener, and reads nothing.
async fn silence(target: Target) {
    let ask = format!("GET {HEALTH} HTTP/1.1\r\nhost: h\r\n\r\n").repeat(50);
    let clients = (0..40).map(|_| async {
        let mut client = TcpStream::connect(target.admin)
            .await
            .expect("the host listens");
        // The host may end it for a newer one.
        let _ = client.write_all(ask.as_bytes()).await;
        client
    });
    let clients = join_all(clients).await;
    healthy(target).await;
    drop(clients);
}

async fn healthy(target: Target) {
    let reply = Client::connect(target.admin).await.get(HEALTH).await;
    assert_eq!(reply.text, "{\"status\":\"serving\"}\n");
}

/// Waits until the process has what it had before.
async fn let_go(child: &Child, before: [u64; 3]) -> [u64; 3] {
    let start = Instant::now();
    loop {
        let after = child.usage();
        let [memory, files, threads] = after;
        // Threads that wait for a disk stay for ten seconds.
        if memory < before[0] + GROWTH && files <= before[1] + 2 && threads <= before[2] + 2 {
            return after;
        }
        assert!(
            start.elapsed() < PATIENCE,
            "{before:?}, and still {after:?}"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
