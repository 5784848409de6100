//! The response cache.

mod clients;
mod operators;

use super::support::{Client, PATIENCE, Reply, Running, TestApp, eventually, logged};
use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

const PATTERN: &str = "/cached/[...rest]";

/// Serves the guest with a policy, under an id of its own for the log.
async fn serve(id: &str, policy: &str, settings: &str) -> Running {
    TestApp::new()
        .component_of(id, "cached", "\"/...\"", "")
        .pattern(id, PATTERN)
        .settings(&format!(
            "{settings}\n[routes.\"{PATTERN}\".cache]\n{policy}\n"
        ))
        .start()
        .await
}

fn request(method: Method, path: &str, headers: &[(&str, &str)]) -> Request<Full<Bytes>> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request
        .body(Full::default())
        .expect("the request is well formed")
}

async fn get(app: &Running, path: &str, headers: &[(&str, &str)]) -> Reply {
    let request = request(Method::GET, path, headers);
    app.client().await.ask(request).await
}

/// Returns what the cache did, and the text of the response.
async fn ask(app: &Running, path: &str) -> (String, String) {
    let reply = get(app, path, &[]).await;
    (outcome(&reply), reply.text)
}

fn outcome(reply: &Reply) -> String {
    let outcome = reply.headers.get("x-waypost-cache");
    let outcome = outcome.and_then(|value| value.to_str().ok());
    outcome.unwrap_or("none").to_owned()
}

/// Revalidates, as a handler does by a header of its response.
async fn revalidate(app: &Running, what: &str) {
    let reply = app.client().await.post("/cached/x", what.to_owned()).await;
    assert_eq!(reply.status, 200);
    assert!(reply.headers.get("x-waypost-revalidate").is_none());
}

/// Waits until a response differs from an old one.
async fn until_new(app: &Running, path: &str, old: &str) {
    let began = Instant::now();
    while ask(app, path).await.1 == old {
        assert!(began.elapsed() < PATIENCE, "{path} stays old");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_stored_response_is_served_again() {
    let app = serve("again", "revalidate = 60", "").await;
    let first = get(&app, "/cached/a", &[]).await;
    assert_eq!(outcome(&first), "MISS");
    assert_eq!(
        first.headers["cache-status"],
        "waypost; fwd=uri-miss; stored"
    );
    let second = get(&app, "/cached/a", &[]).await;
    assert_eq!(
        (outcome(&second), &second.text),
        ("HIT".into(), &first.text)
    );
    assert_eq!(second.headers["age"], "0");
    assert_eq!(second.headers["content-type"], "text/plain");
    assert_eq!(
        second.headers["cache-control"],
        "s-maxage=60, stale-while-revalidate=31535940"
    );
    assert_eq!(
        second.headers["content-length"],
        first.text.len().to_string().as_str()
    );
    assert_eq!(first.headers["etag"], second.headers["etag"]);
    for reply in [&first, &second] {
        let names = reply.headers.keys().map(|name| name.as_str());
        let internal: Vec<_> = names
            .filter(|name| name.starts_with("x-waypost-"))
            .collect();
        assert_eq!(internal, ["x-waypost-cache"]);
    }
    // Other spellings of the path have the same key, and other paths do not.
    assert_eq!(ask(&app, "/cached/%61").await.0, "HIT");
    assert_eq!(ask(&app, "/cached/b").await.0, "MISS");
    app.stopped().await;
}

#[tokio::test]
async fn a_run_sees_only_what_is_in_the_key() {
    let policy = "query = [\"page\"]\nvary = [\"accept-language\"]";
    let app = serve("sealed", policy, "").await;
    let poison = [
        ("cookie", "session=secret"),
        ("authorization", "Bearer secret"),
        ("accept-language", "de"),
        ("x-forwarded-host", "evil.example"),
        ("x-waypost-fill", "evil"),
        ("x-method-override", "DELETE"),
        ("range", "bytes=0-0"),
        ("host", "good.example"),
    ];
    let first = get(&app, "/cached/a?utm=1&page=2&utm=3", &poison).await;
    assert!(first.status.is_success());
    let whole = get(
        &app,
        "/cached/a?page=2",
        &[("accept-language", "de"), ("host", "GOOD.example:80")],
    )
    .await;
    assert_eq!(outcome(&whole), "HIT");
    let text = &whole.text;
    assert!(text.contains(" Method::Get /cached/a?page=2 "), "{text}");
    for seen in [
        "|x-forwarded-host=good.example|",
        "x-waypost-fill=reduced",
        "accept-language=de|",
    ] {
        assert!(text.contains(seen), "{seen} in {text}");
    }
    for hidden in [
        "secret",
        "evil",
        "utm",
        "DELETE",
        "range",
        "x-forwarded-for",
    ] {
        assert!(!text.contains(hidden), "{hidden} in {text}");
    }
    assert_eq!(whole.headers["vary"], "accept-language");
    // What is in the key makes another one.
    for (path, headers) in [
        (
            "/cached/a?page=3",
            vec![("host", "good.example"), ("accept-language", "de")],
        ),
        (
            "/cached/a?page=2",
            vec![("host", "good.example"), ("accept-language", "en")],
        ),
        (
            "/cached/a?page=2",
            vec![("host", "other.example"), ("accept-language", "de")],
        ),
    ] {
        assert_eq!(outcome(&get(&app, path, &headers).await), "MISS", "{path}");
    }
    app.stopped().await;
}

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
async fn a_stale_response_is_served_while_a_new_one_is_made() {
    let app = serve("stale", "revalidate = 1", "").await;
    let (_, old) = ask(&app, "/cached/a").await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(ask(&app, "/cached/a").await, ("STALE".into(), old.clone()));
    until_new(&app, "/cached/a", &old).await;
    assert_eq!(ask(&app, "/cached/a").await.0, "HIT");
    app.stopped().await;
}

#[tokio::test]
async fn a_response_that_expired_is_not_served() {
    let app = serve("expired", "revalidate = 1\nexpire = 1", "").await;
    let (_, old) = ask(&app, "/cached/a").await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let reply = get(&app, "/cached/a", &[]).await;
    assert_eq!(outcome(&reply), "MISS");
    assert_ne!(reply.text, old);
    assert_eq!(reply.headers["cache-status"], "waypost; fwd=stale; stored");
    app.stopped().await;
}

#[tokio::test]
async fn the_old_response_stays_when_the_new_one_fails() {
    let app = serve("failing", "revalidate = 1", "").await;
    let (_, old) = ask(&app, "/cached/once").await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    for _ in 0..20 {
        assert_eq!(
            ask(&app, "/cached/once").await,
            ("STALE".into(), old.clone())
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // It is not tried again for three seconds.
    let runs = app.metric("waypost_cache_events_total{event=\"refresh\"}");
    assert_eq!(runs.await, 1);
    app.stopped().await;
}

#[tokio::test]
async fn what_is_revalidated_is_new_for_the_next_request() {
    let app = serve("changed", "tags = [\"all\", \"item-{rest}\"]", "").await;
    for (what, concerns) in [
        ("tag!:all", true),
        ("tag!:item-a", true),
        ("tag!:item-b", false),
        ("path!:/cached/a", true),
        ("path!:/cached/a/", true),
        ("path!:/cached", false),
        ("below!:/cached", true),
        ("below!:/", true),
        ("below!:/other", false),
        ("route!:/cached/%5B...rest%5D", true),
        ("route!:/cached", false),
    ] {
        let (_, old) = ask(&app, "/cached/a").await;
        assert_eq!(ask(&app, "/cached/a").await.0, "HIT");
        revalidate(&app, what).await;
        let (outcome, new) = ask(&app, "/cached/a").await;
        let expected = if concerns { "MISS" } else { "HIT" };
        assert_eq!(
            (outcome.as_str(), new != old),
            (expected, concerns),
            "{what}"
        );
    }
    // A soft change serves the old response once more.
    let (_, old) = ask(&app, "/cached/a").await;
    revalidate(&app, "tag:all").await;
    assert_eq!(ask(&app, "/cached/a").await, ("STALE".into(), old.clone()));
    until_new(&app, "/cached/a", &old).await;
    app.stopped().await;
}

#[tokio::test]
async fn a_tag_of_a_response_invalidates_it() {
    let app = serve("own-tag", "", "").await;
    let (_, old) = ask(&app, "/cached/tagged").await;
    assert_eq!(ask(&app, "/cached/tagged").await.0, "HIT");
    revalidate(&app, "tag!:own").await;
    let (outcome, new) = ask(&app, "/cached/tagged").await;
    assert_eq!(outcome, "MISS");
    assert_ne!(new, old);
    app.stopped().await;
}

#[tokio::test]
async fn an_invalidation_during_a_run_concerns_its_response() {
    let app = serve("during", "tags = [\"all\"]", "").await;
    let (old, ()) = futures::join!(ask(&app, "/cached/slow"), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        revalidate(&app, "tag!:all").await;
        // Whoever comes now does not get what was begun before.
        let (_, new) = ask(&app, "/cached/slow").await;
        assert_eq!(ask(&app, "/cached/slow").await, ("HIT".into(), new));
    });
    let (_, now) = ask(&app, "/cached/slow").await;
    assert_ne!(now, old.1);
    app.stopped().await;
}

#[tokio::test]
async fn a_malformed_revalidation_is_logged_and_the_others_count() {
    let app = serve("malformed", "", "").await;
    let (_, old) = ask(&app, "/cached/a").await;
    revalidate(&app, "tag!:,path!:nowhere,nonsense,path!:/cached/a").await;
    assert_ne!(ask(&app, "/cached/a").await.1, old);
    assert!(logged(&[
        "component=malformed",
        "nothing is revalidated",
        "nowhere"
    ]));
    app.stopped().await;
}

#[tokio::test]
async fn what_is_for_one_client_is_not_stored() {
    let app = serve("private", "", "").await;
    for path in ["/cached/cookie", "/cached/private", "/cached/error"] {
        let texts = [ask(&app, path).await, ask(&app, path).await];
        assert_ne!(texts[0].1, texts[1].1, "{path}");
        assert!(texts.iter().all(|(outcome, _)| outcome == "MISS"), "{path}");
    }
    let reply = get(&app, "/cached/cookie", &[]).await;
    assert_eq!(reply.headers["cache-control"], "private, no-store");
    assert_eq!(
        reply.headers["cache-status"],
        "waypost; fwd=uri-miss; detail=\"the response has set-cookie\""
    );
    assert!(logged(&["component=private", "set-cookie"]));
    // They do not wait for each other once that is known.
    let began = Instant::now();
    let clients = (0..20).map(|_| async { ask(&app, "/cached/cookie").await.1 });
    let texts: BTreeSet<_> = futures::future::join_all(clients)
        .await
        .into_iter()
        .collect();
    assert_eq!(texts.len(), 20);
    assert!(began.elapsed() < Duration::from_secs(2));
    app.stopped().await;
}

#[tokio::test]
async fn a_missing_page_is_kept_for_a_minute_at_most() {
    let app = serve("missing", "", "").await;
    let reply = get(&app, "/cached/missing", &[]).await;
    assert_eq!(reply.status, 404);
    assert_eq!(reply.headers["cache-control"], "s-maxage=60");
    assert_eq!(ask(&app, "/cached/missing").await.0, "HIT");
    app.stopped().await;
}

#[tokio::test]
async fn a_body_that_is_too_large_or_breaks_off_is_sent_but_not_stored() {
    let app = serve("large", "", "[cache]\nentry = \"50kB\"\n").await;
    for _ in 0..2 {
        let reply = get(&app, "/cached/large", &[]).await;
        assert_eq!(
            (outcome(&reply).as_str(), reply.text.len()),
            ("MISS", 100_000)
        );
    }
    for _ in 0..2 {
        let mut client = app.client().await;
        let request = request(Method::GET, "/cached/cut", &[]);
        let response = client.send(request).await.expect("the head comes");
        assert!(response.into_body().collect().await.is_err());
    }
    eventually("the warning", || logged(&["component=large", "too large"])).await;
    app.stopped().await;
}

#[tokio::test]
async fn conditional_and_partial_requests_use_the_stored_response() {
    let app = serve("conditional", "", "").await;
    let first = get(&app, "/cached/a", &[]).await;
    let etag = first.headers["etag"]
        .to_str()
        .expect("it is text")
        .to_owned();
    let reply = get(&app, "/cached/a", &[("if-none-match", &etag)]).await;
    assert_eq!((reply.status.as_u16(), reply.text.as_str()), (304, ""));
    assert_eq!(reply.headers["etag"], etag.as_str());
    assert!(reply.headers.get("content-type").is_none());
    let reply = get(&app, "/cached/a", &[("range", "bytes=2-5")]).await;
    assert_eq!(
        (reply.status.as_u16(), reply.text.as_str()),
        (206, &first.text[2..6])
    );
    let total = first.text.len();
    assert_eq!(
        reply.headers["content-range"],
        format!("bytes 2-5/{total}").as_str()
    );
    let reply = get(&app, "/cached/a", &[("range", "bytes=99999-")]).await;
    assert_eq!(reply.status, 416);
    assert_eq!(
        reply.headers["content-range"],
        format!("bytes */{total}").as_str()
    );
    let other = [("range", "bytes=2-5"), ("if-range", "\"other\"")];
    assert_eq!(get(&app, "/cached/a", &other).await.status, 200);
    app.stopped().await;
}

#[tokio::test]
async fn head_and_get_share_a_response() {
    let app = serve("head", "", "").await;
    let head = |path: &'static str| {
        let app = &app;
        async move {
            let request = request(Method::HEAD, path, &[]);
            app.client().await.ask(request).await
        }
    };
    let first = head("/cached/a").await;
    assert_eq!(
        (outcome(&first).as_str(), first.text.as_str()),
        ("MISS", "")
    );
    let (outcome_of_get, text) = ask(&app, "/cached/a").await;
    assert_eq!(outcome_of_get, "HIT");
    assert!(text.contains(" Method::Get "));
    let second = head("/cached/a").await;
    assert_eq!(outcome(&second), "HIT");
    assert_eq!(
        second.headers["content-length"],
        text.len().to_string().as_str()
    );
    // The run of a HEAD goes on to the end of its body.
    assert_eq!(head("/cached/stream").await.text, "");
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(ask(&app, "/cached/stream").await.0, "HIT");
    app.stopped().await;
}

#[tokio::test]
async fn draft_mode_passes_the_cache() {
    let app = TestApp::new()
        .component_of(
            "draft",
            "cached",
            "\"/...\"",
            "environment = { WAYPOST_DRAFT_SECRET = \"s3cret\" }",
        )
        .pattern("draft", PATTERN)
        .settings(&format!("[routes.\"{PATTERN}\".cache]\n"))
        .start()
        .await;
    let (_, stored) = ask(&app, "/cached/a").await;
    let draft = [("cookie", "a=1; __prerender_bypass=s3cret")];
    let reply = get(&app, "/cached/a?x=1", &draft).await;
    assert_eq!(outcome(&reply), "BYPASS");
    assert_eq!(
        reply.headers["cache-control"],
        "private, no-cache, no-store, max-age=0, must-revalidate"
    );
    assert!(reply.text.contains("?x=1") && reply.text.contains("cookie="));
    let forged = [("cookie", "__prerender_bypass=other")];
    assert_eq!(get(&app, "/cached/a", &forged).await.text, stored);
    app.stopped().await;
}

#[tokio::test]
async fn other_methods_and_routes_without_a_policy_have_no_cache() {
    let app = TestApp::new()
        .component_of("policy", "cached", "\"/cached/...\"", "")
        .component_of("none", "cached", "\"/none/...\"", "")
        .component_of("off", "cached", "\"/off/...\"", "")
        .pattern("policy", PATTERN)
        .pattern("none", "/none/[...rest]")
        .pattern("off", "/off/[...rest]")
        .settings(&format!(
            "[routes.\"{PATTERN}\".cache]\nlife = \"news\"\n[cache.life.news]\nrevalidate = \"5m\"\nexpire = \"1h\"\n\
             [routes.\"/off/[...rest]\"]\ncache = \"off\"\n"
        ))
        .start()
        .await;
    for path in ["/none/a", "/off/a"] {
        assert_eq!(ask(&app, path).await.0, "none");
    }
    let reply = app.client().await.post("/cached/a", "").await;
    assert_eq!(outcome(&reply), "none");
    let reply = get(&app, "/cached/a", &[]).await;
    assert_eq!(
        reply.headers["cache-control"],
        "s-maxage=300, stale-while-revalidate=3300"
    );
    let names = reply.text.contains("x-waypost-fill=reduced");
    assert!(names, "{}", reply.text);
    app.stopped().await;
}

#[tokio::test]
async fn the_memory_stays_within_its_bound() {
    let app = serve("bounded", "", "[cache]\nmemory = \"1MiB\"\n").await;
    let mut client = app.client().await;
    for number in 0..2000 {
        let reply = client.get(&format!("/cached/{number}")).await;
        assert_eq!(reply.status, 200);
    }
    let bytes = app.metric("waypost_cache_bytes").await;
    assert!((1 << 19..=1 << 20).contains(&bytes), "{bytes} bytes");
    app.stopped().await;
}

#[tokio::test]
async fn the_router_component_asks_the_cache_too() {
    let app = TestApp::new()
        .router()
        .component_of("behind", "cached", "{ private = true }", "")
        .pattern("behind", PATTERN)
        .settings(&format!("[routes.\"{PATTERN}\".cache]\n"))
        .start()
        .await;
    let mut client: Client = app.client().await;
    let first = client.get("/behind/cached/a").await;
    let second = client.get("/behind/cached/a").await;
    assert_eq!(
        (outcome(&first), outcome(&second)),
        ("MISS".into(), "HIT".into())
    );
    assert_eq!(first.text, second.text);
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
async fn what_is_left_of_a_tag_ends_after_a_time() {
    let app = serve("left", "tags = [\"all\"]", "").await;
    let (_, old) = ask(&app, "/cached/once").await;
    let (_, other) = ask(&app, "/cached/a").await;
    revalidate(&app, "tag+1:all").await;
    assert_eq!(ask(&app, "/cached/once").await, ("STALE".into(), old));
    assert_eq!(ask(&app, "/cached/a").await.0, "STALE");
    until_new(&app, "/cached/a", &other).await;
    let (_, new) = ask(&app, "/cached/a").await;
    // The refresh of this one failed, so it is the old one that ends.
    let began = Instant::now();
    while get(&app, "/cached/once", &[]).await.status == 200 {
        assert!(began.elapsed() < Duration::from_secs(5));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // What was made since then stays.
    assert_eq!(ask(&app, "/cached/a").await, ("HIT".into(), new));
    app.stopped().await;
}

#[tokio::test]
async fn small_pieces_count_for_what_they_take() {
    let app = serve("crumbs", "", "[cache]\nentry = \"50kB\"\n").await;
    for _ in 0..2 {
        let (outcome, text) = ask(&app, "/cached/crumbs").await;
        assert_eq!((outcome.as_str(), text.len()), ("MISS", 1000));
    }
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

#[tokio::test]
async fn another_version_that_the_client_has_a_part_of_is_refused() {
    let app = serve("if-match", "", "").await;
    let first = get(&app, "/cached/a", &[]).await;
    let etag = first.headers["etag"]
        .to_str()
        .expect("it is text")
        .to_owned();
    let part = |tag: &str| {
        [
            ("range", "bytes=0-1".to_owned()),
            ("if-match", tag.to_owned()),
        ]
    };
    for (tag, status) in [
        (etag.as_str(), 206),
        ("*", 206),
        ("\"other\"", 412),
        (&format!("W/{etag}"), 412),
    ] {
        let headers = part(tag);
        let headers = [0, 1].map(|index| (headers[index].0, headers[index].1.as_str()));
        assert_eq!(
            get(&app, "/cached/a", &headers).await.status,
            status,
            "{tag}"
        );
    }
    app.stopped().await;
}
