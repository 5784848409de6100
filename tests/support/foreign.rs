//! Components that other tools make: plain Rust, Python and JavaScript, each from `tests/languages`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::checkout;

/// The versions that were tried; `docs/other-languages.md` names them too.
const COMPONENTIZE_PY: &str = "componentize-py==0.25.1";
const JCO: &str = "@bytecodealliance/jco@1.30.0";

/// In the environment, it makes a missing tool a failure.
const REQUIRE: &str = "WAYPOST_REQUIRE_LANGUAGES";

/// Says why a language is not tried, or fails where all are required.
pub fn skip(language: &str, reason: &str) {
    assert!(
        std::env::var_os(REQUIRE).is_none(),
        "no component of {language}: {reason}"
    );
    eprintln!("not tried with {language}: {reason}");
}

/// Builds a component of plain Rust.
pub fn rust(name: &str) -> PathBuf {
    let target = checkout().join("target/languages/rust");
    let status = Command::new(env!("CARGO"))
        .args(["build", "--release", "--quiet", "--locked"])
        .args(["--target", "wasm32-wasip2", "--target-dir"])
        .arg(&target)
        .current_dir(sources())
        .status()
        .unwrap();
    assert!(status.success(), "the components in Rust do not build");
    target.join(format!("wasm32-wasip2/release/{name}.wasm"))
}

/// Makes a component of WASI 0.3 from Python, with `componentize-py` from PyPI; `Err` says what is missing.
pub fn python() -> Result<PathBuf, String> {
    let folder = work("python", &[COMPONENTIZE_PY, &text("python/route.py")])?;
    let component = folder.join("route.wasm");
    if component.is_file() {
        return Ok(component);
    }
    let tool = folder.join("venv/bin/componentize-py");
    if !tool.is_file() {
        tried(
            Command::new("python3")
                .args(["-m", "venv"])
                .arg(folder.join("venv")),
        )?;
        tried(Command::new(folder.join("venv/bin/pip")).args([
            "install",
            "--quiet",
            COMPONENTIZE_PY,
        ]))?;
    }
    let wit = folder.join("wit");
    copy_wit(&checkout().join("wit/deps"), &wit.join("deps"), |text| text);
    let world = "package app:route;\nworld route {\n  include wasi:http/service@0.3.0;\n}\n";
    fs::write(wit.join("route.wit"), world).unwrap();
    fs::copy(sources().join("python/route.py"), folder.join("route.py")).unwrap();
    let mut command = Command::new(&tool);
    command.args([
        "--quiet",
        "-d",
        "wit",
        "-w",
        "route",
        "componentize",
        "route",
    ]);
    must(command.args(["-o", "new.wasm"]).current_dir(&folder));
    fs::rename(folder.join("new.wasm"), &component).unwrap();
    Ok(component)
}

/// Makes a component of WASI 0.2 from JavaScript, with `jco` from npm; `Err` says what is missing.
pub fn javascript() -> Result<PathBuf, String> {
    let folder = work("javascript", &[JCO, &text("javascript/route.js")])?;
    let component = folder.join("route.wasm");
    if component.is_file() {
        return Ok(component);
    }
    let tool = folder.join("node_modules/.bin/jco");
    if !tool.is_file() {
        fs::write(folder.join("package.json"), "{}\n").unwrap();
        let mut npm = Command::new("npm");
        npm.args(["install", "--silent", "--no-audit", "--no-fund", JCO]);
        tried(npm.current_dir(&folder))?;
    }
    // The engine inside is made for this patch version, and takes no other in the world.
    let older = |text: String| text.replace("0.2.12", "0.2.10");
    let wit = folder.join("wit");
    copy_wit(&checkout().join("wit/wasi-0.2"), &wit.join("deps"), older);
    for unused in ["cli", "filesystem", "random", "sockets"] {
        fs::remove_file(wit.join(format!("deps/{unused}.wit"))).unwrap();
    }
    let http = wit.join("deps/http.wit");
    let interfaces = fs::read_to_string(&http).unwrap();
    let worlds = interfaces
        .find("/// The `wasi:http/imports` world")
        .unwrap();
    fs::write(&http, &interfaces[..worlds]).unwrap();
    let world =
        "package app:route;\nworld route {\n  export wasi:http/incoming-handler@0.2.10;\n}\n";
    fs::write(wit.join("route.wit"), world).unwrap();
    fs::copy(
        sources().join("javascript/route.js"),
        folder.join("route.js"),
    )
    .unwrap();
    let mut command = Command::new(&tool);
    command.args(["componentize", "route.js", "--wit", "wit", "-n", "route"]);
    must(command.args(["-o", "new.wasm"]).current_dir(&folder));
    fs::rename(folder.join("new.wasm"), &component).unwrap();
    Ok(component)
}

fn sources() -> PathBuf {
    checkout().join("tests/languages")
}

fn text(source: &str) -> String {
    fs::read_to_string(sources().join(source)).unwrap()
}

/// The folder of a language. What was made there stays while what it is made from does.
fn work(language: &str, from: &[&str]) -> Result<PathBuf, String> {
    let folder = checkout().join("target/languages").join(language);
    let made_from = folder.join("made-from");
    let from = from.join("\n");
    if fs::read_to_string(&made_from).is_ok_and(|old| old == from) {
        return Ok(folder);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| error.to_string())?;
    }
    fs::create_dir_all(&folder).unwrap();
    fs::write(made_from, from).unwrap();
    Ok(folder)
}

fn copy_wit(from: &Path, to: &Path, edit: impl Fn(String) -> String) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let file = entry.unwrap().path();
        let text = fs::read_to_string(&file).unwrap();
        fs::write(to.join(file.file_name().unwrap()), edit(text)).unwrap();
    }
}

/// Runs what needs a tool of the machine, or a registry.
fn tried(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("{command:?}: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!(
            "{command:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        )),
    }
}

/// Runs a tool that is there.
fn must(command: &mut Command) {
    tried(command).unwrap_or_else(|reason| panic!("{reason}"));
}
