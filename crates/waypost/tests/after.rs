//! Work for after the response, and clients that go away, through whole routes
//! (<https://nextjs.org/docs/app/api-reference/functions/after>).

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test may panic")]

use std::cell::RefCell;
use std::time::Duration;

use waypost::cookies::Cookies;
use waypost::{After, Body, Context, Error, Request, Response, Result, Signal, test};

thread_local! {
    /// What happened in the test of this thread.
    static LOG: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn log(text: impl Into<String>) {
    LOG.with_borrow_mut(|log| log.push(text.into()));
}

fn logged() -> Vec<String> {
    LOG.take()
}

/// Writes into the log when it is dropped.
struct Dropped(&'static str);

impl Drop for Dropped {
    fn drop(&mut self) {
        log(self.0);
    }
}

async fn get(ctx: Context, cookies: Cookies) -> Result {
    let after = ctx.params.get("end").unwrap_or_default().to_owned();
    ctx.after(async move {
        log(format!("after {after}"));
    });
    ctx.after(async move {
        let read = cookies.get("a").map(|cookie| cookie.value().to_owned());
        let written = cookies.set(("a", "2")).is_ok();
        log(format!("cookie {read:?}, written: {written}"));
    });
    match ctx.params.get("end") {
        Some("redirect") => Err(waypost::redirect("/target")),
        Some("not-found") => Err(waypost::not_found()),
        Some("error") => Err(std::io::Error::other("broken").into()),
        Some("fault") => Ok(Response::new("").with_status(1000)),
        _ => Ok(Response::new("fine")),
    }
}

/// Work that waits, that starts more, and that fails.
async fn post(after: After) -> &'static str {
    let again = after.clone();
    after.run(async {
        log("first starts");
        waypost::time::sleep(Duration::from_millis(20)).await;
        log("first ends");
    });
    after.run(async move {
        log("second starts");
        again.run(async { log("nested") });
        log("second ends");
    });
    after.run(async { Err::<(), Error>(Error::new(400, "only logged")) });
    after.run(async { log("last") });
    "fine"
}

/// A stream that says when it ends, and what was known of the client then.
async fn put(after: After, signal: Signal) -> Body {
    let heard = signal.clone();
    after.run(async move {
        signal.aborted().await;
        log("the client left");
    });
    let end = Dropped("the stream ended");
    let pieces = (0..3).map(move |number| {
        let _ = &end;
        log(format!("{number}, aborted: {}", heard.is_aborted()));
        number.to_string()
    });
    Body::from_iter(pieces)
}

/// What the work after a stream sees of a client that stayed.
async fn patch(after: After, signal: Signal) -> Body {
    after.run(async move { log(format!("aborted: {}", signal.is_aborted())) });
    Body::from_iter(["a", "b"])
}

waypost::export!("/after/[end]": get, post, put, patch);

fn request(method: &str, target: &str) -> Request {
    let method = waypost::http::Method::from_bytes(method.as_bytes()).unwrap();
    Request::build(method, target, ()).with_header("cookie", "a=1")
}

#[test]
fn it_runs_however_the_handler_ends() {
    for (end, status) in [
        ("fine", 200),
        ("redirect", 307),
        ("not-found", 404),
        ("error", 500),
        ("fault", 500),
    ] {
        let response = test::call::<route::Route>(request("GET", &format!("/after/{end}")));
        assert_eq!(response.status(), status);
        let expected = [
            format!("after {end}"),
            "cookie Some(\"1\"), written: false".to_owned(),
        ];
        assert_eq!(logged(), expected);
        assert!(!response.headers().contains_key("set-cookie"));
    }
}

#[test]
fn all_of_it_starts_at_once_and_may_start_more() {
    test::call::<route::Route>(request("POST", "/after/x"));
    let expected = [
        "first starts",
        "second starts",
        "nested",
        "second ends",
        "last",
        "first ends",
    ];
    assert_eq!(logged(), expected);
}

#[test]
fn a_client_that_leaves_ends_the_stream() {
    let pieces = test::call_and_leave::<route::Route>(request("PUT", "/after/x"), 1);
    assert_eq!(pieces, ["0"]);
    let expected = [
        "0, aborted: false",
        "1, aborted: false",
        "the stream ended",
        "the client left",
    ];
    assert_eq!(logged(), expected);
}

#[test]
fn a_client_that_stays_to_the_end_has_not_left() {
    let pieces = test::call_and_leave::<route::Route>(request("PATCH", "/after/x"), 2);
    assert_eq!(pieces, ["a", "b"]);
    assert_eq!(logged(), ["aborted: false"]);
}
