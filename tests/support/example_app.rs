//! What the example app answers, whoever serves it.

use super::Served;

/// Asks every example that needs nothing but WASI HTTP.
pub fn answers(app: &Served) {
    text(app);
    methods(app);
    cookies(app);
    headers_and_redirects(app);
    dynamic_segments(app);
    bodies(app);
    streams(app);
    cached(app);
    the_router_answers_the_rest(app);
}

fn text(app: &Served) {
    let hello = app.get("/hello", "");
    assert_eq!(
        (hello.status, hello.text().as_str()),
        (200, "Hello, Waypost!")
    );
    assert_eq!(
        hello.header("content-type"),
        Some("text/plain;charset=UTF-8")
    );
    assert_eq!(hello.header("content-length"), Some("15"));
    let feed = app.get("/rss.xml", "");
    assert_eq!(feed.header("content-type"), Some("text/xml; charset=utf-8"));
    assert!(feed.text().starts_with("<?xml"));
    assert_eq!(app.get("/about", "").status, 200);
    let cors = app.get("/cors", "");
    assert_eq!(cors.header("access-control-allow-origin"), Some("*"));
    let search = app.get("/search?query=hello+world&page=2", "");
    assert_eq!(
        search.text(),
        "Page 2 of what was found for \"hello world\""
    );
    assert_eq!(app.get("/search?query=a&page=two", "").status, 400);
}

fn methods(app: &Served) {
    for (method, status, body) in [
        ("GET", 200, "GET reads"),
        ("HEAD", 200, ""),
        ("POST", 200, "POST sent 3 bytes"),
        ("PUT", 200, "PUT replaces"),
        ("PATCH", 200, "PATCH changes"),
        ("DELETE", 204, ""),
        ("OPTIONS", 204, ""),
    ] {
        let reply = app.request(method, "/methods", "", b"abc");
        assert_eq!(
            (reply.status, reply.text().as_str()),
            (status, body),
            "{method}"
        );
    }
    let head = app.request("HEAD", "/hello", "", b"");
    assert_eq!(
        (head.status, head.header("content-length")),
        (200, Some("15"))
    );
    assert_eq!(head.text(), "");
    for method in ["POST", "TRACE", "BREW"] {
        let reply = app.request(method, "/hello", "", b"");
        let allow = reply.header("allow");
        assert_eq!(
            (reply.status, allow),
            (405, Some("GET, HEAD, OPTIONS")),
            "{method}"
        );
    }
    let options = app.request("OPTIONS", "/items", "", b"");
    let allow = options.header("allow");
    assert_eq!(
        (options.status, allow),
        (204, Some("GET, HEAD, OPTIONS, POST"))
    );
}

fn cookies(app: &Served) {
    let jar = app.get("/cookies/jar", "Cookie: a=x%20y\r\n");
    assert_eq!(jar.text(), "a is x y");
    assert_eq!(
        jar.all("set-cookie"),
        [
            "b=1; Path=/",
            "c=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0"
        ]
    );
    let header = app.get("/cookies/header", "Cookie: token=7\r\n");
    assert_eq!(header.header("set-cookie"), Some("token=7; Path=/"));
    assert_eq!(
        app.get("/cookies/request", "Cookie: token=7\r\n").text(),
        "token is 7"
    );
}

fn headers_and_redirects(app: &Served) {
    let headers = app.get("/headers", "Referer: https://example.com/\r\n");
    assert_eq!(headers.text(), "You come from https://example.com/");
    assert_eq!(headers.header("referer"), Some("https://example.com/"));
    let redirect = app.get("/redirect", "");
    assert_eq!(
        (redirect.status, redirect.header("location")),
        (307, Some("/hello"))
    );
    assert_eq!(redirect.text(), "");
}

/// On a host without a response cache, revalidating has no effect.
fn cached(app: &Served) {
    let posts = app.get("/posts", "");
    assert_eq!(posts.status, 200);
    assert!(posts.text().contains("The first post"), "{}", posts.text());
    let changed = app.request("POST", "/posts", "", b"");
    assert_eq!((changed.status, changed.text().as_str()), (204, ""));
    assert!(app.get("/posts/live", "").text().contains("POST /posts"));
}

fn dynamic_segments(app: &Served) {
    for (target, status, body) in [
        ("/items/b", 200, r#"{"slug":"b","title":"A barrel"}"#),
        ("/items/z", 404, ""),
        ("/shop/a%2Fb/7", 200, r#"{"tag":"a/b","item":7}"#),
        ("/blog/1/2", 200, r#"["1","2"]"#),
        ("/docs", 200, "The table of contents"),
        ("/docs/a/b%20c", 200, "The page a / b c"),
        ("/axum", 200, "Hello from axum!"),
        ("/axum/hello/Ada%20L", 200, "Hello, Ada L!"),
        ("/axum/none", 404, ""),
    ] {
        let reply = app.get(target, "");
        assert_eq!(
            (reply.status, reply.text().as_str()),
            (status, body),
            "{target}"
        );
    }
    assert_eq!(app.get("/blog", "").status, 404);
    assert_eq!(app.get("/shop/a/seven", "").status, 400);
}

fn bodies(app: &Served) {
    let item = br#"{"slug":"d","title":"A dinghy"}"#;
    let created = app.request("POST", "/items", "", item);
    assert_eq!(
        (created.status, created.body.as_slice()),
        (201, item.as_slice())
    );
    let broken = app.request("POST", "/items", "", b"{");
    assert_eq!(broken.status, 400);
    assert!(
        broken
            .text()
            .starts_with("the body is not the expected JSON"),
        "{}",
        broken.text()
    );

    let urlencoded = "Content-Type: application/x-www-form-urlencoded\r\n";
    let form = app.request(
        "POST",
        "/form",
        urlencoded,
        b"name=Ada&email=ada%40example.com",
    );
    assert_eq!(
        form.text(),
        r#"{"name":"Ada","email":"ada@example.com","picture":null}"#
    );
    let multipart = "Content-Type: multipart/form-data; boundary=X\r\n";
    let parts = b"--X\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nAda\r\n\
        --X\r\nContent-Disposition: form-data; name=\"picture\"; filename=\"a.png\"\r\n\r\n\x89PNG\r\n--X--\r\n";
    let form = app.request("POST", "/form", multipart, parts);
    let expected = r#"{"name":"Ada","email":null,"picture":{"name":"a.png","bytes":4}}"#;
    assert_eq!(form.text(), expected);
    assert_eq!(app.request("POST", "/form", "", b"a=1").status, 415);
}

fn streams(app: &Served) {
    let stream = app.get("/stream", "");
    assert_eq!(stream.text(), "<p>One</p><p>Two</p><p>Three</p>");
    assert_eq!(stream.header("transfer-encoding"), Some("chunked"));
    let events = app.get("/chat?prompt=tea", "");
    assert_eq!(events.header("content-type"), Some("text/event-stream"));
    let events = events.text();
    assert!(
        events.starts_with("event: token\ndata: You\n\n"),
        "{events}"
    );
    assert!(events.ends_with("data: .\n\ndata: [DONE]\n\n"), "{events}");
}

fn the_router_answers_the_rest(app: &Served) {
    let not_found = app.get("/nowhere", "Accept: application/json\r\n");
    assert_eq!(
        (not_found.status, not_found.text().as_str()),
        (404, r#"{"error":"Not Found"}"#)
    );
    assert_eq!(app.get("/_catalog", "").status, 404);
    assert_eq!(app.get("/(company)/about", "").status, 404);
    for (target, location) in [
        ("/items/a/?x=%20", "/items/a?x=%20"),
        ("//hello", "/hello"),
        ("/items//a", "/items/a"),
    ] {
        let reply = app.get(target, "");
        assert_eq!(
            (reply.status, reply.header("location")),
            (308, Some(location)),
            "{target}"
        );
    }
    for target in ["/items/%ZZ", "/items/%FF", "/items/%00", "/hello%"] {
        assert_eq!(app.get(target, "").status, 400, "{target}");
    }
    let options = app.request("OPTIONS", "*", "", b"");
    assert_eq!(options.status, 204);
    assert_eq!(
        options.header("allow"),
        Some("DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT")
    );
}
