//! The example app's components one by one: each route by itself, and all of them behind the router.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use super::{Served, checkout, example_app, run, waypost};

/// What one route answers.
pub struct Alone {
    /// The package of the route, and its component.
    pub id: &'static str,
    request: (&'static str, &'static str),
    status: u16,
    begin: &'static str,
}

const fn alone(
    id: &'static str,
    request: (&'static str, &'static str),
    status: u16,
    begin: &'static str,
) -> Alone {
    Alone {
        id,
        request,
        status,
        begin,
    }
}

/// Every route of the example app.
pub const ROUTES: [Alone; 24] = [
    alone("root", ("GET", "/"), 200, "<!"),
    alone("about", ("GET", "/about"), 200, "A waypost stands"),
    alone("axum-rest", ("GET", "/axum/hello/Ada"), 200, "Hello, Ada!"),
    alone("blog-slug", ("GET", "/blog/1/2"), 200, r#"["1","2"]"#),
    alone("chat", ("GET", "/chat?prompt=tea"), 200, "event: token\n"),
    alone("cookies-header", ("GET", "/cookies/header"), 200, ""),
    alone("cookies-jar", ("GET", "/cookies/jar"), 200, ""),
    alone("cookies-request", ("GET", "/cookies/request"), 200, ""),
    alone("cors", ("GET", "/cors"), 200, ""),
    alone(
        "docs-slug",
        ("GET", "/docs/a/b%20c"),
        200,
        "The page a / b c",
    ),
    alone("form", ("POST", "/form"), 415, ""),
    alone("headers", ("GET", "/headers"), 200, ""),
    alone("hello", ("GET", "/hello"), 200, "Hello, Waypost!"),
    alone("items", ("GET", "/items"), 200, "["),
    alone("items-slug", ("GET", "/items/b"), 200, r#"{"slug":"b""#),
    alone("methods", ("PUT", "/methods"), 200, "PUT replaces"),
    alone("posts", ("GET", "/posts"), 200, r#"{"made":"#),
    alone("posts-live", ("GET", "/posts/live"), 200, "<!"),
    alone("redirect", ("GET", "/redirect"), 307, ""),
    alone("rss-xml", ("GET", "/rss.xml"), 200, "<?xml"),
    alone("search", ("GET", "/search?query=a"), 200, "Page 1 of what"),
    alone("shop-tag-item", ("GET", "/shop/a/7"), 200, r#"{"tag":"a""#),
    alone("stream", ("GET", "/stream"), 200, "<p>One</p>"),
    alone("webhook", ("GET", "/webhook"), 405, ""),
];

impl Alone {
    /// Asks a server that has this route's component and no other.
    pub fn answers(&self, served: &Served) {
        let (method, target) = self.request;
        let reply = served.request(method, target, "", b"");
        assert_eq!(reply.status, self.status, "{}: {reply:?}", self.id);
        let text = reply.text();
        assert!(text.starts_with(self.begin), "{}: {text}", self.id);
        let elsewhere = served.get("/no/such/path", "");
        assert_eq!(elsewhere.status, 404, "{}: {elsewhere:?}", self.id);
    }
}

/// The router and all routes.
pub fn packages() -> Vec<&'static str> {
    ROUTES
        .iter()
        .map(|route| route.id)
        .chain(["router"])
        .collect()
}

/// The file of a package's component, or module.
pub fn file(package: &str) -> String {
    format!("{}.wasm", package.replace('-', "_"))
}

/// Builds all routes and the router for WASI 0.3, and returns the folder of the components.
pub fn components() -> &'static Path {
    static BUILT: LazyLock<PathBuf> = LazyLock::new(|| {
        run(waypost(&checkout()).args(["build", "--no-compile"]));
        checkout().join("target/wasm32-wasip2/release")
    });
    &BUILT
}

/// Builds all routes and the router for WASI 0.2, and returns the folder of the modules.
pub fn modules() -> &'static Path {
    static BUILT: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = tempfile::tempdir().unwrap();
        let mut routes = waypost(&checkout());
        routes.args(["compose", "--wasi", "0.2", "--output"]);
        run(routes.arg(folder.path().join("app.wasm")));
        // A composition has a router of its own.
        let mut router = Command::new(env!("CARGO"));
        router.args(["build", "--release", "--target", "wasm32-wasip1"]);
        run(router.args(["--package", "router"]).current_dir(checkout()));
        checkout().join("target/wasm32-wasip1/release")
    });
    &BUILT
}

/// Makes a component of WASI 0.2 of the module of a package, as `cargo component build` does.
pub fn componentize(package: &str, component: &Path) {
    static TOOL: LazyLock<PathBuf> = LazyLock::new(|| {
        let target = checkout().join("target/componentize");
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .args(["build", "--quiet", "--target-dir"])
            .arg(&target);
        cargo.current_dir(checkout().join("tests/componentize"));
        assert!(cargo.status().unwrap().success());
        target.join("debug/componentize")
    });
    let mut tool = Command::new(&*TOOL);
    tool.arg(modules().join(file(package))).arg(component);
    assert!(tool.status().unwrap().success(), "{package}");
}

/// Serves each component in a folder by itself, with Waypost's command.
pub fn each_on_waypost(folder: &Path) {
    for route in &ROUTES {
        let mut command = waypost(&checkout());
        command.args(["serve", "--listen", "127.0.0.1:0"]);
        command.arg(folder.join(file(route.id)));
        route.answers(&Served::start(&mut command));
    }
}

/// Serves the app with every second component from one folder, and the others and the router from another.
pub fn mixed_behind_the_router(folder: &Path, other: &Path) {
    let app = tempfile::tempdir().unwrap();
    for part in [
        "Cargo.toml",
        "spin.toml",
        "waypost.toml",
        "handlers",
        "router",
    ] {
        copy(&checkout().join(part), &app.path().join(part));
    }
    let components = app.path().join("target/wasm32-wasip2/release");
    fs::create_dir_all(&components).unwrap();
    for (index, package) in packages().into_iter().enumerate() {
        let from = [folder, other][index % 2].join(file(package));
        fs::copy(from, components.join(file(package))).unwrap();
    }
    let mut command = waypost(app.path());
    let served = Served::start(command.args(["up", "--no-build", "--listen", "127.0.0.1:0"]));
    example_app::answers(&served);
}

fn copy(from: &Path, to: &Path) {
    if !from.is_dir() {
        fs::copy(from, to).map(drop).unwrap();
        return;
    }
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let name = entry.unwrap().file_name();
        copy(&from.join(&name), &to.join(&name));
    }
}
