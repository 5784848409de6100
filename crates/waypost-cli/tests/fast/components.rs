//! What is wrong with a `route.wasm`: each fault of `check` and `build`, with its file and a way out.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{copy, fixtures};

const FILE: &str = "handlers/legacy/route.wasm";

/// A component of WASI 0.2, as far as its imports and exports tell; `extra` is more of it.
fn component(extra: &str) -> Vec<u8> {
    let text = format!(
        "(component {extra}
            (instance $i)
            (export \"wasi:http/incoming-handler@0.2.3\" (instance $i)))"
    );
    wat::parse_str(text).unwrap()
}

/// The custom section of a route that Waypost made.
fn described(description: &str) -> Vec<u8> {
    let description = description.replace('"', "\\\"");
    component(&format!(
        "(core module (@custom \"waypost:route\" \"{description}\"))"
    ))
}

/// What a command says of an app with a route more, which is this file.
fn said(command: &str, write: impl FnOnce(&Path)) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    copy(
        &fixtures("commands").join("check-sound").join("in"),
        folder.path(),
    );
    let file = folder.path().join(FILE);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    write(&file);
    let output = Command::new(env!("CARGO_BIN_EXE_waypost"))
        .args(command.split(' '))
        .current_dir(folder.path())
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

fn check(bytes: &[u8]) -> (bool, String) {
    said("check", |file| fs::write(file, bytes).unwrap())
}

#[test]
fn components_without_an_http_handler_are_refused() {
    let whole = component("");
    let cases: [(&[u8], &str, &str); 7] = [
        (b"", "the file is empty", "a route is a component"),
        (b"#!/bin/sh", "not WebAssembly", "a route is a component"),
        (
            b"\0asm\x01\0\0\0",
            "a WebAssembly core module, not a component",
            "`wasm-tools component new`",
        ),
        (
            &whole[..whole.len() - 9],
            "a malformed WebAssembly component: ",
            "build or copy the file again",
        ),
        (
            b"\0asm\x0d\0\x01\0",
            "the component does not handle HTTP: it exports nothing",
            "`wasi:http/handler@0.3.0` or `wasi:http/incoming-handler@0.2.x`",
        ),
        (
            &wat::parse_str("(component (instance $i) (export \"a:b/run\" (instance $i)))")
                .unwrap(),
            "the component does not handle HTTP: it exports `a:b/run`",
            "`wasi:http/handler@0.3.0` or `wasi:http/incoming-handler@0.2.x`",
        ),
        // Its sections are whole, but no host compiles it: there is no instance with this index.
        (
            &wat::parse_str("(component (export \"x\" (instance 7)))").unwrap(),
            "a malformed WebAssembly component: ",
            "build or copy the file again",
        ),
    ];
    for (bytes, message, hint) in cases {
        let (is_sound, said) = check(bytes);
        assert!(!is_sound, "{said}");
        let file = format!("\n  --> {FILE}\n  hint: ");
        for part in [&format!("error: {message}"), &file, hint] {
            assert!(said.contains(part), "{part:?} is not in {said}");
        }
        assert_eq!(said.matches("error: ").count(), 1, "{said}");
    }
}

#[test]
fn a_file_that_is_no_file_of_a_component_is_refused_unread() {
    let (is_sound, huge) = said("check", |file| {
        let file = fs::File::create(file).unwrap();
        file.set_len(300 << 20).unwrap();
    });
    assert!(!is_sound);
    let message = "error: the file has 300 MiB, and a component at most 256\n";
    assert!(huge.contains(message), "{huge}");
}

#[test]
fn a_component_of_http_is_a_route() {
    let (is_sound, said) = check(&component(""));
    assert!(is_sound, "{said}");
    assert_eq!(said, "3 routes, no faults\n");
}

#[test]
fn imports_that_the_host_lacks_are_warnings() {
    let (is_sound, said) = check(&component(
        "(import \"spin:sqlite/sqlite@3.0.0\" (instance))",
    ));
    assert!(is_sound, "{said}");
    let warning = "warning: the component imports `spin:sqlite/sqlite@3.0.0`\n  \
                   --> handlers/legacy/route.wasm\n  hint: Waypost's host does not have it";
    assert!(said.contains(warning), "{said}");
}

#[test]
fn a_route_of_waypost_has_to_be_in_its_own_folder() {
    let own = described(r#"{"pattern":"/legacy","methods":["GET"]}"#);
    let other = described(r#"{"pattern":"/old/[id]","methods":["GET"]}"#);
    let broken = described("{");
    assert!(check(&own).0);
    let table = said("routes", |file| fs::write(file, own).unwrap()).1;
    assert!(table.contains("GET      /legacy"), "{table}");
    let (is_sound, said) = check(&other);
    assert!(!is_sound);
    let fault = "error: the component was built for `/old/[id]`, but its folder is `/legacy`\n  \
                 --> handlers/legacy/route.wasm\n  hint: a route made by Waypost matches its own pattern";
    assert!(said.contains(fault), "{said}");
    assert!(!check(&broken).0);
}

#[test]
fn routes_shows_what_cannot_be_told() {
    let (is_sound, said) = said("routes", |file| fs::write(file, "").unwrap());
    assert!(is_sound, "{said}");
    assert!(said.contains("?        /legacy"), "{said}");
    assert!(said.contains("warning: the file is empty"), "{said}");
}

/// Each of these would take a validator gigabytes, or never end.
#[test]
fn what_takes_too_much_is_refused_before_it_is_validated() {
    let nested = "(component ".repeat(60) + &")".repeat(60);
    let many = "(component)".repeat(20_000);
    let mut doubled = "(component $c)".to_owned();
    for _ in 0..25 {
        doubled = format!(
            "(component $c {doubled} (instance (instantiate $c)) (instance (instantiate $c)))"
        );
    }
    for (extra, reason) in [
        (nested, "nested too deep; the limit is 32"),
        (many, "too many components and modules; the limit is 2000"),
        (doubled, "too many instances; the limit is 10000"),
    ] {
        let (is_sound, said) = check(&component(&extra));
        assert!(!is_sound, "{said}");
        assert!(said.contains("the component is not compiled: "), "{said}");
        assert!(said.contains(reason), "{said}");
    }
}

#[cfg(unix)]
#[test]
fn pipes_and_devices_in_the_place_of_files_are_refused_unread() {
    use std::os::unix::fs::symlink;

    let pipe = |file: &Path| {
        let status = Command::new("mkfifo").arg(file).status().unwrap();
        assert!(status.success());
    };
    let endless = |file: &Path| symlink("/dev/zero", file).unwrap();
    let writers: [&dyn Fn(&Path); 2] = [&pipe, &endless];
    for name in ["route.wasm", "route.rs", "Cargo.toml", "../../waypost.toml"] {
        for write in writers {
            let (is_sound, said) = said("check", |file| {
                let folder = file.parent().unwrap();
                if name == "Cargo.toml" {
                    fs::write(folder.join("route.rs"), "").unwrap();
                }
                let file = folder.join(name);
                let _ = fs::remove_file(&file);
                write(&file);
            });
            assert!(!is_sound, "{name}: {said}");
            assert!(
                said.contains("a pipe, a socket or a device"),
                "{name}: {said}"
            );
        }
    }
}

/// The mount of a route: `check` tells what `up` refuses.
#[cfg(unix)]
#[test]
fn a_folder_below_files_that_leaves_the_app_is_refused() {
    let with_files = |make: &dyn Fn(&Path)| {
        said("check", |file| {
            let root = file.ancestors().nth(3).unwrap();
            fs::write(file, component("")).unwrap();
            let mut manifest = fs::read_to_string(root.join("spin.toml")).unwrap();
            manifest += "\n[component.legacy]\nsource = \"handlers/legacy/route.wasm\"\n\
                files = [{ source = \"pages\", destination = \"/\" }]\n";
            fs::write(root.join("spin.toml"), manifest).unwrap();
            make(&root.join("pages"));
        })
    };
    let (is_sound, said) = with_files(&|pages| {
        std::os::unix::fs::symlink("/etc", pages).unwrap();
    });
    assert!(!is_sound, "{said}");
    let refused = "below `files` is a link to `/etc`, outside the app";
    assert!(
        said.contains(refused) && said.contains("spin.toml"),
        "{said}"
    );

    let (is_sound, said) = with_files(&|_| {});
    assert!(is_sound, "{said}");
    assert!(said.contains("warning: component `legacy`"), "{said}");

    let (is_sound, said) = with_files(&|pages| fs::create_dir(pages).unwrap());
    assert!(is_sound && !said.contains("warning"), "{said}");
}
