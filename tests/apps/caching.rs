//! The response cache on each host: Waypost's own, in the router component in the manner of Spin, and in a composition.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::size::{CACHING_ROUTER, ROUTER};
use crate::support::{Reply, Served, run, turn, waypost};

/// A response that no two runs make alike.
const ROUTE: &str = r#"use std::time::SystemTime;
use waypost::{Cache, Response, Result};

async fn get() -> Result<Response> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    Ok(Response::new(format!("{}", now.as_nanos())).tag("own"))
}

async fn post(cache: Cache) -> Result<()> {
    Ok(cache.expire_tag("own")?)
}

async fn put(cache: Cache) -> Result<()> {
    Ok(cache.revalidate_tag("page")?)
}

waypost::export!(get, post, put; cache(revalidate = "1h", tags = ["page"], query = ["page"]));
"#;

#[test]
fn responses_are_cached_on_every_host() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    run(waypost(folder.path()).args(["new", "demo"]));
    let app = folder.path().join("demo");
    let before = std::fs::read_to_string(app.join("spin.toml")).unwrap();
    let plain = std::fs::read_to_string(app.join("handlers/hello/route.rs")).unwrap();
    std::fs::write(app.join("handlers/hello/route.rs"), ROUTE).unwrap();
    let said = run(waypost(&app).args(["build", "--no-compile"]));
    assert!(
        said.contains("build `router` with the response cache"),
        "{said}"
    );
    run(waypost(&app).args(["build", "--check"]));
    for manner in [
        &["--as", "spin"][..],
        &["--as", "waypost"],
        &["--router", "component"],
    ] {
        let mut command = waypost(&app);
        command.args(["up", "--no-build", "--listen", "127.0.0.1:0"]);
        caches(&Served::start(command.args(manner)), manner);
    }
    the_router_has_at_most(&app, CACHING_ROUTER);
    composed(&app);
    // Nothing of it is left without a policy, except a grant that something else may need.
    std::fs::write(app.join("handlers/hello/route.rs"), plain).unwrap();
    run(waypost(&app).args(["build", "--no-compile"]));
    the_router_has_at_most(&app, ROUTER);
    let after = std::fs::read_to_string(app.join("spin.toml")).unwrap();
    let grant = "key_value_stores = [\"default\"]\n";
    assert!(after.contains(grant), "{after}");
    assert_eq!(after.replace(grant, ""), before);
    assert!(!app.join("router/cache.txt").exists());
}

fn caches(app: &Served, manner: &[&str]) {
    let first = ask(app, "GET", "/hello?utm=1");
    assert_eq!(outcome(&first), "MISS", "{manner:?}");
    wait_for_hit(app);
    let hit = app.get("/hello", "Cookie: a=1\r\nAuthorization: x\r\n");
    assert_eq!(
        (outcome(&hit), hit.text()),
        ("HIT", first.text()),
        "{manner:?}"
    );
    assert!(hit.header("age").is_some());
    // A second cache behind the first one would be a second member.
    let status = hit.header("cache-status").unwrap();
    assert!(
        status.starts_with("waypost; hit; ttl=") && !status.contains(','),
        "{status}"
    );
    let other = ask(app, "GET", "/hello?page=2");
    assert_eq!(outcome(&other), "MISS");
    assert_ne!(other.text(), first.text());
    let etag = format!("If-None-Match: {}\r\n", hit.header("etag").unwrap());
    assert_eq!(app.get("/hello", &etag).status, 304);
    let part = app.get("/hello", "Range: bytes=0-3\r\n");
    assert_eq!(
        (part.status, part.text()),
        (206, first.text()[..4].to_owned())
    );
    let head = ask(app, "HEAD", "/hello");
    assert_eq!((outcome(&head), head.text().as_str()), ("HIT", ""));
    let length = first.text().len().to_string();
    assert_eq!(head.header("content-length"), Some(length.as_str()));

    let post = ask(app, "POST", "/hello");
    assert!(post.status < 300, "{}", post.status);
    let second = ask(app, "GET", "/hello");
    assert_eq!(outcome(&second), "MISS", "{manner:?}");
    assert_ne!(second.text(), first.text());
    wait_for_hit(app);
    ask(app, "PUT", "/hello");
    let stale = ask(app, "GET", "/hello");
    assert_eq!(
        (outcome(&stale), stale.text()),
        ("STALE", second.text()),
        "{manner:?}"
    );
    let refreshed = wait_for_hit(app);
    assert_ne!(refreshed.text(), second.text());
}

/// Waits until the last response is stored: that may happen a moment after the client got it.
fn wait_for_hit(app: &Served) -> Reply {
    let start = Instant::now();
    loop {
        let reply = ask(app, "GET", "/hello");
        if outcome(&reply) == "HIT" {
            return reply;
        }
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "it is not stored"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Sends a request. No internal header is in its response.
fn ask(app: &Served, method: &str, target: &str) -> Reply {
    let reply = app.request(method, target, "X-Waypost-Fill: 1\r\n", b"");
    let names = reply.headers.iter().map(|(name, _)| name.as_str());
    let internal: Vec<_> = names
        .filter(|name| name.starts_with("x-waypost-") && *name != "x-waypost-cache")
        .collect();
    assert_eq!(internal, Vec::<&str>::new(), "{method} {target}");
    reply
}

fn outcome(reply: &Reply) -> &str {
    reply.header("x-waypost-cache").unwrap_or_default()
}

/// Checks the size of the app's router as it is built now.
fn the_router_has_at_most(app: &Path, limit: u64) {
    let manifest = std::fs::read_to_string(app.join("spin.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let source = manifest["component"]["router"]["source"].as_str().unwrap();
    let size = app.join(source).metadata().unwrap().len();
    assert!(
        size <= limit,
        "the router has {size} bytes, more than {limit}"
    );
}

/// In the memory of an instance, and only if that is asked for.
fn composed(app: &Path) {
    let said = run(waypost(app).args(["compose", "-o", "plain.wasm"]));
    assert!(
        said.contains("no response cache") && said.contains("`/hello`"),
        "{said}"
    );
    let said = run(waypost(app).args(["compose", "--cache", "1MiB", "-o", "cached.wasm"]));
    assert!(
        said.contains("one instance only") && said.contains("`/hello`"),
        "{said}"
    );
    let mut old = waypost(app);
    let old = old.args([
        "compose", "--cache", "1MiB", "--wasi", "0.2", "-o", "old.wasm",
    ]);
    assert!(!old.output().unwrap().status.success());
    let serve = |file: &str| {
        let mut command = waypost(app);
        command.args(["serve", "--listen", "127.0.0.1:0", file]);
        Served::start(&mut command)
    };
    let plain = serve("plain.wasm");
    assert_eq!(outcome(&ask(&plain, "GET", "/hello")), "");
    let cached = serve("cached.wasm");
    // An instance that is not back in its pool yet leaves the next request to another one, with a cache of its own.
    let replies: Vec<_> = (0..50).map(|_| ask(&cached, "GET", "/hello")).collect();
    let hits = replies.iter().filter(|reply| outcome(reply) == "HIT");
    assert!(hits.count() >= 25, "most are served from a cache");
    assert!(
        replies
            .iter()
            .all(|reply| ["HIT", "MISS"].contains(&outcome(reply)))
    );
    ask(&cached, "POST", "/hello");
    cached.logged("in this instance only");
}
