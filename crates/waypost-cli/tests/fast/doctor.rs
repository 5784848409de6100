//! The doctor on machines made of scripts: `PATH` has nothing but them.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// A folder of programs that print, by name.
fn machine(folder: &Path, programs: &[(&str, &str)]) {
    for (name, script) in programs {
        let file = folder.join(name);
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

/// A `rustc` that has the target of WASI 0.3 and no other.
const RUSTC: &str = "case $4 in \
    wasm32-wasip2) echo / ;; \
    wasm32-wasip1) echo /not-there ;; \
    *) echo 'rustc 1.99.0 (abc 2026-01-01)' ;; esac";

const SOUND: [(&str, &str); 3] = [
    ("cargo", "echo 'cargo 1.99.0'"),
    ("cc", "echo 'cc (Debian 12.2.0-14) 12.2.0'"),
    ("rustup", "echo 'rustup 1.29.0'; echo 'info: noise' >&2"),
];

fn doctor(machine: &Path, folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_waypost"))
        .arg("doctor")
        .args(args)
        .current_dir(folder)
        .env_clear()
        .env("PATH", machine)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The line of a table that begins with a name, its columns separated by single spaces.
fn line(output: &Output, name: &str) -> String {
    let stdout = text(&output.stdout);
    let line = stdout.lines().find(|line| line.starts_with(name));
    let line = line.unwrap_or_else(|| panic!("no line of {name} in\n{stdout}"));
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_bare_machine_is_told_what_to_install() {
    let folder = tempfile::tempdir().unwrap();
    machine(folder.path(), &SOUND[..1]);
    let output = doctor(folder.path(), folder.path(), &[]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        text(&output.stderr),
        "error: `rustc` is missing\n  hint: install Rust with rustup (https://rustup.rs); \
         `rustup update` installs the newest version\n\
         error: `cc` is missing\n  hint: install a C compiler: `apt-get install gcc` on Debian, \
         `xcode-select --install` on macOS\n\
         error: the Rust target `wasm32-wasip2` is missing\n  hint: install Rust with rustup \
         (https://rustup.rs), or the target with your system's packages\n"
    );
    let cargo = folder.path().join("cargo");
    let expected = format!("cargo 1.99.0 builds apps {}", cargo.display());
    assert_eq!(line(&output, "cargo "), expected);
    for name in ["rustup", "spin", "wasmtime", "cargo-component"] {
        assert!(line(&output, name).contains("missing"), "{name}");
    }
    assert!(
        !text(&output.stdout).contains("COMPONENT"),
        "there is no app"
    );
}

#[test]
fn old_broken_and_hanging_tools_are_told_and_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    machine(folder.path(), &SOUND);
    machine(
        folder.path(),
        &[
            ("rustc", RUSTC),
            ("spin", "echo 'spin 4.0.2 (f1b7c4b 2026-05-01)'"),
            ("wasmtime", "printf '\\377\\0'; echo oops >&2; exit 3"),
            ("cargo-component", "exec /bin/sleep 60"),
        ],
    );
    let begin = Instant::now();
    let output = doctor(folder.path(), folder.path(), &[]);
    assert!(begin.elapsed() < Duration::from_secs(30), "it did not wait");
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert_eq!((output.status.code(), stderr.as_str()), (Some(0), ""));
    for (name, found) in [
        ("rustc", "1.99.0"),
        ("cc", "12.2.0"),
        ("rustup", "1.29.0"),
        ("spin", "4.0.2, too old"),
        ("wasmtime", "broken"),
        ("cargo-component", "no answer"),
        ("wasm32-wasip2", "yes"),
        ("wasm32-wasip1", "missing"),
    ] {
        let line = line(&output, &format!("{name} "));
        assert!(line.starts_with(&format!("{name} {found} ")), "{line}");
    }
    for expected in [
        "`spin` 4.0.2 is too old: 4.1 or later is needed\n  hint: ",
        "`wasmtime --version` fails: oops\n",
        "`cargo-component --version` does not end\n",
        "the Rust target `wasm32-wasip1` is missing\n  hint: a build installs it: ",
    ] {
        assert!(stdout.contains(expected), "{expected} is not in\n{stdout}");
    }
}

#[test]
fn an_old_rust_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    machine(folder.path(), &SOUND);
    machine(folder.path(), &[("rustc", "echo 'rustc 1.70.0'")]);
    let output = doctor(folder.path(), folder.path(), &[]);
    assert_eq!(output.status.code(), Some(1));
    let stderr = text(&output.stderr);
    assert!(
        stderr.starts_with("error: `rustc` 1.70.0 is too old: "),
        "{stderr}"
    );
}

/// An app in a folder, with a route that is built and one that is not.
fn app(folder: &Path) -> PathBuf {
    let shop = folder.join("shop");
    for (folder, command) in [
        (folder, ["new", "shop"]),
        (&shop, ["add", "counter"]),
        (&shop, ["add", "later"]),
    ] {
        let mut waypost = Command::new(env!("CARGO_BIN_EXE_waypost"));
        let output = waypost.args(command).current_dir(folder).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    let counter = r#"(component
        (import "spin:key-value/key-value@3.0.0" (instance))
        (import "wasi:http/types@0.3.0" (instance))
        (instance $handler)
        (export "wasi:http/handler@0.3.0" (instance $handler)))"#;
    let built = shop.join("target/wasm32-wasip2/release");
    fs::create_dir_all(&built).unwrap();
    fs::write(built.join("counter.wasm"), wat::parse_str(counter).unwrap()).unwrap();
    fs::write(built.join("router.wasm"), "no component").unwrap();
    shop
}

#[test]
fn an_app_is_judged_for_each_host() {
    let (tools, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    machine(tools.path(), &SOUND);
    let wasmtime = ("wasmtime", "echo 'wasmtime 48.0.8 (abc 2026-09-01)'");
    machine(tools.path(), &[("rustc", RUSTC), wasmtime]);
    let shop = app(folder.path());
    let output = doctor(tools.path(), &shop, &[]);
    assert_eq!(text(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
    for (name, expected) in [
        (
            "1      0.3",
            "1 0.3 1 kB WASI HTTP, spin:key-value/key-value@3.0.0 counter",
        ),
        ("2      ?", "2 ? not built hello, later"),
        (
            "1      ?",
            "1 ? 1 kB not a WebAssembly component, or a malformed one router",
        ),
        ("Waypost's host", "Waypost's host ? cargo waypost up"),
        ("wasmtime serve", "wasmtime serve no cargo waypost compose"),
    ] {
        assert_eq!(line(&output, name), expected);
    }
    let expected = "not on wasmtime serve, hosts of WASI 0.2: imports `spin:key-value/key-value@3.0.0` \
                    (`counter`)\n  hint: plain WASI HTTP does not have it: ";
    let stdout = text(&output.stdout);
    assert!(stdout.contains(expected), "{stdout}");
    assert!(stdout.contains("`cargo waypost build` builds components that are not built"));
}

#[test]
fn the_report_is_there_for_programs_too() {
    let (tools, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    machine(tools.path(), &SOUND);
    machine(tools.path(), &[("rustc", RUSTC)]);
    let shop = app(folder.path());
    let report = |args: &[&str]| -> serde_json::Value {
        let output = doctor(tools.path(), &shop, args);
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let inside = report(&["--json"]);
    assert_eq!(inside["tools"][0]["name"], "rustc");
    assert_eq!(inside["tools"][0]["version"], "1.99.0");
    let components = inside["app"]["components"].as_array().unwrap();
    let counter = components
        .iter()
        .find(|part| part["component"] == "counter");
    assert_eq!(
        counter.unwrap()["imports"],
        serde_json::json!(["spin:key-value/key-value@3.0.0", "wasi:http/types@0.3.0"])
    );
    assert_eq!(inside["hosts"][3]["verdict"], "no");
    let none = shop.join("handlers/none");
    let outside = doctor(tools.path(), tools.path(), &["--json"]);
    let outside: serde_json::Value = serde_json::from_slice(&outside.stdout).unwrap();
    assert!(outside["app"].is_null());
    let named = doctor(
        tools.path(),
        tools.path(),
        &["--app", none.to_str().unwrap()],
    );
    assert_eq!(
        named.status.code(),
        Some(1),
        "a folder that is named must be an app"
    );
}
