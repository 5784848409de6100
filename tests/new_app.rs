//! A newcomer's first minutes: a new app, a route more, and what was written by hand stays.

mod support;

use std::fs;

use support::{Served, waypost};

#[test]
fn a_new_app_grows_a_route() {
    let folder = tempfile::tempdir().unwrap();
    let run = |args: &[&str], within: &std::path::Path| {
        let output = waypost(within).args(args).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(
            output.status.success(),
            "{args:?}: {}",
            text(&output.stderr)
        );
        text(&output.stdout)
    };
    run(&["new", "demo"], folder.path());
    let app = folder.path().join("demo");

    // What a person writes into the manifest stays as it is.
    let manifest = app.join("spin.toml");
    let by_hand = "\n# Mine.\n[variables]\ngreeting = { default = \"hi\" }  # for later\n";
    fs::write(&manifest, fs::read_to_string(&manifest).unwrap() + by_hand).unwrap();

    run(&["add", "items/[slug]", "--method", "get,post"], &app);
    let served = Served::up(&app);
    assert_eq!(served.get("/hello", "").status, 200);
    let item = served.get("/items/one", "");
    assert_eq!(item.status, 200, "{}", item.text());
    assert_eq!(served.request("POST", "/items/one", "", b"").status, 200);
    assert_eq!(served.request("PUT", "/items/one", "", b"").status, 405);
    assert_eq!(served.stop("INT"), 0);

    let written = fs::read_to_string(&manifest).unwrap();
    assert!(
        written.contains(by_hand.trim_start_matches('\n')),
        "{written}"
    );
    run(&["build", "--check"], &app);
    let table = run(&["routes"], &app);
    assert!(
        table.contains("/items/[slug]") && table.contains("GET"),
        "{table}"
    );
}
