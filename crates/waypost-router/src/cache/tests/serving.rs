//! What is stored, and what a client gets of it.

use super::*;

#[test]
fn a_response_is_stored_and_served() {
    let mut test = Test::new(2);
    let first = test.get("/posts/a?utm=1", &[("cookie", "me"), ("accept", "text/*")]);
    assert_eq!(first.short(), "MISS run 1");
    assert_eq!(
        first.header("cache-status"),
        "waypost; fwd=uri-miss; stored"
    );
    assert_eq!(first.header("age"), "");
    let (target, headers) = test.handler.seen.borrow()[0].clone();
    assert_eq!(target, "/posts/a");
    let names: Vec<_> = headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["accept", "x-waypost-fill", "x-waypost-revalidate"]);
    test.wait(5);
    test.world.counts();
    let hit = test.send(
        1,
        "GET",
        "/posts/a",
        &[("accept", "text/*"), ("authorization", "x")],
    );
    assert_eq!(hit.short(), "HIT run 1");
    assert_eq!((hit.header("age"), hit.header("vary")), ("5", "accept"));
    assert_eq!(hit.header("cache-status"), "waypost; hit; ttl=55");
    assert_eq!(
        hit.header("cache-control"),
        "s-maxage=60, stale-while-revalidate=540"
    );
    assert_eq!(test.world.counts(), (2, 0), "a hit is two reads");
    assert_eq!(test.handler.runs.get(), 1);
    // What is in the key makes another response.
    for target in ["/posts/b", "/posts/a?page=2", "/posts/a"] {
        assert!(test.short(target).starts_with("MISS"), "{target}");
    }
    assert_eq!(test.handler.runs.get(), 4);
}

#[test]
fn conditions_and_ranges_are_for_each_client() {
    let mut test = Test::new(1);
    let etag = test.get("/posts/a", &[]).header("etag").to_owned();
    let not_modified = test.get("/posts/a", &[("if-none-match", &etag)]);
    assert_eq!((not_modified.status, not_modified.body.as_str()), (304, ""));
    assert_eq!(not_modified.header("content-type"), "");
    let part = test.get("/posts/a", &[("range", "bytes=1-2")]);
    assert_eq!((part.status, part.body.as_str()), (206, "un"));
    assert_eq!(part.header("content-range"), "bytes 1-2/5");
    let beyond = test.get("/posts/a", &[("range", "bytes=9-")]);
    assert_eq!(
        (beyond.status, beyond.header("content-range")),
        (416, "bytes */5")
    );
    assert_eq!(test.get("/posts/a", &[("if-match", "\"x\"")]).status, 412);
    let head = test.send(0, "HEAD", "/posts/a", &[("range", "bytes=1-2")]);
    assert_eq!((head.status, head.header("content-length")), (200, "5"));
    assert_eq!(test.handler.runs.get(), 1);
}

#[test]
fn other_requests_do_not_use_the_cache() {
    let mut test = Test::new(1);
    for (method, target) in [("POST", "/posts/a"), ("HEAD", "/head"), ("GET", "/free")] {
        let answer = test.send(0, method, target, &[]);
        assert_eq!(answer.short(), " alone", "{method} {target}");
    }
    let draft = ("cookie", "__prerender_bypass=s3cret");
    let answer = test.get("/posts/a", &[draft]);
    assert_eq!(answer.short(), "BYPASS alone");
    assert!(answer.header("cache-control").contains("no-store"));
    let wrong = ("cookie", "__prerender_bypass=x");
    assert_eq!(test.get("/posts/a", &[wrong]).short(), "MISS run 1");
    let long = format!("/posts/{}", "a".repeat(2000));
    assert_eq!(test.short(&long), "BYPASS alone");
}

#[test]
fn a_stale_response_is_served_and_refreshed_once() {
    let mut test = Test::new(2);
    test.short("/posts/a");
    test.wait(60);
    // Both come before the refresh of either.
    let requests: Vec<_> = (0..2)
        .map(|at| ask(&test.instances[at], &test.handler, "GET", "/posts/a", &[]))
        .collect();
    let answers = test.pool.run_until(futures::future::join_all(requests));
    test.pool.run_until_stalled();
    for answer in answers {
        assert_eq!(
            (answer.short().as_str(), answer.header("age")),
            ("STALE run 1", "60")
        );
    }
    assert!(
        (2..=3).contains(&test.handler.runs.get()),
        "a lease keeps most from it"
    );
    assert!(test.short("/posts/a").starts_with("HIT run "));
    test.wait(600);
    assert!(test.short("/posts/a").starts_with("MISS run "));
}

#[test]
fn a_failed_refresh_leaves_the_old_response() {
    let mut test = Test::new(1);
    test.short("/posts/a");
    test.wait(60);
    test.handler.status.set(503);
    assert_eq!(test.short("/posts/a"), "STALE run 1");
    assert_eq!(test.handler.runs.get(), 2);
    assert_eq!(test.short("/posts/a"), "STALE run 1");
    assert_eq!(test.handler.runs.get(), 2, "not at once again");
    test.handler.status.set(200);
    test.wait(4);
    assert_eq!(test.short("/posts/a"), "STALE run 1");
    assert_eq!(test.short("/posts/a"), "HIT run 3");
}

#[test]
fn a_refresh_that_can_not_be_stored_removes_the_old_response() {
    let mut test = Test::new(1);
    test.short("/posts/a");
    test.wait(60);
    let private = ("cache-control".to_owned(), b"private".to_vec());
    test.handler.headers.borrow_mut().push(private);
    assert_eq!(test.short("/posts/a"), "STALE run 1");
    assert_eq!(test.short("/posts/a"), "MISS run 3");
}

#[test]
fn responses_for_one_client_are_not_stored() {
    for (name, value, detail) in [
        ("set-cookie", "a=1", "the response has set-cookie"),
        ("cache-control", "private", "cache-control: private"),
        ("x-waypost-life", "no-store", "no-store"),
        ("vary", "cookie", "varies by cookie"),
        ("x-streamed", "1", "no content-length"),
    ] {
        let mut test = Test::new(1);
        let header = (name.to_owned(), value.as_bytes().to_vec());
        test.handler.headers.borrow_mut().push(header);
        let answer = test.get("/posts/a", &[]);
        assert!(
            answer.header("cache-status").contains(detail),
            "{name}: {:?}",
            answer.headers
        );
        assert!(
            answer
                .headers
                .iter()
                .all(|(name, _)| { !name.starts_with("x-waypost-") || name == "x-waypost-cache" })
        );
        if name == "set-cookie" {
            assert_eq!(answer.header("cache-control"), "private, no-store");
        }
        assert_eq!(test.short("/posts/a"), "MISS run 2", "{name}");
        assert!(!test.world.0.values.borrow().keys().any(|key| is_entry(key)));
        let is_wanted = ["cache-control", "x-waypost-life"].contains(&name);
        assert_eq!(
            test.world.log().is_empty(),
            is_wanted,
            "{name}: {}",
            test.world.log()
        );
    }
}

#[test]
fn a_body_that_breaks_off_is_a_failure_and_not_stored() {
    let mut test = Test::new(1);
    test.handler.is_broken.set(true);
    let answer = test.get("/posts/a", &[]);
    assert_eq!((answer.status, answer.short().as_str()), (500, "MISS "));
    test.handler.is_broken.set(false);
    assert_eq!(test.short("/posts/a"), "MISS run 2");
}
