//! Requests that wait for the run of another one.

use super::{ask, get, request, revalidate, serve};
use http::Method;
use http_body_util::BodyExt;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

#[tokio::test]
async fn one_run_answers_all_that_wait() {
    let app = serve("collapsed", "", "").await;
    let began = Instant::now();
    let clients = (0..100).map(|_| async { ask(&app, "/cached/slow").await });
    let replies = futures::future::join_all(clients).await;
    assert!(began.elapsed() < Duration::from_secs(2));
    let texts: BTreeSet<_> = replies.iter().map(|(_, text)| text).collect();
    assert_eq!(texts.len(), 1);
    assert!(replies.iter().all(|(outcome, _)| outcome != "BYPASS"));
    assert_eq!(ask(&app, "/cached/slow").await.0, "HIT");
    app.stopped().await;
}

#[tokio::test]
async fn those_that_wait_read_along() {
    let app = serve("along", "", "").await;
    let mut clients = Vec::new();
    for _ in 0..3 {
        let mut client = app.client().await;
        let request = request(Method::GET, "/cached/stream", &[]);
        let response = client.send(request).await.expect("the head comes");
        clients.push((client, response));
    }
    let began = Instant::now();
    let mut firsts = BTreeSet::new();
    for (_, response) in &mut clients {
        let frame = response
            .frame()
            .await
            .expect("it begins")
            .expect("it begins");
        firsts.insert(frame.into_data().expect("it is data"));
    }
    assert!(
        began.elapsed() < Duration::from_millis(400),
        "it does not wait for the end"
    );
    assert_eq!(firsts.len(), 1);
    // The first client leaves, and the others get all of it.
    drop(clients.remove(0));
    for (_, response) in clients {
        let rest = response.into_body().collect().await.expect("it is whole");
        assert_eq!(rest.to_bytes(), "two\n");
    }
    let (outcome, text) = ask(&app, "/cached/stream").await;
    assert_eq!(outcome, "HIT");
    assert!(text.ends_with("two\n"));
    app.stopped().await;
}

#[tokio::test]
async fn a_run_goes_on_when_its_client_leaves() {
    let app = serve("leaves", "", "").await;
    let mut client = app.client().await;
    let request = request(Method::GET, "/cached/stream", &[]);
    let response = client.send(request).await.expect("the head comes");
    drop((response, client));
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(ask(&app, "/cached/stream").await.0, "HIT");
    app.stopped().await;
}

#[tokio::test]
async fn a_stream_that_was_invalidated_is_not_shared() {
    let app = serve("stream-tag", "", "").await;
    let mut client = app.client().await;
    let request = request(Method::GET, "/cached/tagged-stream", &[]);
    let response = client.send(request).await.expect("the head comes");
    revalidate(&app, "tag!:own").await;
    let (_, new) = ask(&app, "/cached/tagged-stream").await;
    let old = response.into_body().collect().await.expect("it is whole");
    assert_ne!(old.to_bytes(), new);
    // It was stored neither in place of the new one.
    assert_eq!(
        ask(&app, "/cached/tagged-stream").await,
        ("HIT".into(), new)
    );
    app.stopped().await;
}

#[tokio::test]
async fn a_run_that_takes_longer_than_its_response_lives_answers_all_that_wait() {
    let app = serve("long-run", "revalidate = 1\nexpire = 1", "").await;
    let began = Instant::now();
    let clients = (0..10).map(|_| async { ask(&app, "/cached/slower").await.1 });
    let texts: BTreeSet<_> = futures::future::join_all(clients)
        .await
        .into_iter()
        .collect();
    assert_eq!(texts.len(), 1);
    assert!(began.elapsed() < Duration::from_millis(2300));
    app.stopped().await;
}

#[tokio::test]
async fn those_that_wait_share_a_failure() {
    let app = serve("shared-failure", "", "").await;
    let began = Instant::now();
    let clients = (0..10).map(|_| get(&app, "/cached/slow-error", &[]));
    let replies = futures::future::join_all(clients).await;
    assert!(began.elapsed() < Duration::from_millis(900));
    for reply in &replies {
        assert_eq!(reply.status, 500);
        assert_eq!(reply.headers["access-control-allow-origin"], "*");
    }
    let collapsed = app.metric("waypost_cache_events_total{event=\"collapsed\"}");
    assert!(collapsed.await >= 1);
    app.stopped().await;
}

#[tokio::test]
async fn a_stop_ends_the_runs_in_the_background() {
    let app = serve(
        "stop",
        "revalidate = 1",
        "[server]\nshutdown_grace = \"0s\"\n",
    )
    .await;
    let mut client = app.client().await;
    let request = request(Method::GET, "/cached/stream", &[]);
    drop(client.send(request).await.expect("the head comes"));
    drop(client);
    let began = Instant::now();
    app.stopped().await;
    assert!(began.elapsed() < Duration::from_millis(450));
}
