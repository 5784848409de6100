//! Routes that Waypost did not compile: `route.wasm`, from plain Rust always, and from Python and JavaScript
//! where their tools are to be had.
//!
//! All of them answer alike (`tests/languages`): 201, the method and the target in headers, the body as it came.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Served, foreign, turn, waypost};

/// A new app whose route `/hello` is Rust, and the folder that it is in.
fn app() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["new", "demo"]);
    let app = folder.path().join("demo");
    (folder, app)
}

/// Runs a command that succeeds, and returns what it prints.
fn run(folder: &Path, args: &[&str]) -> String {
    let (is_success, stdout, stderr) = attempt(folder, args);
    assert!(is_success, "{args:?}: {stderr}");
    stdout
}

fn attempt(folder: &Path, args: &[&str]) -> (bool, String, String) {
    let output = waypost(folder).args(args).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.success(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

fn put(app: &Path, folder: &str, component: &Path) {
    let folder = app.join("handlers").join(folder);
    fs::create_dir_all(&folder).unwrap();
    fs::copy(component, folder.join("route.wasm")).unwrap();
}

/// One after the other: apps of one name share their target folder.
#[test]
fn components_made_elsewhere_are_routes() {
    // Their tools take minutes, and nothing is measured: other tests run meanwhile.
    foreign::rust("rust03");
    let made = [
        ("python/[id]", "Python", foreign::python()),
        ("javascript/[id]", "JavaScript", foreign::javascript()),
    ];
    let _turn = turn();
    components_of_both_versions();
    python_and_javascript(&made);
    a_composition_of_as_many_as_there_can_be();
}

/// As many routes as one component holds; and one more.
fn a_composition_of_as_many_as_there_can_be() {
    let (_folder, app) = app();
    let rust = foreign::rust("rust03");
    for index in 1..98 {
        put(&app, &format!("r{index}"), &rust);
    }
    let composition = app.join("app.wasm");
    let (is_success, _, said) = attempt(&app, &["compose", "-o", "app.wasm"]);
    assert!(is_success, "{said}");
    let served =
        Served::start(waypost(&app).args(["serve", "--listen", "127.0.0.1:0", "app.wasm"]));
    assert_eq!(served.get("/hello", "").status, 200);
    answers(&served, "/r1", "Rust 0.3");
    answers(&served, "/r97", "Rust 0.3");
    assert_eq!(served.get("/r98", "").status, 404);
    assert_eq!(served.stop("TERM"), 0);

    fs::remove_file(&composition).unwrap();
    put(&app, "r98", &rust);
    let (is_success, _, said) = attempt(&app, &["compose", "-o", "app.wasm"]);
    assert!(!is_success && !composition.exists());
    assert!(
        said.contains("1 to 98 routes, and this app has more"),
        "{said}"
    );
    assert!(said.contains("--only /some/path"), "{said}");
    run(&app, &["compose", "--except", "/r98", "-o", "app.wasm"]);
    let (is_success, _, said) = attempt(&app, &["compose", "--only", "/none"]);
    assert!(
        !is_success && said.contains("no route is at or below `/none`"),
        "{said}"
    );
}

fn components_of_both_versions() {
    let (_folder, app) = app();
    put(&app, "legacy/[[...path]]", &foreign::rust("rust02"));
    put(&app, "next/[id]", &foreign::rust("rust03"));
    run(&app, &["check"]);
    let served = Served::up(&app);
    answers(&served, "/legacy/a/b", "Rust 0.2");
    answers(&served, "/legacy", "Rust 0.2");
    answers(&served, "/next/7", "Rust 0.3");
    for path in ["/legacy", "/next/7"] {
        let reply = served.get(path, "X-Forwarded-Host: evil\r\n");
        assert_eq!(reply.all("x-host"), ["test.example"], "{path}");
    }

    // The rest is as for other routes.
    assert_eq!(served.get("/hello", "").status, 200);
    assert_eq!(served.request("PUT", "/hello", "", b"").status, 405);
    assert_eq!(served.get("/next", "").status, 404);
    let redirect = served.get("/next/7/?a=b", "");
    assert_eq!(redirect.header("location"), Some("/next/7?a=b"));
    let table = fs::read_to_string(app.join("router/routes.txt")).unwrap();
    assert!(table.contains("next-id ? /next/[id]\n"), "{table}");
    assert!(run(&app, &["routes"]).contains("?        /next/[id]"));
    run(&app, &["build", "--check"]);

    a_new_version_is_served(&app, &served);
    assert_eq!(served.stop("TERM"), 0);
    a_composition_has_one_version(&app);
    a_source_takes_its_place(&app);
}

/// What every one of the components answers, whatever the method.
fn answers(served: &Served, path: &str, language: &str) {
    let target = format!("{path}?a=%C3%BC&b=1");
    for method in [
        "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW", "GET",
    ] {
        let body = if method == "GET" { "" } else { "hello" };
        let reply = served.request(method, &target, "", body.as_bytes());
        assert_eq!(reply.status, 201, "{method} {target}: {reply:?}");
        assert_eq!(reply.header("x-language"), Some(language), "{method}");
        assert_eq!(reply.header("x-method"), Some(method), "{reply:?}");
        assert_eq!(reply.header("x-target"), Some(target.as_str()));
        assert_eq!(reply.text(), body, "{method}");
    }
    let head = served.request("HEAD", &target, "", b"");
    assert_eq!((head.status, head.header("x-method")), (201, Some("HEAD")));
    assert_eq!(head.text(), "");
    let long = vec![b'x'; 300_000];
    assert!(served.request("POST", path, "", &long).body == long);
}

/// A file that changes is swapped in, as that of other routes is.
fn a_new_version_is_served(app: &Path, served: &Served) {
    let beside = app.join("new.wasm");
    fs::copy(foreign::rust("rust03"), &beside).unwrap();
    fs::rename(&beside, app.join("handlers/legacy/[[...path]]/route.wasm")).unwrap();
    let language = || {
        let reply = served.get("/legacy", "");
        assert_eq!(reply.status, 201, "a request was lost");
        reply.header("x-language").unwrap().to_owned()
    };
    let start = std::time::Instant::now();
    while language() != "Rust 0.3" {
        assert!(start.elapsed().as_secs() < 60, "the old version stays");
    }
}

fn a_composition_has_one_version(app: &Path) {
    put(app, "legacy/[[...path]]", &foreign::rust("rust02"));
    let (is_success, _, stderr) = attempt(app, &["compose"]);
    assert!(!is_success);
    let fault = "error: a handler of WASI 0.2 in a composition of WASI 0.3\n  \
                 --> handlers/legacy/[[...path]]/route.wasm\n";
    assert!(stderr.contains(fault), "{stderr}");
    fs::remove_dir_all(app.join("handlers/legacy")).unwrap();
    run(app, &["compose", "-o", "app.wasm"]);
    let mut command = waypost(app);
    let served = Served::start(command.args(["serve", "--listen", "127.0.0.1:0", "app.wasm"]));
    answers(&served, "/next/7", "Rust 0.3");
    assert_eq!(served.get("/hello", "").status, 200);
}

/// A route may be written in Rust one day: what its component was granted stays.
fn a_source_takes_its_place(app: &Path) {
    let manifest = app.join("spin.toml");
    let source = "source = \"handlers/next/[id]/route.wasm\"\n";
    let text = fs::read_to_string(&manifest).unwrap();
    assert!(text.contains(source), "{text}");
    assert!(!text.contains("legacy"), "{text}");
    let granted = text.replace(
        source,
        &format!("{source}key_value_stores = [\"default\"]\n"),
    );
    fs::write(&manifest, granted).unwrap();
    fs::remove_file(app.join("handlers/next/[id]/route.wasm")).unwrap();
    run(app, &["add", "next/[id]"]);
    run(app, &["build"]);
    let text = fs::read_to_string(&manifest).unwrap();
    assert!(text.contains("key_value_stores"), "{text}");
    assert!(text.contains("release/next_id.wasm"), "{text}");
    assert!(!text.contains("[id]/route.wasm"), "{text}");
}

/// The folders of routes, their languages and their components.
fn python_and_javascript(made: &[(&str, &str, Result<PathBuf, String>)]) {
    let (_folder, app) = app();
    for (folder, language, component) in made {
        match component {
            Ok(component) => put(&app, folder, component),
            Err(reason) => foreign::skip(language, reason),
        }
    }
    let served = Served::up(&app);
    for (folder, language, component) in made {
        if component.is_ok() {
            answers(
                &served,
                &format!("/{}", folder.replace("[id]", "7")),
                language,
            );
        }
    }
    assert_eq!(served.get("/hello", "").status, 200);
}
