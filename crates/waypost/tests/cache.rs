//! Cached routes: what their handlers see, and what they say to the cache.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use waypost::{Request, Response, http::Method, test};

/// A request with everything that only one client sends.
fn of_one_client(method: Method, target: &str) -> Request {
    Request::build(method, target, "a body")
        .with_header("host", "Shop.example:80")
        .with_header("cookie", "user=ada")
        .with_header("authorization", "Bearer 1")
        .with_header("accept-language", "de")
        .with_header("x-request-id", "1234")
}

mod sealed {
    use waypost::{Context, Request, Result};

    pub async fn get(req: Request, ctx: Context) -> Result<String> {
        let headers: Vec<_> = req.header_texts().collect();
        let cookies = req.cookies().all().len() + ctx.cookies().all().len();
        let body = req.text().await?;
        Ok(format!(
            "{} {} {} {headers:?} {cookies} {body:?}",
            req.method(),
            req.url(),
            ctx.params.get("slug").unwrap_or_default(),
        ))
    }

    pub async fn post(req: Request, ctx: Context) -> Result<String> {
        get(req, ctx).await
    }

    waypost::export!(
        "/posts/[slug]": get, post;
        cache(revalidate = 60, query = ["page"], vary = ["Accept-Language"])
    );
}

#[test]
fn a_cached_run_is_sealed() {
    let target = "/posts/%61?user=ada&page=%32";
    let text = |method| {
        test::text(test::call::<sealed::route::Route>(of_one_client(
            method, target,
        )))
    };
    assert_eq!(
        text(Method::GET),
        "GET http://shop.example/posts/a?page=2 a [(\"accept-language\", \"de\")] 0 \"\""
    );
    assert!(
        text(Method::POST).starts_with("POST http://shop.example/posts/%61?user=ada&page=%32 a")
    );
    assert!(text(Method::POST).contains("authorization"));
}

mod method {
    use waypost::{Response, http::Method};

    async fn any(method: Method) -> Response {
        Response::new("").with_header("x-method", method.as_str())
    }

    waypost::export!("/": any; cache());
}

#[test]
fn head_runs_the_handler_of_get() {
    for (method, seen) in [
        (Method::GET, "GET"),
        (Method::HEAD, "GET"),
        (Method::PUT, "PUT"),
    ] {
        let response = test::call::<method::route::Route>(Request::build(method, "/", ""));
        assert_eq!(response.headers()["x-method"], seen);
    }
}

mod cookies {
    use waypost::{Context, Request, Result};

    async fn get(req: Request, ctx: Context) -> Result<()> {
        assert!(req.cookies().set(("a", "1")).is_err());
        ctx.cookies().set(("a", "1"))?;
        Ok(())
    }

    async fn post(ctx: Context) -> Result<String> {
        let error = ctx.cookies().set(("a", "1")).err();
        Ok(error.map(|error| error.to_string()).unwrap_or_default())
    }

    async fn head(ctx: Context) -> Result<String> {
        post(ctx).await
    }

    waypost::export!("/": get, head, post; cache());
}

#[test]
fn a_cached_run_can_set_no_cookies() {
    let call = |method| test::call::<cookies::route::Route>(Request::build(method, "/", ""));
    let response = call(Method::GET);
    assert_eq!(response.status(), 500);
    assert!(!response.headers().contains_key("set-cookie"));
    assert!(!call(Method::HEAD).headers().contains_key("set-cookie"));
    assert!(call(Method::POST).headers().contains_key("set-cookie"));
}

mod own {
    use waypost::{Cache, Query, Response, Result};

    #[derive(serde::Deserialize)]
    pub struct Kind {
        kind: String,
    }

    async fn get(Query(Kind { kind }): Query<Kind>, cache: Cache) -> Result {
        cache.revalidate_tag("visits")?;
        let response = Response::new("").tag("front").tags(["a, b", "front"]);
        Ok(match &*kind {
            "short" => response
                .revalidate(300)
                .revalidate(std::time::Duration::from_secs(60)),
            "none" => response.no_store(),
            "zero" => response.revalidate(0),
            "wrong" => response.tag(""),
            "error" => Err(Response::new("later").with_status(503).tag("busy"))?,
            _ => response,
        })
    }

    waypost::export!("/": get; cache(life = "hours", query = ["kind"]));
}

#[test]
fn a_response_has_tags_and_a_life_of_its_own() {
    let call = |kind| test::call::<own::route::Route>(Request::get(&format!("/?kind={kind}")));
    let minute = Some(Duration::from_secs(60));
    for (kind, tags, time, is_no_store) in [
        ("plain", &["front", "a, b"][..], None, false),
        ("short", &["front", "a, b"], minute, false),
        ("none", &["front", "a, b"], None, true),
        ("zero", &["front", "a, b"], None, true),
        ("wrong", &["front", "a, b"], None, true),
        ("error", &["busy"], None, false),
    ] {
        let response = call(kind);
        assert_eq!(response.cache_tags(), tags, "{kind}");
        assert_eq!(response.cache_time(), time, "{kind}");
        assert_eq!(response.is_no_store(), is_no_store, "{kind}");
        assert_eq!(response.revalidated(), ["tag:visits (stale)"], "{kind}");
    }
}

mod revalidating {
    use waypost::{After, Cache, Query, Response, Result, not_found};

    #[derive(serde::Deserialize)]
    pub struct Times {
        times: usize,
    }

    pub async fn post(cache: Cache, Query(Times { times }): Query<Times>) -> Result<()> {
        cache.revalidate_path("/a/")?;
        cache.revalidate_below("/b")?;
        cache.revalidate_route("/c/[slug]")?;
        cache.revalidate_path("/a")?;
        for time in 0..times {
            cache.expire_tag(time.to_string())?;
        }
        Err(not_found())
    }

    async fn put(cache: Cache) -> Result<()> {
        for wrong in ["", "b", "/b?c"] {
            assert!(cache.revalidate_path(wrong).is_err());
        }
        assert!(cache.revalidate_route("/[...a]/b").is_err());
        Ok(cache.revalidate_tag("")?)
    }

    async fn delete(cache: Cache, after: After) -> Response {
        after.run(async move {
            let error = cache.revalidate_tag("late").unwrap_err();
            assert!(error.to_string().contains("already sent"));
        });
        Response::new("")
    }

    waypost::export!("/": post, put, delete);
}

#[test]
fn revalidations_leave_with_every_response() {
    let call = |method, target| {
        test::call::<revalidating::route::Route>(Request::build(method, target, ""))
    };
    let response = call(Method::POST, "/?times=1");
    assert_eq!(response.status(), 404);
    let expected = [
        "path:/a (expired)",
        "below:/b (expired)",
        "route:/c/[slug] (expired)",
        "tag:0 (expired)",
    ];
    assert_eq!(response.revalidated(), expected);
    let full = call(Method::POST, "/?times=126");
    assert_eq!(
        (full.status().as_u16(), full.revalidated().len()),
        (500, 128)
    );
    let wrong = call(Method::PUT, "/");
    assert_eq!(
        (wrong.status().as_u16(), wrong.revalidated().len()),
        (500, 0)
    );
}

#[test]
fn nothing_is_revalidated_after_the_response() {
    let response =
        test::call::<revalidating::route::Route>(Request::build(Method::DELETE, "/", ""));
    assert_eq!(response.revalidated(), [""; 0]);
}

mod proxy {
    use waypost::{Cache, Response, Result, fetch};

    async fn get(_cache: Cache) -> Result {
        Ok(fetch("http://other.example/").await?)
    }

    async fn post() -> waypost::http::Response<waypost::Body> {
        Response::new("").tag("a").revalidate(1).into()
    }

    waypost::export!("/": get, post);
}

#[test]
fn another_server_revalidates_nothing() {
    let answer = async |_| {
        Response::new("")
            .tag("a")
            .with_header("x-waypost-revalidate", "below!:/")
            .with_header("x-waypost-tags", "b")
            .with_header("x-waypost-life", "no-store")
            .with_header("x-waypost-cache", "HIT")
    };
    let call = || test::call::<proxy::route::Route>(Request::get("/"));
    let response = test::with_network(answer, call);
    let internal = response.headers().keys();
    let internal: Vec<_> = internal
        .filter(|name| name.as_str().starts_with("x-"))
        .collect();
    assert_eq!(internal, ["x-waypost-cache"]);
}

#[test]
fn a_response_of_the_crate_http_says_nothing_to_a_cache() {
    let response = test::call::<proxy::route::Route>(Request::post("/", ""));
    assert!(response.cache_tags().is_empty() && response.cache_time().is_none());
}
