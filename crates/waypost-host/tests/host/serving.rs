//! A request to one component.

use super::support::{Client, TestApp, eventually, log, logged};
use http::Request;
use http_body_util::Full;

#[tokio::test]
async fn a_component_of_wasi_0_3_answers() {
    let app = TestApp::new()
        .component("hello", "\"/...\"", "")
        .start()
        .await;
    let reply = app.get("/a/b?c=d%20e").await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.headers["x-guest"], "hello");
    let authority = format!("authority {}", app.address);
    for line in ["method Method::Get", "target /a/b?c=d%20e", &authority] {
        assert!(reply.text.contains(line), "{line} in {}", reply.text);
    }
    app.stopped().await;
}

#[tokio::test]
async fn a_component_of_wasi_0_2_answers() {
    let app = TestApp::new()
        .component("hello02", "\"/...\"", "")
        .start()
        .await;
    let reply = app.get("/a/b?c=d").await;
    assert_eq!(reply.status, 200);
    let uri = format!("uri http://{}/a/b?c=d", app.address);
    assert!(reply.text.contains(&uri), "{}", reply.text);
    app.stopped().await;
}

#[tokio::test]
async fn http_2_is_served_on_the_same_port() {
    let app = TestApp::new()
        .component("hello", "\"/...\"", "")
        .start()
        .await;
    let mut client = Client::connect_http2(app.address).await;
    let reply = client.get("/two").await;
    assert_eq!(reply.status, 200);
    assert!(reply.text.contains("target /two"), "{}", reply.text);
    drop(client);
    app.stopped().await;
}

#[tokio::test]
async fn the_longest_route_answers_and_no_route_is_404() {
    let app = TestApp::new()
        .component_of("exact", "hello", "\"/exact\"", "")
        .component_of("below", "trap", "\"/exact/...\"", "")
        .component_of("hidden", "hello", "{ private = true }", "")
        .start()
        .await;
    let mut client = app.client().await;
    assert!(client.get("/exact").await.text.contains("target /exact"));
    assert!(client.get("/exact/below").await.text.contains("served"));
    for path in ["/", "/hidden", "/exactly"] {
        assert_eq!(client.get(path).await.status, 404, "{path}");
    }
    app.stopped().await;
}

#[tokio::test]
async fn an_instance_is_reused_and_replaced() {
    let app = TestApp::new()
        .component("trap", "\"/...\"", "")
        .start()
        .await;
    let mut client = app.client().await;
    for number in 1..=128 {
        assert_eq!(client.get("/").await.text, format!("served {number}"));
    }
    assert_eq!(client.get("/").await.text, "served 1");
    app.stopped().await;
}

#[tokio::test]
async fn headers_that_only_the_inside_sets_never_reach_a_component() {
    let app = TestApp::new()
        .component("hello", "\"/...\"", "")
        .component_of("old", "hello02", "\"/old\"", "")
        .start()
        .await;
    let forged = [
        "x-request-id",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
        "forwarded",
        "spin-full-url",
        "spin-client-addr",
        "x-waypost-cache",
        "te",
        "keep-alive",
        "proxy-authorization",
        "connection",
        "x-hop",
    ];
    for path in ["/", "/old"] {
        let mut request = Request::get(path)
            .header("connection", "x-hop")
            .header("x-kept", "yes");
        for name in forged {
            request = request.header(name, "forged");
        }
        let request = request
            .body(Full::default())
            .expect("the request is well formed");
        let reply = app.client().await.ask(request).await;
        assert!(reply.text.contains("x-kept: yes"), "{}", reply.text);
        assert!(!reply.text.contains("forged"), "{}", reply.text);
        let id = reply
            .text
            .lines()
            .find_map(|line| line.strip_prefix("x-request-id: "));
        assert!(id.is_some_and(|id| id.len() == 32), "{}", reply.text);
    }
    app.stopped().await;
}

#[tokio::test]
async fn what_a_component_prints_is_logged_with_its_name() {
    let app = TestApp::new()
        .component_of("talks", "print", "\"/...\"", "")
        .component_of("floods", "print", "\"/flood\"", "")
        // So little that no machine is slow enough to let the last line through.
        .settings("[limits]\nlog_rate = \"64KiB\"\n")
        .start()
        .await;
    app.get("/out?said-aloud").await;
    app.get("/err?complained").await;
    app.get("/open?left-open").await;
    assert!(logged(&[
        "waypost::route",
        "component=talks",
        "stdout",
        "said-aloud"
    ]));
    assert!(logged(&[
        "waypost::route",
        "component=talks",
        "stderr",
        "complained"
    ]));
    app.get("/flood?flood").await;
    assert!(logged(&["component=floods", "flood 0"]));
    assert!(logged(&["component=floods", "log cut", "log_rate"]));
    assert!(!logged(&["component=floods", "flood 99999"]));
    app.stopped().await;
}

#[tokio::test]
async fn a_line_without_an_end_is_logged_with_its_request() {
    let app = TestApp::new()
        .component_of("mumbles", "print", "\"/...\"", "")
        .start()
        .await;
    // One connection after the other, so that one instance has both requests.
    app.get("/open?first-half").await;
    eventually("the first", || logged(&["component=mumbles", "first-half"])).await;
    app.get("/out?second-half").await;
    app.stopped().await;
    let log = log();
    let request_of = |text| {
        let line = log.lines().find(|line| line.contains(text))?;
        line.split_once("request=")?.1.split(' ').next()
    };
    assert!(!logged(&["first-half", "second-half"]));
    let (first, second) = (request_of("first-half"), request_of("second-half"));
    assert!(first.is_some() && second.is_some() && first != second);
}

#[tokio::test]
async fn what_a_component_prints_forges_no_line_and_no_field() {
    let app = TestApp::new()
        .component_of("forges", "print", "\"/...\"", "")
        .start()
        .await;
    let hex = |text: &str| -> String { text.bytes().map(|byte| format!("{byte:02x}")).collect() };
    for text in [
        "fake\r2026-01-01T00:00:00Z ERROR forged",
        "fake component=other request=0",
        "fake \0 \u{1b}[2J \u{202e}desrever\u{2066}",
    ] {
        app.get(&format!("/hex?{}", hex(text))).await;
    }
    app.stopped().await;
    for shown in [
        r#"route: "fake\r2026-01-01T00:00:00Z ERROR forged" route="#,
        r#"route: "fake component=other request=0" route="#,
        r#"route: "fake \u{0} \u{1b}[2J \u{202e}desrever\u{2066}" route="#,
    ] {
        assert!(logged(&["component=forges", shown]), "{shown}");
    }
    let ours = log();
    let mut ours = ours
        .lines()
        .filter(|line| line.contains("component=forges"));
    assert!(!ours.any(|line| line.contains(['\r', '\0', '\u{1b}', '\u{202e}', '\u{2066}'])));
}
