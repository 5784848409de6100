//! Which requests have the same response, and what a cached run sees.

use super::super::support::{Client, TestApp};
use super::{PATTERN, ask, get, outcome, request, serve};
use http::Method;
use std::time::Duration;

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
