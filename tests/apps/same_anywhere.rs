//! A component is the same whoever builds it and whatever stands beside it, and the copy of an app that the pages on deployment make
//! serves like the app.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::{Served, checkout, run, turn, waypost};

#[test]
fn a_component_is_the_same_alone_and_beside_others() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let app = new_app(folder.path());
    run(waypost(&app).args(["build", "--no-compile"]));
    let component = app.join("target/wasm32-wasip2/release/hello.wasm");
    let alone = fs::read(&component).unwrap();

    // A route that asks for more of a dependency.
    run(waypost(&app).args(["add", "other"]));
    let manifest = app.join("handlers/other/Cargo.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    let more = text.replace(
        "waypost.workspace = true",
        "waypost = { workspace = true, features = [\"tower\"] }",
    );
    assert_ne!(text, more);
    fs::write(&manifest, more).unwrap();
    run(waypost(&app).args(["build", "--no-compile"]));
    assert!(fs::read(&component).unwrap() == alone, "`hello` changed");

    // Cargo alone, as `spin build` runs it, has nothing left to do.
    for route in ["hello", "other"] {
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .args(["build", "--release", "--target", "wasm32-wasip2"])
            .args(["--manifest-path", &format!("handlers/{route}/Cargo.toml")])
            .current_dir(&app)
            .env("CARGO_TARGET_DIR", checkout().join("target/apps"));
        let said = run(&mut cargo);
        assert!(!said.contains("Compiling"), "{said}");
    }
}

#[test]
fn a_copy_as_the_pages_make_it_serves_with_its_files() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let app = new_app(folder.path());
    let route = "async fn get() -> waypost::Result<String> {\n    \
        Ok(std::fs::read_to_string(\"/assets/note.txt\")?)\n}\n\nwaypost::export!(get);\n";
    fs::write(app.join("handlers/hello/route.rs"), route).unwrap();
    let spin = app.join("spin.toml");
    let granted =
        "[component.hello]\nfiles = [{ source = \"assets\", destination = \"/assets\" }]\n";
    let text = fs::read_to_string(&spin).unwrap();
    fs::write(&spin, text.replace("[component.hello]\n", granted)).unwrap();
    fs::create_dir(app.join("assets")).unwrap();
    fs::write(app.join("assets/note.txt"), "noted").unwrap();
    run(waypost(&app).args(["build", "--no-compile"]));

    for page in ["systemd", "container"] {
        let copy = tempfile::tempdir().unwrap();
        for name in copied(page) {
            cp(&app.join(name), copy.path());
        }
        let components = copy.path().join("target/wasm32-wasip2");
        fs::create_dir_all(&components).unwrap();
        cp(&app.join("target/wasm32-wasip2/release"), &components);

        let up = ["up", "--no-build", "--listen", "127.0.0.1:0"];
        let served = Served::start(waypost(copy.path()).args(up));
        served.logged("assets");
        for _ in 0..2 {
            let reply = served.get("/hello", "");
            assert_eq!(reply.status, 500, "{page}");
            served.logged(reply.header("x-request-id").unwrap());
        }
        cp(&app.join("assets"), copy.path());
        // The host looks again after half a second.
        let start = Instant::now();
        while served.get("/hello", "").text() != "noted" {
            assert!(start.elapsed() < Duration::from_secs(30), "{page}");
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(served.stop("INT"), 0);
    }
}

fn new_app(folder: &Path) -> std::path::PathBuf {
    run(waypost(folder).args(["new", "demo"]));
    folder.join("demo")
}

/// Returns what a page on deployment copies of an app.
fn copied(page: &str) -> Vec<String> {
    let page = checkout()
        .join("docs/deploy")
        .join(page)
        .with_extension("md");
    let page = fs::read_to_string(page).unwrap();
    let names = page.split_once("cp -r Cargo.toml").unwrap().1;
    let names = names
        .split_whitespace()
        .take_while(|word| !word.starts_with('/'));
    names.chain(["Cargo.toml"]).map(str::to_owned).collect()
}

fn cp(from: &Path, to: &Path) {
    run(Command::new("cp").arg("-r").arg(from).arg(to));
}
