//! Values that handlers cache, in a test's own data cache.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::cell::Cell;
use std::time::Duration;

use waypost::cache::CacheOptions;
use waypost::{After, Cache, Error, Query, Request, Response, Result, fetch, test};

thread_local! {
    static RUNS: Cell<u32> = const { Cell::new(0) };
}

fn run() -> u32 {
    RUNS.set(RUNS.get() + 1);
    RUNS.get()
}

#[waypost::cached(life = "hours", tags = ["authors", "author-{id}"])]
async fn author(id: u32, name: String) -> Result<String> {
    Ok(format!("{name} {id}, run {}", run()))
}

#[waypost::cached(revalidate = 60, expire = "2m", tags = ["odd"])]
async fn odd(mut id: u32) -> Option<u32> {
    id += run();
    (id % 2 == 1).then_some(id)
}

#[waypost::cached]
async fn all() -> Result<Vec<String>> {
    Ok(vec![
        author(1, "Ada".into()).await?,
        format!("all {}", run()),
    ])
}

#[waypost::cached(tags = ["broken"])]
async fn broken() -> Result<u32> {
    match run() {
        2 => Ok(2),
        _ => Err(Error::new(503, "not now")),
    }
}

fn ada() -> String {
    test::block_on(author(1, "Ada".into())).unwrap()
}

/// Makes values stale or expired, as a handler does.
fn revalidate(what: &str) {
    let target = format!("/revalidate?what={what}");
    let request = Request::post(&target, "");
    assert_eq!(
        test::call::<revalidating::route::Route>(request).status(),
        200
    );
}

mod revalidating {
    use super::*;

    #[derive(serde::Deserialize)]
    pub struct What {
        what: String,
    }

    async fn post(cache: Cache, after: After, Query(What { what }): Query<What>) -> Result<()> {
        match what.split_once(':') {
            Some(("stale", tag)) => cache.revalidate_tag(tag)?,
            Some(("late", tag)) => {
                let tag = tag.to_owned();
                after.run(async move { Ok(cache.expire_tag(tag)?) });
            }
            Some(("path", path)) => cache.revalidate_path(path)?,
            _ => cache.expire_tag(what)?,
        }
        Ok(())
    }

    waypost::export!("/revalidate": post);
}

#[test]
fn a_function_runs_once_for_its_arguments() {
    assert_eq!(
        (ada(), ada()),
        ("Ada 1, run 1".into(), "Ada 1, run 2".into())
    );
    RUNS.set(0);
    test::with_cache(|cache| {
        assert_eq!(
            (ada(), ada()),
            ("Ada 1, run 1".into(), "Ada 1, run 1".into())
        );
        let other = test::block_on(author(2, "Bob".into())).unwrap();
        assert_eq!(other, "Bob 2, run 2");
        let values = cache.values();
        let names: Vec<_> = values.iter().map(|value| value.name.as_str()).collect();
        assert_eq!(
            names,
            [r#"cached::author [1,"Ada"]"#, r#"cached::author [2,"Bob"]"#]
        );
        assert_eq!(values[1].tags, ["authors", "author-2"]);
        assert_eq!(values[1].revalidate, Some(Duration::from_secs(3600)));
        assert_eq!(values[1].expire, Duration::from_secs(86_400));
    });
}

#[test]
fn a_plain_value_is_kept_too() {
    test::with_cache(|cache| {
        let odd = |id| test::block_on(odd(id));
        assert_eq!(
            (odd(1), odd(1), odd(3), odd(3)),
            (None, None, Some(5), Some(5))
        );
        assert_eq!(cache.values()[0].tags, ["odd"]);
        cache.advance(120);
        assert_eq!(odd(3), None);
    });
}

#[test]
fn a_stale_value_is_returned_while_it_is_refreshed() {
    test::with_cache(|cache| {
        assert_eq!(ada(), "Ada 1, run 1");
        cache.advance(3600);
        // The function runs behind this.
        assert_eq!(ada(), "Ada 1, run 1");
        assert_eq!((ada(), RUNS.get()), ("Ada 1, run 2".into(), 2));
        revalidate("stale:author-1");
        assert_eq!(
            (ada(), ada()),
            ("Ada 1, run 2".into(), "Ada 1, run 3".into())
        );
        revalidate("authors");
        assert_eq!(ada(), "Ada 1, run 4");
        cache.advance(86_400);
        assert_eq!(ada(), "Ada 1, run 5");
    });
}

#[test]
fn revalidations_after_the_response_count() {
    test::with_cache(|cache| {
        assert_eq!(ada(), "Ada 1, run 1");
        revalidate("late:authors");
        assert_eq!(cache.revalidated(), ["tag:authors (expired)"]);
        assert_eq!(ada(), "Ada 1, run 2");
    });
    // Without a data cache it is too late, which the log says.
    revalidate("late:authors");
}

#[test]
fn errors_are_not_kept() {
    test::with_cache(|cache| {
        assert!(test::block_on(broken()).is_err());
        assert!(cache.values().is_empty());
        assert_eq!(test::block_on(broken()).unwrap(), 2);
        revalidate("stale:broken");
        // The refresh fails, and the old value stays.
        assert_eq!((test::block_on(broken()).unwrap(), RUNS.get()), (2, 3));
        assert_eq!(test::block_on(broken()).unwrap(), 2);
    });
}

#[test]
fn a_value_has_the_tags_and_the_time_of_its_parts() {
    test::with_cache(|cache| {
        let all = || test::block_on(all()).unwrap().join(", ");
        assert_eq!(all(), "Ada 1, run 1, all 2");
        let values = cache.values();
        let whole = values
            .iter()
            .find(|value| value.name == "cached::all []")
            .unwrap();
        assert_eq!(whole.tags, ["authors", "author-1"]);
        assert_eq!(whole.revalidate, Some(Duration::from_secs(3600)));
        revalidate("stale:author-1");
        assert_eq!(all(), "Ada 1, run 1, all 2");
        // It was not made of the stale part.
        assert_eq!(all(), "Ada 1, run 3, all 4");
    });
}

mod named {
    use super::*;

    async fn value(path: String) -> Result<String> {
        Ok(format!("{path} {}", run()))
    }

    async fn get(cache: Cache, request: Request) -> Result<String> {
        let path = request.uri().path().to_owned();
        let key = ("of", path.clone());
        let options = CacheOptions::new().tags(["named"]);
        cache.get_or(key, options, value(path)).await
    }

    waypost::export!("/named/[slug]": get);
}

fn named(path: &str) -> String {
    test::text(test::call::<named::route::Route>(Request::get(path)))
}

#[test]
fn a_path_revalidates_the_values_of_its_handler() {
    test::with_cache(|cache| {
        assert_eq!(
            (named("/named/a"), named("/named/a")),
            ("/named/a 1".into(), "/named/a 1".into())
        );
        assert_eq!(named("/named/b"), "/named/b 2");
        assert_eq!(cache.values()[0].name, r#"["of","/named/a"]"#);
        revalidate("path:/named/a");
        assert_eq!(
            (named("/named/a"), named("/named/b")),
            ("/named/a 3".into(), "/named/b 2".into())
        );
    });
}

async fn number() -> Result<u32> {
    Ok(run())
}

#[test]
fn options_that_can_not_be_kept_cache_nothing() {
    let host = Cache::new();
    test::with_cache(|cache| {
        for options in [
            CacheOptions::new().tags([""]),
            CacheOptions::new().revalidate(0),
            CacheOptions::new().revalidate(60).expire(30),
        ] {
            let made = host.get_or(1, options, number());
            assert!(test::block_on(made).is_ok());
        }
        assert_eq!((RUNS.get(), cache.values().len()), (3, 0));
        let long = "x".repeat(9000);
        for _ in 0..2 {
            let made = host.get_or(&long, CacheOptions::new(), number());
            assert!(test::block_on(made).is_ok());
        }
        assert_eq!((RUNS.get(), cache.values().len()), (5, 0));
    });
}

async fn upstream(request: Request) -> Response {
    let number = run();
    let text = match request.uri().path() {
        "/large" => "x".repeat((2 << 20) + 1),
        path => format!(
            "{} {path} {number}",
            request.header("authorization").unwrap_or("nobody")
        ),
    };
    let response = Response::new(text)
        .with_header("set-cookie", "a=1")
        .with_header("x-number", number.to_string());
    match request.uri().path() {
        "/missing" => response.with_status(404),
        _ => response,
    }
}

fn text(fetch: waypost::client::Fetch) -> String {
    let response = test::with_network(upstream, || test::block_on(fetch.send()).unwrap());
    test::text(response)
}

#[test]
fn a_fetch_is_cached_if_it_says_so() {
    const URL: &str = "http://a.example/x";
    test::with_cache(|cache| {
        for plain in [
            fetch(URL),
            fetch(URL).tags(["a"]),
            fetch(URL).force_cache().no_store(),
            fetch(URL).revalidate(0),
        ] {
            text(plain);
        }
        assert_eq!((RUNS.get(), cache.values().len()), (4, 0));
        let cached = || fetch(URL).revalidate(60).tags(["a"]);
        assert_eq!(
            (text(cached()), text(cached())),
            ("nobody /x 5".into(), "nobody /x 5".into())
        );
        cache.advance(60);
        assert_eq!(
            (text(cached()), text(cached())),
            ("nobody /x 5".into(), "nobody /x 6".into())
        );
        revalidate("a");
        assert_eq!(text(cached()), "nobody /x 7");
        assert_eq!(cache.values()[0].name, "GET http://a.example/x");
    });
}

#[test]
fn all_that_decides_about_a_response_is_in_the_key() {
    test::with_cache(|cache| {
        let cached = |path: &str| fetch(format!("http://a.example{path}")).force_cache();
        let all = || {
            [
                cached("/x").header("authorization", "ada"),
                cached("/x").header("authorization", "bob"),
                cached("/x"),
                cached("/y"),
                cached("/x?a"),
                cached("/x").method("HEAD"),
                // Not another one.
                cached("/x#b").header("traceparent", "1"),
            ]
        };
        let first = all().map(text);
        assert_eq!(first[0], "ada /x 1");
        assert_eq!((RUNS.get(), all().map(text), RUNS.get()), (6, first, 6));
        assert_eq!(cache.values().len(), 6);
    });
}

#[test]
fn what_is_not_cached_of_fetches() {
    test::with_cache(|cache| {
        let cached = |path: &str| fetch(format!("http://a.example{path}")).force_cache();
        let all = || {
            [
                cached("/missing"),
                cached("/x").method("POST").body("a"),
                cached("/x").body("a"),
            ]
        };
        assert_eq!(all().map(text).len(), all().map(text).len());
        assert_eq!(text(cached("/large")).len(), (2 << 20) + 1);
        assert_eq!((RUNS.get(), cache.values().len()), (7, 0));
        let failed = test::block_on(cached("/x").send());
        assert!(failed.is_err() && cache.values().is_empty());
    });
}

#[test]
fn a_cached_response_is_whole_and_without_cookies() {
    test::with_cache(|_| {
        let fetched = || {
            let fetch = fetch("http://a.example/x").force_cache();
            let response = test::with_network(upstream, || test::block_on(fetch.send()).unwrap());
            let headers = response.headers();
            assert!(headers.get("set-cookie").is_none());
            assert_eq!(headers["x-number"], "1");
            assert_eq!(headers["content-type"], "text/plain;charset=UTF-8");
            (response.status(), test::text(response))
        };
        assert_eq!(fetched(), fetched());
    });
}
