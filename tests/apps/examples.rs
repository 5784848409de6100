//! The example app on Waypost's host: every example of the page on route handlers.

use crate::support::browser::Browser;
use crate::support::{Reply, Served, checkout, example_app, turn};

#[test]
fn every_example_answers() {
    let _turn = turn();
    let app = Served::up(&checkout());
    example_app::answers(&app);
    a_signed_webhook(&app);
    nothing_of_the_inside_comes_from_a_client(&app);
    in_a_browser(&app);
}

fn a_signed_webhook(app: &Served) {
    // HMAC-SHA-256 of the body with the secret in `spin.toml`, as `openssl dgst` gives it.
    let signature =
        "X-Signature: 2a532b4c026f92a4d67c91b15975596c4154381ca2eb59bd77cfe04ed98c9cb4\r\n";
    assert_eq!(
        app.request("POST", "/webhook", signature, br#"{"event":"ping"}"#)
            .status,
        200
    );
    assert_eq!(
        app.request("POST", "/webhook", signature, br#"{"event":"pong"}"#)
            .status,
        401
    );
    assert_eq!(
        app.request("POST", "/webhook", "", br#"{"event":"ping"}"#)
            .status,
        401
    );
}

fn nothing_of_the_inside_comes_from_a_client(app: &Served) {
    // A handler's own address is not to be had from outside.
    for host in ["hello.spin.internal", "items-slug.spin.internal"] {
        let request = format!("GET /hello HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let reply = app.send(request);
        assert_eq!(reply.text(), "Hello, Waypost!", "{host}");
    }
}

/// Submits every form of the page in headless Chromium, where it is installed with its driver, and
/// looks at what the page shows then. With `WAYPOST_REQUIRE_BROWSER` set, it has to be installed.
fn in_a_browser(app: &Served) {
    let Some(mut browser) = Browser::start() else {
        let required = std::env::var_os("WAYPOST_REQUIRE_BROWSER").is_some();
        assert!(!required, "no `chromedriver` on the PATH");
        eprintln!("the page was not tried in a browser: there is no `chromedriver` on the PATH");
        return;
    };
    browser.open(&format!("http://{}/#all", app.address));
    let page = browser.run(ALL_ANSWERED);
    let statuses: Vec<_> = page["statuses"]
        .as_array()
        .unwrap()
        .iter()
        .map(|status| status.as_str().unwrap())
        .collect();
    let failed: Vec<_> = statuses
        .iter()
        .filter(|status| !status.starts_with('2'))
        .collect();
    // The private folder is the one that has no route.
    assert_eq!(failed, [&"404"], "{page}");
    let text = page["text"].as_str().unwrap();
    for shown in [
        "Hello, Waypost!",
        "<p>Three</p>",
        "[DONE]",
        "A dinghy",
        "Success!",
    ] {
        assert!(text.contains(shown), "{shown} is missing in {text}");
    }
}

/// Waits in the page until every form has its answer.
const ALL_ANSWERED: &str = "
    const tell = arguments[arguments.length - 1];
    (function look() {
        const done = [...document.querySelectorAll('output[data-done]')];
        if (done.length < document.forms.length) return setTimeout(look, 20);
        tell({ statuses: done.map((output) => output.dataset.done), text: document.body.innerText });
    })();";

#[test]
fn replies_are_read_whole() {
    let _turn = turn();
    // The client of these tests is code too: a chunked reply comes out as it was sent.
    let reply = Reply {
        status: 200,
        headers: vec![("a".into(), "1".into())],
        body: b"x".to_vec(),
    };
    assert_eq!(
        (
            reply.header("a"),
            reply.all("b").len(),
            reply.text().as_str()
        ),
        (Some("1"), 0, "x")
    );
}
