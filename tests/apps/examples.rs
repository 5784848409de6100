//! The example app on Waypost's host: every example of the page on route handlers.

use crate::support::browser::Browser;
use crate::support::{Reply, Served, checkout, example_app, turn, waypost};

#[test]
fn every_example_answers() {
    let _turn = turn();
    let mut up = waypost(&checkout());
    let app = Served::start(up.args(["up", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]));
    example_app::answers(&app);
    a_signed_webhook(&app);
    nothing_of_the_inside_comes_from_a_client(&app);
    posts_are_cached(&app);
    in_a_browser(&app);
}

/// The headers and times that the page `/posts/live` shows.
fn posts_are_cached(app: &Served) {
    let ask = || {
        let posts = app.get("/posts", "");
        let outcome = posts.header("x-waypost-cache").map(str::to_owned);
        (outcome.unwrap_or_default(), posts.text())
    };
    assert_eq!(app.request("POST", "/posts", "", b"").status, 204);
    let (outcome, first) = ask();
    assert_eq!(outcome, "MISS");
    assert_eq!(ask(), ("HIT".to_owned(), first.clone()));
    assert!(app.get("/posts", "").header("age").is_some());
    assert_eq!(app.request("POST", "/posts", "", b"").status, 204);
    let (outcome, second) = ask();
    assert_eq!(outcome, "MISS");
    assert_ne!(first, second);
    // An operator sees it, and revalidates it from outside.
    let admin = app.admin.unwrap().to_string();
    let cache = |args: &[&str]| {
        let mut command = waypost(&checkout());
        let output = command
            .arg("cache")
            .args(args)
            .args(["--admin", &admin])
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        assert!(
            output.status.success(),
            "{args:?}: {}",
            text(&output.stderr)
        );
        text(&output.stdout)
    };
    let list = cache(&["ls", "--prefix", "/posts"]);
    let line = list.lines().nth(1).unwrap_or_else(|| panic!("{list}"));
    let words: Vec<_> = line.split_whitespace().collect();
    assert_eq!(words[1..3], ["200", "fresh"], "{list}");
    assert!(line.ends_with("/posts  posts"), "{list}");
    let lines_of = |text: String| -> Vec<String> {
        let lines = text
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>());
        lines.map(|words| words.join(" ")).collect()
    };
    let shown = lines_of(cache(&["show", "/posts"]));
    for line in [
        "route /posts",
        "expire 1h",
        "content-type: application/json",
    ] {
        assert!(
            shown.iter().any(|shown| shown == line),
            "{line} in {shown:?}"
        );
    }
    let names = ["--tag", "posts", "--expire", "--below", "/nowhere"];
    let revalidated = lines_of(cache(&[&["revalidate"], &names[..]].concat()));
    assert_eq!(
        revalidated,
        [
            "REVALIDATED RESPONSES",
            "below:/nowhere (expired) 0",
            "tag:posts (expired) 1"
        ]
    );
    assert_eq!(ask().0, "MISS");
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
    the_live_page(app, &mut browser);
}

/// Shows the page about the cached route, and presses its button.
fn the_live_page(app: &Served, browser: &mut Browser) {
    browser.open(&format!("http://{}/posts/live", app.address));
    let shown = browser.run(MISS_AFTER_BUTTON);
    let outcomes: Vec<_> = shown.as_array().unwrap().iter().collect();
    assert!(outcomes.contains(&&"HIT".into()), "{shown}");
    assert!(outcomes.contains(&&"MISS".into()), "{shown}");
}

/// Waits in the page for a `HIT`, presses the button, and waits for the `MISS`.
const MISS_AFTER_BUTTON: &str = "
    const tell = arguments[arguments.length - 1];
    const shown = () => [...document.querySelectorAll('tbody td:first-child')].map((cell) => cell.textContent);
    (function hit() {
        if (!shown().includes('HIT')) return setTimeout(hit, 20);
        document.forms[0].requestSubmit();
        (function miss() {
            const before = shown().indexOf('MISS');
            if (before < 0 || before > shown().indexOf('HIT')) return setTimeout(miss, 20);
            tell(shown());
        })();
    })();";

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
