//! What the manifest grants: stores, variables, environment, files.

use super::support::{PATIENCE, TestApp, logged};
use std::time::{Duration, Instant};

const GRANTS: &str = "key_value_stores = [\"default\", \"second\"]\n\
    files = [{ source = \"assets\", destination = \"/assets\" }]\n\
    environment = { COLOUR = \"blue\" }\n\
    [component.state.variables]\ngreeting = \"{{ word }} there\"\n";

fn app(name: &str) -> TestApp {
    let app = TestApp::new()
        .manifest("[variables]\nword = { default = \"hello\" }\n")
        .component(name, "\"/...\"", &GRANTS.replace("state", name));
    std::fs::create_dir(app.path().join("assets")).expect("the folder is writable");
    std::fs::write(app.path().join("assets/note.txt"), "noted").expect("the folder is writable");
    app
}

#[tokio::test]
async fn a_component_has_what_is_granted() {
    let app = app("state").start().await;
    let mut client = app.client().await;
    for (path, answer) in [
        ("/get?k", "None"),
        ("/set?k", "set"),
        ("/get?k", "Some(Ok(\"value of k\"))"),
        ("/set?j", "set"),
        ("/keys", "j,k"),
        ("/exists?k", "true"),
        ("/delete?k", "deleted"),
        ("/exists?k", "false"),
        ("/open?second", "opened"),
        ("/variable?greeting", "hello there"),
        ("/environment?COLOUR", "blue"),
        ("/file?/assets/note.txt", "noted"),
    ] {
        assert_eq!(client.get(path).await.text, answer, "{path}");
    }
    app.stopped().await;
}

#[tokio::test]
async fn only_a_component_that_names_the_secret_of_draft_mode_is_told() {
    let secret = |name: &'static str, path: &'static str| async move {
        let app = TestApp::new().component(name, "\"/...\"", "");
        let app = app.pattern(name, "/[...path]").start().await;
        let text = app.get(path).await.text;
        app.stopped().await;
        text
    };
    assert_eq!(secret("print", "/draft").await.len(), 32);
    // Its code reads any variable, but contains this name nowhere.
    let path = "/environment?WAYPOST_DRAFT_SECRET";
    assert!(secret("state", path).await.contains("NotPresent"));
}

#[tokio::test]
async fn a_folder_that_is_missing_is_logged_for_each_request_until_it_is_there() {
    let app = app("state");
    let (assets, elsewhere) = (app.path().join("assets"), app.path().join("elsewhere"));
    std::fs::rename(&assets, &elsewhere).expect("the folder is writable");
    let app = app.start().await;
    for _ in 0..2 {
        let reply = app.get("/file?/assets/note.txt").await;
        assert_eq!(reply.status, 500);
        let id = reply.headers["x-request-id"].to_str();
        let id = id.expect("it is text");
        assert!(logged(&["component=state", "assets", id]));
    }
    std::fs::rename(&elsewhere, &assets).expect("the folder is writable");
    // The host looks again after half a second.
    let start = Instant::now();
    while app.get("/file?/assets/note.txt").await.text != "noted" {
        assert!(start.elapsed() < PATIENCE, "the folder is there");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    app.stopped().await;
}

/// Nobody but the store moves such a body: the instance must not be put aside, or given to another, before it is read.
#[tokio::test]
async fn a_file_as_a_body_is_whole() {
    let app = app("state");
    let large = "0123456789abcdef".repeat(1 << 16);
    std::fs::write(app.path().join("assets/large.txt"), &large).expect("the folder is writable");
    let app = app.start().await;
    let (mut one, mut other) = (app.client().await, app.client().await);
    for _ in 0..3 {
        let (first, second) =
            futures::join!(one.get("/pipe?large.txt"), other.get("/pipe?large.txt"));
        for answer in [first, second] {
            assert_eq!(answer.text.len(), large.len());
            assert!(answer.text == large);
        }
    }
    app.stopped().await;
}

#[tokio::test]
async fn what_is_not_granted_is_an_error_of_its_interface() {
    let app = app("state").start().await;
    let mut client = app.client().await;
    for (path, answer) in [
        ("/open?other", "Error::AccessDenied"),
        ("/variable?missing", "Error::Undefined"),
        ("/variable?Not-A-Name", "Error::InvalidName"),
        ("/environment?HOME", "NotPresent"),
        ("/file?/etc/passwd", ""),
        ("/file?/assets/../spin.toml", ""),
        ("/write?/assets/new.txt", ""),
    ] {
        let reply = client.get(path).await;
        assert_eq!(reply.status, 200, "{path}");
        assert!(reply.text.contains(answer), "{path}: {}", reply.text);
        assert!(
            !reply.text.contains("root:") && reply.text != "written",
            "{path}: {}",
            reply.text
        );
    }
    assert!(logged(&["`other`", "key_value_stores"]));
    app.stopped().await;
}

#[tokio::test]
async fn a_store_on_disk_outlives_its_host() {
    let first = app("state").on_disk().start().await;
    assert_eq!(first.get("/set?kept").await.text, "set");
    let second = first.stopped().await.start().await;
    assert_eq!(second.get("/keys").await.text, "kept");
    second.stopped().await;
}

#[tokio::test]
async fn spins_older_interfaces_work_for_wasi_0_2() {
    let app = app("state02").start().await;
    let reply = app.get("/").await;
    assert_eq!(
        reply.text,
        "Err(Error::AccessDenied)\nOk([\"old\"])\nOk(\"hello there\")"
    );
    app.stopped().await;
}

/// A link leads where the app may not: at load for the folder itself, at each request for what is in it.
#[cfg(unix)]
#[tokio::test]
async fn a_folder_that_is_a_link_out_of_the_app_is_refused() {
    let outside = tempfile::tempdir().expect("a folder is to be had");
    std::fs::write(outside.path().join("note.txt"), "secret").expect("the folder is writable");
    let app = app("state").development();
    let assets = app.path().join("assets");
    std::fs::remove_dir_all(&assets).expect("the folder is there");
    std::os::unix::fs::symlink(outside.path(), &assets).expect("the folder is writable");
    let app = app.start().await;
    let reply = app.get("/file?/assets/note.txt").await;
    assert_eq!(reply.status, 500);
    for part in ["below `files` is a link to", "outside the app"] {
        assert!(reply.text.contains(part), "{}", reply.text);
    }
    // Once it is a folder, it is served: nobody has to start the host again.
    std::fs::remove_file(&assets).expect("the link is there");
    std::fs::create_dir(&assets).expect("the folder is writable");
    std::fs::write(assets.join("note.txt"), "noted").expect("the folder is writable");
    app.host.look_again();
    assert_eq!(app.get("/file?/assets/note.txt").await.text, "noted");
    app.stopped().await;
}

#[cfg(unix)]
#[tokio::test]
async fn links_in_a_folder_stay_in_it() {
    use std::os::unix::fs::symlink;

    let outside = tempfile::tempdir().expect("a folder is to be had");
    std::fs::write(outside.path().join("note.txt"), "secret").expect("the folder is writable");
    let app = app("state");
    std::fs::write(app.path().join("secret.txt"), "secret").expect("the folder is writable");
    let assets = app.path().join("assets");
    for (target, link) in [
        ("note.txt", "inside"),
        ("../secret.txt", "above"),
        ("../assets/note.txt", "out-and-in"),
        ("/etc/passwd", "absolute"),
    ] {
        symlink(target, assets.join(link)).expect("the folder is writable");
    }
    symlink(outside.path(), assets.join("folder")).expect("the folder is writable");
    let app = app.start().await;
    let mut client = app.client().await;
    assert_eq!(client.get("/file?/assets/inside").await.text, "noted");
    for path in ["above", "out-and-in", "absolute", "folder/note.txt"] {
        let answer = client.get(&format!("/file?/assets/{path}")).await.text;
        let leaks = ["secret", "noted", "root:"]
            .iter()
            .any(|text| answer.contains(text));
        assert!(!leaks, "{path}: {answer}");
    }
    app.stopped().await;
}
