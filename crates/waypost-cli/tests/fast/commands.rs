//! Whole commands: `tests/commands/<case>` has the arguments in `cmd`, the folder it runs in as
//! `in`, and what comes of it: `stdout`, `stderr`, `code` (where not 0), and `out` with the files
//! that are new or changed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::support::{cases, compare, copy, fixtures, settle, snapshot, write};

fn waypost(folder: &Path, args: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_waypost"))
        .args(args.split_whitespace())
        .current_dir(folder)
        .env_remove("RUST_LOG")
        .output()
        .unwrap()
}

/// The text with the folder of this run as `[DIR]`.
fn text(bytes: &[u8], folder: &Path) -> String {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    text.replace(folder.to_str().unwrap(), "[DIR]")
}

fn run(case: &Path) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    // The temporary folder can be a link, and the command sees where it leads.
    let folder = folder.path().canonicalize().unwrap().join("work");
    copy(&case.join("in"), &folder);
    let before = snapshot(&folder);
    let output = waypost(&folder, &fs::read_to_string(case.join("cmd")).unwrap());
    let code = output.status.code().expect("the command ended by itself");
    let code = if code == 0 {
        String::new()
    } else {
        format!("{code}\n")
    };
    let changed = changed(&before, snapshot(&folder));
    let mut differences = Vec::new();
    differences.extend(compare(
        &case.join("stdout"),
        &text(&output.stdout, &folder),
    ));
    differences.extend(compare(
        &case.join("stderr"),
        &text(&output.stderr, &folder),
    ));
    differences.extend(compare(&case.join("code"), &code));
    differences.extend(compare_files(&case.join("out"), &changed));
    differences
}

fn changed(
    before: &BTreeMap<String, String>,
    mut after: BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    after.retain(|file, text| before.get(file) != Some(text));
    after
}

fn compare_files(out: &Path, found: &BTreeMap<String, String>) -> Vec<String> {
    if std::env::var_os("WAYPOST_BLESS").is_some() {
        if out.exists() {
            fs::remove_dir_all(out).unwrap();
        }
        found
            .iter()
            .for_each(|(file, text)| write(&out.join(file), text));
        return Vec::new();
    }
    let mut expected = match out.exists() {
        true => snapshot(out),
        false => BTreeMap::new(),
    };
    let mut differences = Vec::new();
    for (file, text) in found {
        expected.remove(file);
        differences.extend(compare(&out.join(file), text));
    }
    let missing = expected.into_keys();
    differences
        .extend(missing.map(|file| format!("== {} was not written", out.join(file).display())));
    differences
}

#[test]
fn commands_say_and_write_what_is_expected() {
    settle(
        cases(&fixtures("commands"))
            .iter()
            .flat_map(|case| run(case))
            .collect(),
    );
}

#[test]
fn a_new_app_is_sound_and_grows() {
    let folder = tempfile::tempdir().unwrap();
    let output = waypost(folder.path(), "new shop");
    assert!(output.status.success(), "{output:?}");
    let shop = folder.path().join("shop");
    for command in [
        "check",
        "build --check",
        "add items/[slug]",
        "add /",
        "check",
    ] {
        let output = waypost(&shop, command);
        assert!(output.status.success(), "{command}: {output:?}");
    }
    let cargo = fs::read_to_string(shop.join("Cargo.toml")).unwrap();
    for text in [
        "\"handlers/items/[[]slug[]]\"",
        "[profile.release]",
        "lto = true",
    ] {
        assert!(cargo.contains(text), "{text} is not in\n{cargo}");
    }
    let output = waypost(&shop, "build --check");
    assert_eq!(
        output.status.code(),
        Some(1),
        "the table is older than the routes"
    );
    let again = waypost(folder.path(), "new shop");
    assert_eq!(again.status.code(), Some(1));
}

#[test]
fn a_port_in_use_is_one_clear_message() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let app = fixtures("commands").join("check-sound").join("in");
    let output = waypost(&app, &format!("up --listen {address}"));
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        format!(
            "error: port {} is in use ({address})\n  hint: stop what listens there, or choose \
             another port: `--listen 127.0.0.1:0` takes a free one\n",
            address.port()
        )
    );
}

#[test]
fn a_closed_pipe_is_no_panic() {
    let app = fixtures("commands").join("check-sound").join("in");
    let mut command = Command::new(env!("CARGO_BIN_EXE_waypost"))
        .arg("routes")
        .current_dir(app)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(command.stdout.take());
    let output = command.wait_with_output().unwrap();
    assert!(output.stderr.is_empty(), "{output:?}");
}
