//! What operators see of the cache, and revalidation from outside.

use super::super::admin::watch;
use super::super::support::{Client, Reply, Running, TestApp, log, logged};
use super::{PATTERN, ask, get, outcome, request, revalidate, serve};
use bytes::Bytes;
use http::{Method, Request};
use http_body_util::Full;
use std::net::SocketAddr;
use tokio::task::JoinHandle;

const CACHE: &str = "/.well-known/waypost/cache";

/// The admin listener of an app.
struct Admin {
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Admin {
    async fn of(app: &Running) -> Self {
        let (address, serving) = watch(app).await;
        Self { address, serving }
    }

    async fn get(&self, path: &str) -> serde_json::Value {
        let reply = Client::connect(self.address).await.get(path).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text);
        assert_eq!(reply.headers["content-type"], "application/json");
        assert_eq!(reply.headers["cache-control"], "no-store");
        serde_json::from_str(&reply.text).expect("it is JSON")
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Reply {
        Client::connect(self.address).await.ask(request).await
    }

    async fn post(&self, body: &str) -> Reply {
        self.send(post(
            &[("content-type", "application/json")],
            body.to_owned(),
        ))
        .await
    }
}

impl Drop for Admin {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn post(headers: &[(&str, &str)], body: String) -> Request<Full<Bytes>> {
    let mut request = request(Method::POST, &format!("{CACHE}/revalidate"), headers);
    *request.body_mut() = Full::new(body.into());
    request
}

#[tokio::test]
async fn stored_responses_are_listed_without_what_is_secret() {
    let policy =
        "revalidate = 60\nexpire = 600\ntags = [\"all\"]\nquery = [\"page\"]\nvary = [\"x-key\"]";
    let app = serve("listed", policy, "").await;
    let admin = Admin::of(&app).await;
    let empty = admin.get(CACHE).await;
    assert_eq!(
        (&empty["stored"], &empty["entries"]),
        (&0.into(), &serde_json::json!([]))
    );
    assert_eq!(empty["development"], false);
    let headers = [("x-key", "secret-key"), ("host", "a.example")];
    get(&app, "/cached/b/tagged?page=2&token=secret", &headers).await;
    get(&app, "/cached/b/tagged?page=2", &headers).await;
    get(&app, "/cached/a", &[]).await;
    let list = admin.get(CACHE).await;
    assert_eq!((&list["stored"], &list["matching"]), (&2.into(), &2.into()));
    let paths: Vec<_> = list["entries"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|entry| &entry["path"])
        .collect();
    assert_eq!(paths, ["/cached/a", "/cached/b/tagged"]);
    let entry = &list["entries"][1];
    for (field, expected) in [
        ("query", serde_json::json!("page=2")),
        ("route", serde_json::json!(PATTERN)),
        ("status", serde_json::json!(200)),
        ("state", serde_json::json!("fresh")),
        ("revalidate", serde_json::json!(60)),
        ("hits", serde_json::json!(1)),
        ("tags", serde_json::json!(["all", "own"])),
    ] {
        assert_eq!(entry[field], expected, "{field}");
    }
    assert!(
        entry["size"].as_u64() > Some(20) && entry["age"].as_u64() < Some(60),
        "{entry}"
    );
    let id = entry["id"].as_str().expect("a text");
    let shown = admin.get(&format!("{CACHE}/{id}")).await;
    assert_eq!(shown["path"], entry["path"]);
    assert_eq!(shown["origin"], "http://a.example");
    assert_eq!(shown["vary"], serde_json::json!(["x-key"]));
    assert_eq!(shown["expire"], 600);
    assert_eq!(shown["headers"]["content-type"], "text/plain");
    assert!(shown["headers"]["etag"].is_string());
    assert!(shown["memory"].as_u64() > shown["size"].as_u64());
    for text in [list.to_string(), shown.to_string()] {
        assert!(!text.contains("secret"), "{text}");
        assert!(!text.contains("Method::Get"), "no bodies: {text}");
    }
    app.stopped().await;
}

#[tokio::test]
async fn a_list_has_filters_and_a_bound() {
    let app = serve("filtered", "", "").await;
    let admin = Admin::of(&app).await;
    for name in ["b", "c", "a", "aa", "d/tagged"] {
        ask(&app, &format!("/cached/{name}")).await;
    }
    for (query, expected, matching) in [
        ("?limit=2", vec!["/cached/a", "/cached/aa"], 5),
        ("?prefix=/cached/a", vec!["/cached/a", "/cached/aa"], 2),
        ("?tag=own", vec!["/cached/d/tagged"], 1),
        ("?tag=own&prefix=/x", vec![], 0),
        ("?limit=1&prefix=%2Fcached%2Fb", vec!["/cached/b"], 1),
    ] {
        let list = admin.get(&format!("{CACHE}{query}")).await;
        let entries = list["entries"].as_array().expect("a list");
        let paths: Vec<_> = entries.iter().map(|entry| entry["path"].as_str()).collect();
        let expected: Vec<_> = expected.into_iter().map(Some).collect();
        assert_eq!(
            (paths, &list["matching"]),
            (expected, &matching.into()),
            "{query}"
        );
    }
    for (path, status) in [
        (format!("{CACHE}?limit=100000"), 400),
        (format!("{CACHE}/0123456789abcdef"), 404),
        (format!("{CACHE}/../metrics"), 404),
        (format!("{CACHE}d"), 404),
    ] {
        let reply = Client::connect(admin.address).await.get(&path).await;
        assert_eq!(reply.status, status, "{path}");
    }
    app.stopped().await;
}

#[tokio::test]
async fn an_operator_revalidates_and_learns_what_it_concerned() {
    let app = serve("outside", "tags = [\"all\"]", "").await;
    let admin = Admin::of(&app).await;
    for name in ["a", "b/tagged"] {
        ask(&app, &format!("/cached/{name}")).await;
    }
    let reply = admin.post(r#"{"tags":["all","own","none"]}"#).await;
    assert_eq!(
        (reply.status.as_u16(), reply.text.trim()),
        (
            200,
            r#"{"revalidated":[{"entries":2,"what":"tag:all (stale)"},{"entries":1,"what":"tag:own (stale)"},{"entries":0,"what":"tag:none (stale)"}],"warnings":[]}"#
        )
    );
    assert_eq!(ask(&app, "/cached/a").await.0, "STALE");
    let reply = admin
        .post(r#"{"paths":["/cached/b/tagged","/nowhere"],"routes":["/cached/[id]"]}"#)
        .await;
    let value: serde_json::Value = serde_json::from_str(&reply.text).expect("it is JSON");
    assert_eq!(value["revalidated"][0]["entries"], 1);
    assert_eq!(
        value["warnings"],
        serde_json::json!([
            "no route of the app answers `/nowhere`",
            "the app has no route `/cached/[id]`"
        ])
    );
    assert_eq!(ask(&app, "/cached/b/tagged").await.0, "MISS");
    // What has expired already is not counted again, and is listed as such.
    let all = r#"{"tags":["all"],"expire":true}"#;
    assert!(admin.post(all).await.text.contains("\"entries\":2"));
    assert!(admin.post(all).await.text.contains("\"entries\":0"));
    assert_eq!(admin.get(CACHE).await["entries"][0]["state"], "expired");
    assert_eq!(ask(&app, "/cached/a").await.0, "MISS");
    assert!(logged(&[
        "INFO",
        "an operator revalidated path:/cached/b/tagged (expired)",
        "entries=1"
    ]));
    app.stopped().await;
}

#[tokio::test]
async fn pages_in_a_browser_and_malformed_requests_revalidate_nothing() {
    let app = serve("refused", "tags = [\"all\"]", "").await;
    let admin = Admin::of(&app).await;
    ask(&app, "/cached/a").await;
    let json = ("content-type", "application/json");
    let all = r#"{"tags":["all"]}"#.to_owned();
    for (headers, body, status, reason) in [
        (
            vec![json, ("origin", "http://evil.example")],
            all.clone(),
            403,
            "a page in a browser",
        ),
        (
            vec![json, ("origin", "null")],
            all.clone(),
            403,
            "a page in a browser",
        ),
        (
            vec![("content-type", "text/plain")],
            all.clone(),
            415,
            "application/json",
        ),
        (vec![], all.clone(), 415, "application/json"),
        (vec![json], "{".to_owned(), 400, "not valid JSON"),
        (vec![json], "{}".to_owned(), 400, "nothing is named"),
        (
            vec![json],
            r#"{"tag":["a"]}"#.to_owned(),
            400,
            "there is no `tag`",
        ),
        (
            vec![json],
            " ".repeat(70_000),
            413,
            "larger than 65536 bytes",
        ),
    ] {
        let reply = admin.send(post(&headers, body)).await;
        assert_eq!(reply.status, status, "{headers:?}: {}", reply.text);
        let value: serde_json::Value = serde_json::from_str(&reply.text).expect("it is JSON");
        let error = value["error"].as_str().unwrap_or_default();
        assert!(error.contains(reason), "{error}");
        assert!(
            reply
                .headers
                .keys()
                .all(|name| !name.as_str().starts_with("access-control-"))
        );
    }
    let page = request(Method::GET, CACHE, &[("origin", "http://evil.example")]);
    assert_eq!(admin.send(page).await.status, 403);
    for (method, path, allowed) in [
        (Method::GET, format!("{CACHE}/revalidate"), "POST"),
        (Method::OPTIONS, format!("{CACHE}/revalidate"), "POST"),
        (Method::POST, CACHE.to_owned(), "GET, HEAD"),
        (Method::DELETE, format!("{CACHE}/x"), "GET, HEAD"),
    ] {
        let reply = admin.send(request(method, &path, &[])).await;
        assert_eq!(
            (reply.status.as_u16(), &reply.headers["allow"]),
            (405, &allowed.parse().expect("a value"))
        );
    }
    // The public has neither, and nothing was revalidated.
    assert!(!app.get(CACHE).await.text.contains("\"entries\""));
    assert_eq!(ask(&app, "/cached/a").await.0, "HIT");
    app.stopped().await;
}

#[tokio::test]
async fn a_host_without_a_cache_says_so() {
    let app = TestApp::new()
        .component("hello", "\"/...\"", "")
        .profile(waypost_host::HostProfile::Spin)
        .start()
        .await;
    let admin = Admin::of(&app).await;
    let reply = Client::connect(admin.address).await.get(CACHE).await;
    assert_eq!(reply.status, 404);
    assert!(reply.text.contains("no response cache"), "{}", reply.text);
    app.stopped().await;
}

#[tokio::test]
async fn the_log_says_what_became_of_a_request() {
    let app = serve("said", "revalidate = 60\ntags = [\"all\"]", "").await;
    let secret = get(&app, "/cached/said?token=secret-of-said", &[]).await;
    assert_eq!(outcome(&secret), "MISS");
    ask(&app, "/cached/said").await;
    ask(&app, "/cached/said/cookie").await;
    revalidate(&app, "tag:all,path!:/cached/said").await;
    revalidate(&app, "path!:/nowhere-said").await;
    revalidate(&app, "tag:ü-said").await;
    ask(&app, "/cached/said").await;
    for parts in [
        [
            "DEBUG waypost::cache: MISS GET /cached/said (fwd=uri-miss; stored)",
            "component=said",
        ],
        [
            "DEBUG waypost::cache: HIT GET /cached/said (hit; ttl=",
            "route=\"/cached/[...rest]\"",
        ],
        [
            "MISS GET /cached/said/cookie (fwd=uri-miss; detail=\"the response has set-cookie\")",
            "request=",
        ],
        [
            "DEBUG waypost::cache: revalidated tag:all (stale)",
            "entries=1",
        ],
        [
            "DEBUG waypost::cache: revalidated path:/cached/said (expired)",
            "entries=1",
        ],
        [
            "WARN",
            "nothing is revalidated: no route of the app answers `/nowhere-said`",
        ],
        [
            "WARN waypost_host",
            "nothing is revalidated: a revalidation is malformed",
        ],
        [
            "MISS GET /cached/said (fwd=stale; stored)",
            "component=said",
        ],
    ] {
        assert!(logged(&parts), "{parts:?}");
    }
    assert!(!log().contains("secret-of-said"));
    app.stopped().await;
}
