//! The example app as one component, on hosts of plain WASI HTTP: Waypost's, and Wasmtime's where it is
//! installed.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Served, alone, checkout, example_app, on_the_path, turn, waypost};

#[test]
fn one_component_answers_as_the_app_does() {
    alone::components();
    alone::modules();
    let _turn = turn();
    for wasi in ["0.3", "0.2"] {
        let folder = tempfile::tempdir().unwrap();
        let component = compose(wasi, folder.path());
        let mut command = waypost(&checkout());
        command.args(["serve", "--listen", "127.0.0.1:0"]);
        let app = Served::start(command.arg(&component));
        example_app::answers(&app);
        the_environment_is_inside(&app);
        the_inside_is_out_of_reach(&app);
        many_at_once(&app);
        match on_the_path("wasmtime") {
            Some(wasmtime) => on_wasmtime(&wasmtime, &component),
            None => eprintln!("not tried with Wasmtime's own command: there is none on the PATH"),
        }
    }
}

/// Whatever is written in `spin.toml` arrives, and nothing else.
#[test]
fn an_environment_arrives_as_it_is_written() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let new = waypost(folder.path()).args(["new", "demo"]).status();
    assert!(new.unwrap().success());
    let app = folder.path().join("demo");
    let route = "use waypost::Json;\n\nasync fn get() -> Json<Vec<(String, String)>> {\n    \
        Json(std::env::vars().collect())\n}\n\nwaypost::export!(get);\n";
    std::fs::write(app.join("handlers/hello/route.rs"), route).unwrap();
    let long = "x".repeat(70_000);
    let expected = [
        ("A", r#"a "quoted" \back\00 (text) ;; $x"#),
        ("EMPTY", ""),
        ("LONG", &long),
        ("Ü", "süß ✓ =\n"),
    ];
    let variables = toml::Table::from_iter(
        expected.map(|(name, value)| (name.to_owned(), toml::Value::from(value))),
    );
    let manifest = app.join("spin.toml");
    let text = std::fs::read_to_string(&manifest).unwrap();
    let environment = format!("\n[component.hello.environment]\n{variables}");
    std::fs::write(&manifest, text + &environment).unwrap();
    let settings = app.join("waypost.toml");
    std::fs::write(&settings, "[limits]\nmemory = \"64 MiB\"\n").unwrap();
    for wasi in ["0.3", "0.2"] {
        let mut command = waypost(&app);
        let output = command.args(["compose", "--wasi", wasi, "-o", "app.wasm"]);
        let output = output.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        assert!(said.contains("a composition has no limits"), "{said}");
        let mut command = waypost(&app);
        command.args(["serve", "--listen", "127.0.0.1:0", "app.wasm"]);
        let reply = Served::start(&mut command).get("/hello", "");
        let found: Vec<(String, String)> = serde_json::from_slice(&reply.body).unwrap();
        let mut found: Vec<_> = found
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect();
        found.sort_unstable();
        assert_eq!(found, expected, "WASI {wasi}");
    }
}

fn compose(wasi: &str, folder: &Path) -> PathBuf {
    let component = folder.join("app.wasm");
    let mut command = waypost(&checkout());
    command.args(["compose", "--wasi", wasi, "--output"]);
    let output = command.arg(&component).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    // With the shims of its 22 routes still there, there would be room for 8 or 9.
    let (_, room) = said.split_once("`wasmtime serve` has room for ").unwrap();
    let room: u32 = room.split(' ').next().unwrap().parse().unwrap();
    assert!(wasi == "0.2" || room >= 12, "{said}");
    assert!(!said.contains("spin.toml"), "{said}");
    // A new Rust toolchain may make components of another shape; `crates/waypost-compact/README.md` says what to do.
    let is_compacted = !said.contains("without compaction");
    assert_eq!(is_compacted, wasi == "0.3", "{said}");
    component
}

/// A signature by the secret in the environment of `webhook`: of "hello", with "not-so-secret".
fn the_environment_is_inside(app: &Served) {
    let signature =
        "X-Signature: 00dc4292d30100568118d4f96c6326536e4e49ff822375f7407c20ec67f6136e\r\n";
    let reply = app.request("POST", "/webhook", signature, b"hello");
    assert_eq!((reply.status, reply.text().as_str()), (200, "Success!"));
    let unsigned = app.request("POST", "/webhook", signature, b"hallo");
    assert_eq!(unsigned.status, 401);
}

/// A composition has no addresses of its own: a client that names one would speak for the router.
fn the_inside_is_out_of_reach(app: &Served) {
    let request = "GET /hello HTTP/1.1\r\nHost: items-slug.spin.internal\r\nX-Forwarded-Host: evil\r\n\
                   Connection: close\r\n\r\n";
    assert_eq!(app.send(request).status, 400);
}

/// More at once than a route of an app takes: here all routes are one component.
fn many_at_once(app: &Served) {
    std::thread::scope(|scope| {
        let ask = || app.get("/chat?prompt=tea", "").status;
        let asked: Vec<_> = (0..120).map(|_| scope.spawn(ask)).collect();
        for reply in asked {
            assert_eq!(reply.join().unwrap(), 200);
        }
    });
}

/// Plain `wasmtime serve`, with no flag that grants anything.
fn on_wasmtime(wasmtime: &Path, component: &Path) {
    // It says on stderr where it listens.
    let serve = "exec \"$0\" serve --addr 127.0.0.1:0 \"$1\" 2>&1";
    let mut command = Command::new("sh");
    command.args(["-c", serve]).arg(wasmtime);
    let app = Served::start(command.arg(component));
    example_app::answers(&app);
    the_environment_is_inside(&app);
}
