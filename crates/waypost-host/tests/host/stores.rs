//! What key-value stores may take, and what becomes of them when disk, host or process fail.

use super::admin::{HEALTH, METRICS, value, watch};
use super::support::{Child, Client, PATIENCE, TestApp, eventually, logged, serve_in_child};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use waypost_host::HostError;

/// The test that serves an app in another process.
const CHILD: &str = "stores::child";

/// What the guest says of the key `kept`.
const KEPT: &str = "Some(Ok(\"value of kept\"))";

fn app() -> TestApp {
    let grant = "key_value_stores = [\"default\"]";
    TestApp::new()
        .component("state", "\"/...\"", grant)
        .on_disk()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    serve_in_child().await;
}

#[tokio::test]
async fn what_goes_over_a_bound_is_an_error_of_the_interface_and_counted() {
    let grant =
        "key_value_stores = [\"default\"]\n[component.state02.variables]\ngreeting = \"hi\"";
    let app = TestApp::new()
        .component("state", "\"/...\"", "key_value_stores = [\"default\"]")
        .component("state02", "\"/old\"", grant)
        .settings("[limits]\nstore_key = 16\nstore_value = 20\nstore_list = 2\n")
        .start()
        .await;
    let (admin, serving) = watch(&app).await;
    let mut client = app.client().await;
    for (path, answer) in [
        ("/set?0123456789abcdefg", "store_key"),
        ("/set?0123456789ab", "store_value"),
    ] {
        let reply = client.get(path).await;
        assert_eq!(reply.status, 200, "{path}");
        let is_other = reply.text.starts_with("Error::Other(");
        assert!(is_other && reply.text.contains(answer), "{}", reply.text);
    }
    assert_eq!(client.get("/set?a").await.text, "set");
    assert!(
        client
            .get("/old")
            .await
            .text
            .contains("Ok([\"a\", \"old\"])")
    );
    assert_eq!(client.get("/set?b").await.text, "set");
    let reply = client.get("/old").await;
    assert!(reply.text.contains("store_list"), "{}", reply.text);
    // A stream is not a list.
    assert_eq!(client.get("/keys").await.text, "a,b,old");
    let metrics = Client::connect(admin).await.get(METRICS).await.text;
    for bound in ["store_key", "store_value", "store_list"] {
        let name = format!("waypost_over_bound_total{{bound=\"{bound}\"}}");
        assert_eq!(value(&metrics, &name), 1.0, "{bound}");
    }
    assert!(value(&metrics, "waypost_store_bytes") > 0.0);
    serving.abort();
    app.stopped().await;
}

/// More keys than the host reads at once.
#[tokio::test]
async fn all_keys_of_a_large_store_are_listed_in_order() {
    let app = app().start().await;
    let mut client = app.client().await;
    let mut keys: Vec<_> = (0..600).map(|key| key.to_string()).collect();
    for key in &keys {
        assert_eq!(client.get(&format!("/set?{key}")).await.text, "set");
    }
    keys.sort();
    assert_eq!(client.get("/keys").await.text, keys.join(","));
    app.stopped().await;
}

#[tokio::test]
async fn a_second_host_on_a_state_folder_is_refused_and_told_by_whom() {
    let first = app().start().await;
    assert_eq!(first.get("/set?kept").await.text, "set");
    let refused = first.app.host().err();
    let Some(HostError::StateInUse { path, holder }) = &refused else {
        panic!("it is refused: {refused:?}");
    };
    assert_eq!(path, &first.app.state_dir());
    assert_eq!(*holder, Some(std::process::id()));
    let text = refused
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    assert!(text.contains(&path.display().to_string()), "{text}");
    assert!(text.contains(&std::process::id().to_string()), "{text}");
    assert_eq!(first.get("/get?kept").await.text, KEPT);
    first.stopped().await;
}

/// A rolling restart: the next process waits while the one before still serves.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_waits_for_the_one_before_it() {
    let first = app().patience(PATIENCE).start().await;
    assert_eq!(first.get("/set?kept").await.text, "set");
    let folder = first.app.state_dir().display().to_string();
    let next = tokio::task::spawn_blocking(first.app.host_maker(None));
    let waits = || logged(&["waiting for the state folder", &folder]);
    eventually("the next host waits", waits).await;
    assert_eq!(first.get("/get?kept").await.text, KEPT);
    let app = first.stopped().await;
    let next = next.await.expect("it does not panic");
    let next = app.serve(next.expect("the next host starts")).await;
    assert_eq!(next.get("/get?kept").await.text, KEPT);
    next.stopped().await;
}

/// As `up --watch` has it: the next host of one process is made while the one before still serves.
#[tokio::test]
async fn a_host_takes_over_the_stores_of_the_one_before_it() {
    let first = app().start().await;
    assert_eq!(first.get("/set?kept").await.text, "set");
    let next = first.app.host_maker(Some(first.host.stores()))();
    assert_eq!(first.get("/get?kept").await.text, KEPT);
    let app = first.stopped().await;
    let next = app.serve(next.expect("the next host starts")).await;
    assert_eq!(next.get("/get?kept").await.text, KEPT);
    next.stopped().await;
}

async fn health(admin: SocketAddr) -> String {
    Client::connect(admin).await.get(HEALTH).await.text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_without_room_is_told_and_works_again_without_a_restart() {
    let app = app();
    let child = Child::start(&app, CHILD);
    let mut client = Client::connect(child.address).await;
    assert_eq!(client.get("/set?before").await.text, "set");
    child.limit_files(Some(0));
    for _ in 0..20 {
        let reply = client.get("/set?lost").await;
        assert!(reply.text.starts_with("Error::Other("), "{}", reply.text);
        let folder = app.path().display().to_string();
        assert!(!reply.text.contains(&folder), "{}", reply.text);
    }
    let told = health(child.admin).await;
    assert!(
        told.contains("\"degraded\"") && told.contains("key-value stores"),
        "{told}"
    );
    let metrics = Client::connect(child.admin).await.get(METRICS).await.text;
    assert!(value(&metrics, "waypost_store_failures_total{call=\"write\"}") >= 2.0);
    assert_eq!(
        client.get("/variable?x").await.status,
        200,
        "the rest is served"
    );

    child.limit_files(None);
    // Nobody asks for a store meanwhile.
    let healthy = async {
        while health(child.admin).await != "{\"status\":\"serving\"}\n" {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let healthy = tokio::time::timeout(PATIENCE, healthy).await;
    assert!(healthy.is_ok(), "the disk has room again");
    assert_eq!(client.get("/set?after").await.text, "set");
    assert_eq!(client.get("/keys").await.text, "after,before");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_outlives_a_killed_process() {
    const WRITERS: usize = 4;
    const ROUNDS: usize = 3;
    let app = app();
    let mut acknowledged = Vec::new();
    for round in 0..ROUNDS {
        let child = Child::start(&app, CHILD);
        let written = Arc::new(AtomicUsize::new(0));
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let written = Arc::clone(&written);
                tokio::spawn(write_until_killed(
                    child.address,
                    format!("{round}-{writer}"),
                    written,
                ))
            })
            .collect();
        let enough = 50 * (round + 1);
        eventually("writes", || written.load(Ordering::Relaxed) >= enough).await;
        child.kill();
        for writer in writers {
            acknowledged.extend(writer.await.expect("the writer ends"));
        }
    }
    let host = app.start().await;
    let mut client = host.client().await;
    for key in &acknowledged {
        let reply = client.get(&format!("/get?{key}")).await;
        assert_eq!(reply.text, format!("Some(Ok(\"value of {key}\"))"));
    }
    assert!(acknowledged.len() >= 300, "{}", acknowledged.len());
    host.stopped().await;
}

/// Writes one key after the other; returns those whose write was acknowledged.
async fn write_until_killed(
    address: SocketAddr,
    name: String,
    written: Arc<AtomicUsize>,
) -> Vec<String> {
    let mut acknowledged = Vec::new();
    let mut client = Client::connect(address).await;
    for number in 0.. {
        let key = format!("{name}-{number}");
        match client.try_get(&format!("/set?{key}")).await {
            Some(reply) if reply.text == "set" => acknowledged.push(key),
            _ => break,
        }
        written.fetch_add(1, Ordering::Relaxed);
    }
    acknowledged
}
