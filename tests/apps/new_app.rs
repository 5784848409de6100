//! A newcomer's first minutes: a new app, a route more, and what was written by hand stays.

use std::fs;
use std::path::Path;

use crate::support::{Served, turn, waypost};

#[test]
fn a_new_app_grows_a_route() {
    let _turn = turn();
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
    nothing_is_compiled_twice(&app);
    a_mistake_is_told_once(&app);
}

/// A build compiles for this machine, and a server finds it.
fn nothing_is_compiled_twice(app: &Path) {
    let build = |arg: &str| {
        let args = ["build", "--cache-dir", "code", arg];
        let args = args.iter().filter(|arg| !arg.is_empty());
        let output = waypost(app).args(args).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{stderr}");
        stderr
    };
    build("--no-compile");
    assert!(!app.join("code").exists());
    let said = build("");
    assert!(said.contains("Compiled 3 of 3 components"), "{said}");
    let said = build("");
    assert!(!said.contains("Compiled"), "{said}");
    let up = ["up", "--no-build", "--cache-dir", "code"];
    let served = Served::start(waypost(app).args(up).args(["--listen", "localhost:0"]));
    assert_eq!(served.get("/hello", "").status, 200);
    assert_eq!(served.get("/items/one", "").status, 200);
    assert_eq!(compiled(&app.join("code")), 3);
    assert!(
        !app.join(".waypost").exists(),
        "code is not kept in the app"
    );
}

/// Returns how many components are in a code cache.
fn compiled(cache: &Path) -> usize {
    let files = fs::read_dir(cache).unwrap();
    let paths = files.map(|file| file.unwrap().path());
    paths
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "code")
        })
        .count()
}

/// A route that does not compile: the compiler's own message, then the name of the route.
fn a_mistake_is_told_once(app: &std::path::Path) {
    let route = app.join("handlers/hello/route.rs");
    fs::write(
        &route,
        "async fn get() -> u8 { 1 }\nwaypost::export!(get);\n",
    )
    .unwrap();
    let output = waypost(app).arg("build").output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert_eq!(
        stderr.matches("a handler can't return `u8`").count(),
        1,
        "{stderr}"
    );
    let last = stderr.split("error: the route").last().unwrap();
    assert!(
        last.contains("/hello") && last.contains("does not compile"),
        "{stderr}"
    );
    assert!(!stderr.contains("panicked"), "{stderr}");
}
