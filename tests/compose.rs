//! The example app as one component, on hosts of plain WASI HTTP: Waypost's, and Wasmtime's where it is
//! installed.

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use support::{Served, checkout, example_app, waypost};

#[test]
fn one_component_answers_as_the_app_does() {
    for wasi in ["0.3", "0.2"] {
        let folder = tempfile::tempdir().unwrap();
        let component = compose(wasi, folder.path());
        let mut command = waypost(&checkout());
        command.args(["serve", "--listen", "127.0.0.1:0"]);
        let app = Served::start(command.arg(&component));
        example_app::answers(&app);
        the_inside_is_out_of_reach(&app);
        match wasmtime() {
            Some(wasmtime) => on_wasmtime(&wasmtime, &component),
            None => eprintln!("not tried with Wasmtime's own command: there is none on the PATH"),
        }
    }
}

fn compose(wasi: &str, folder: &Path) -> PathBuf {
    let component = folder.join("app.wasm");
    let mut command = waypost(&checkout());
    command.args(["compose", "--wasi", wasi, "--output"]);
    let output = command.arg(&component).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("`wasmtime serve` has room for"), "{said}");
    component
}

/// A composition holds the handlers: no request names one of them as on a host that chains.
fn the_inside_is_out_of_reach(app: &Served) {
    let request = "GET /hello HTTP/1.1\r\nHost: items-slug.spin.internal\r\nX-Forwarded-Host: evil\r\n\
                   Connection: close\r\n\r\n";
    assert_eq!(app.send(request).text(), "Hello, Waypost!");
}

/// Plain `wasmtime serve`, with no flag that grants anything.
fn on_wasmtime(wasmtime: &Path, component: &Path) {
    // It says on stderr where it listens.
    let serve = "exec \"$0\" serve --addr 127.0.0.1:0 \"$1\" 2>&1";
    let mut command = Command::new("sh");
    command.args(["-c", serve]).arg(wasmtime);
    let app = Served::start(command.arg(component));
    example_app::answers(&app);
}

fn wasmtime() -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    let mut files = std::env::split_paths(&folders).map(|folder| folder.join("wasmtime"));
    files.find(|file| file.is_file())
}
