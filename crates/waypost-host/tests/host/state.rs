//! What the manifest grants: stores, variables, environment, files.

use super::support::{TestApp, logged};

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
