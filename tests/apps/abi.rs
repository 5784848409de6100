//! Routes and router as WASI 0.2 components: built for `wasm32-wasip1`, and served by the host.

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::path::Path;

use crate::support::alone::{self, componentize};
use crate::support::{Reply, turn};
use tokio::sync::oneshot;
use waypost_host::{Host, HostOptions, Manifest, Settings};

const SPIN_TOML: &str = r#"
spin_manifest_version = 2
[application]
name = "abi"
[[trigger.http]]
route = "/..."
component = "items"
[component.items]
source = "items.wasm"
"#;

/// The manifest of an app with the router alone.
const CHAIN: &str = r#"
spin_manifest_version = 2
[application]
name = "chain"
[[trigger.http]]
route = "/..."
component = "router"
[component.router]
source = "router.wasm"
allowed_outbound_hosts = ["http://*.spin.internal"]
"#;

#[test]
fn a_route_is_a_wasi_0_2_component_too() {
    alone::modules();
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    componentize("items-slug", &folder.path().join("items.wasm"));
    fs::write(folder.path().join("spin.toml"), SPIN_TOML).unwrap();
    serving(folder.path(), |address| {
        let get = |target: &str| {
            let mut stream = TcpStream::connect(address).unwrap();
            let request = format!("GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).unwrap();
            Reply::read(stream)
        };
        let item = get("/items/b");
        let body = r#"{"slug":"b","title":"A barrel"}"#;
        assert_eq!((item.status, item.text().as_str()), (200, body));
        assert_eq!(item.header("content-length"), Some("31"));
        assert_eq!(get("/items/z").status, 404);
        assert_eq!(get("/items/b/").header("location"), Some("/items/b"));
    });
}

#[test]
fn a_router_of_wasi_0_2_reaches_handlers_of_both_versions() {
    alone::components();
    alone::modules();
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let mut manifest = CHAIN.to_owned();
    for id in ["router", "items-slug", "methods", "stream"] {
        componentize(id, &folder.path().join(format!("{id}.wasm")));
    }
    let hello = "hello.wasm";
    fs::copy(alone::components().join(hello), folder.path().join(hello)).unwrap();
    for id in ["items-slug", "methods", "stream", "hello"] {
        manifest.push_str(&format!(
            "[[trigger.http]]\nroute = {{ private = true }}\ncomponent = \"{id}\"\n\
             [component.{id}]\nsource = \"{id}.wasm\"\n"
        ));
    }
    fs::write(folder.path().join("spin.toml"), manifest).unwrap();
    serving(folder.path(), |address| {
        let send = |method: &str, target: &str, body: &str| {
            let mut stream = TcpStream::connect(address).unwrap();
            let length = body.len();
            let request = format!(
                "{method} {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\
                 Content-Length: {length}\r\n\r\n{body}"
            );
            stream.write_all(request.as_bytes()).unwrap();
            Reply::read(stream)
        };
        assert_eq!(send("GET", "/hello", "").text(), "Hello, Waypost!");
        let item = send("GET", "/items/b", "");
        let body = r#"{"slug":"b","title":"A barrel"}"#;
        assert_eq!((item.status, item.text().as_str()), (200, body));
        assert_eq!(item.header("content-length"), Some("31"));
        assert_eq!(send("GET", "/items/z", "").status, 404);
        assert_eq!(send("GET", "/nowhere", "").text(), "Not Found");
        assert_eq!(
            send("GET", "/hello/", "").header("location"),
            Some("/hello")
        );
        let posted = send("POST", "/methods", &"x".repeat(100_000));
        assert_eq!(posted.text(), "POST sent 100000 bytes");
        let streamed = send("GET", "/stream", "");
        assert_eq!(streamed.text(), "<p>One</p><p>Two</p><p>Three</p>");
        assert_eq!(streamed.header("transfer-encoding"), Some("chunked"));
        // It is in the table, but not in this app.
        assert_eq!(send("GET", "/about", "").status, 500);
    });
}

/// Serves the app in a folder while `work` runs.
fn serving(folder: &Path, work: impl FnOnce(std::net::SocketAddr)) {
    let manifest = Manifest::load(&folder.join("spin.toml")).unwrap();
    let options = HostOptions::new(folder, folder.join("state"));
    let host = Host::new(manifest, Settings::default(), options).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let listener = runtime
        .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
        .unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = runtime.spawn(async move {
        let stopped = async {
            let _ = stopped.await;
        };
        host.serve(listener, stopped).await
    });
    work(address);
    drop(stop);
    runtime.block_on(serving).unwrap().unwrap();
}
