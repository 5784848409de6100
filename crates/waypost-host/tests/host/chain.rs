//! Requests that one component makes to another.

use super::support::{TestApp, eventually, logged};
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use waypost_host::HostProfile;

#[tokio::test]
async fn a_router_reaches_handlers_in_memory() {
    let app = TestApp::new()
        .router()
        .private("hello", "")
        .private("hello02", "")
        .start()
        .await;
    let mut client = app.client().await;
    let reply = client.get("/hello/x?y").await;
    assert_eq!(reply.status, 200);
    let host = format!("x-forwarded-host: {}", app.address);
    for line in ["authority hello.spin.internal", "target /x?y", &host] {
        assert!(reply.text.contains(line), "{line} in {}", reply.text);
    }
    assert!(!reply.text.contains("\nhost:"), "{}", reply.text);
    let old = client.get("/hello02/x?y").await;
    assert!(
        old.text.contains("uri http://hello02.spin.internal/x?y"),
        "{}",
        old.text
    );
    app.stopped().await;
}

#[tokio::test]
async fn bodies_pass_through_a_router() {
    let app = TestApp::new()
        .router()
        .private("stream", "")
        .private("stream02", "")
        .start()
        .await;
    let body: Vec<u8> = (0..3_000_000_u32)
        .map(|n| b'a' + u8::try_from(n % 26).unwrap_or(0))
        .collect();
    let mut client = app.client().await;
    for path in ["/stream/echo", "/stream02/echo"] {
        let reply = client.post(path, body.clone()).await;
        assert_eq!(reply.status, 200, "{path}");
        assert!(
            reply.text.as_bytes() == body,
            "{path}: {} bytes",
            reply.text.len()
        );
    }
    app.stopped().await;
}

#[tokio::test]
async fn only_what_is_granted_is_reached() {
    let app = TestApp::new()
        .component("outbound", "\"/\"", "")
        .component_of(
            "granted",
            "outbound",
            "\"/granted\"",
            "allowed_outbound_hosts = [\"http://hello.spin.internal\"]",
        )
        .component_of(
            "old",
            "outbound02",
            "\"/old\"",
            "allowed_outbound_hosts = [\"http://*.spin.internal\"]",
        )
        .private("hello", "")
        .start()
        .await;
    let old = app.get("/old?http://hello.spin.internal/in").await;
    assert!(
        old.text.starts_with("200") && old.text.contains("target /in"),
        "{}",
        old.text
    );
    let denied = app.get("/?http://hello.spin.internal/").await;
    assert!(denied.text.contains("HttpRequestDenied"), "{}", denied.text);
    assert!(logged(&[
        "\"http://hello.spin.internal\"",
        "allowed_outbound_hosts",
        "[component.outbound]"
    ]));
    let granted = app.get("/granted?http://hello.spin.internal/in").await;
    assert!(
        granted.text.starts_with("200") && granted.text.contains("target /in"),
        "{}",
        granted.text
    );
    app.stopped().await;
}

#[tokio::test]
async fn a_missing_component_and_a_wrong_port_are_errors() {
    let app = TestApp::new()
        .router()
        .component(
            "outbound",
            "\"/out\"",
            "allowed_outbound_hosts = [\"http://*.spin.internal\"]",
        )
        .start()
        .await;
    for url in [
        "http://nobody.spin.internal/",
        "http://router.spin.internal:8080/",
        "https://router.spin.internal/",
    ] {
        let reply = app.get(&format!("/out?{url}")).await;
        assert!(
            reply.text.contains("HttpRequestDenied") || reply.text.contains("DestinationNotFound"),
            "{url}: {}",
            reply.text
        );
    }
    app.stopped().await;
}

#[tokio::test]
async fn components_that_call_each_other_for_ever_are_stopped() {
    let app = TestApp::new().router().start().await;
    let path = "/router".repeat(40);
    assert_eq!(app.get(&path).await.status, 500);
    assert!(logged(&["component=router", "loop"]));
    app.stopped().await;
}

#[tokio::test]
async fn a_component_reaches_the_front_door_of_its_own_app() {
    let app = TestApp::new()
        .router()
        .component("hello", "\"/hi\"", "")
        .start()
        .await;
    let reply = app.get("/self/hi").await;
    assert!(reply.text.contains("target /hi"), "{}", reply.text);
    app.stopped().await;
}

#[tokio::test]
async fn a_failing_handler_is_a_500_to_its_router() {
    let app = TestApp::new().router().private("trap", "").start().await;
    let mut client = app.client().await;
    for path in ["/trap/trap", "/trap/error"] {
        let reply = client.get(path).await;
        assert_eq!((reply.status.as_u16(), reply.text.as_str()), (500, ""));
        let id = reply.headers["x-request-id"]
            .to_str()
            .expect("the id is text")
            .to_owned();
        eventually("the cause", || {
            logged(&["component=trap", &id, "asked to"])
                || logged(&["component=trap", &id, "unreachable"])
        })
        .await;
    }
    assert_eq!(client.get("/trap/").await.status, 200);
    app.stopped().await;
}

#[tokio::test]
async fn a_client_that_leaves_a_wasi_0_2_component_does_too() {
    let app = TestApp::new()
        .component_of(
            "asks",
            "outbound02",
            "\"/...\"",
            "allowed_outbound_hosts = [\"http://*.spin.internal\"]",
        )
        .private("slow", "")
        .start()
        .await;
    let mut client = app.client().await;
    let asking =
        tokio::spawn(async move { client.get("/?http://slow.spin.internal/?50001").await });
    eventually("the handler's start", || logged(&["slow began 50001"])).await;
    asking.abort();
    eventually("the end of both instances", || app.host.instances() == 0).await;
    assert!(!logged(&["slow ended 50001"]));
    app.stopped().await;
}

#[tokio::test]
async fn a_client_that_leaves_takes_its_chain_along() {
    let app = TestApp::new().router().private("slow", "").start().await;
    let mut client = app.client().await;
    let asking = tokio::spawn(async move { client.get("/slow/?50000").await });
    eventually("the handler's start", || logged(&["slow began 50000"])).await;
    asking.abort();
    eventually("the end of both instances", || app.host.instances() == 0).await;
    assert!(!logged(&["slow ended 50000"]));
    app.stopped().await;
}

#[tokio::test]
async fn what_follows_from_one_request_is_bounded() {
    let grant = "allowed_outbound_hosts = [\"http://slow.spin.internal\"]";
    let app = TestApp::new()
        .component("outbound", "\"/\"", grant)
        .pattern("outbound", "/")
        .component("hello", "\"/hello\"", "")
        .private("slow", "")
        .start()
        .await;
    let slow = "http://slow.spin.internal/?1000";
    let many = format!("/?40*{slow}");
    let (reply, other) = tokio::join!(app.get(&many), app.get("/hello"));
    assert_eq!(other.status, 200);
    let answered = |status| {
        reply
            .text
            .lines()
            .filter(|line| line.starts_with(status))
            .count()
    };
    let counts = (answered("200 awake"), answered("503 "));
    assert_eq!(counts, (32, 8), "{}", reply.text);
    assert!(logged(&["component=slow", "one client's request"]));
    assert_eq!(
        app.get(&format!("/?32*{slow}"))
            .await
            .text
            .matches("200")
            .count(),
        32
    );
    app.stopped().await;
}

#[tokio::test]
async fn a_composition_passes_headers_on_that_a_host_forbids_to_set() {
    for profile in [HostProfile::Waypost, HostProfile::Spin] {
        let app = TestApp::new()
            .component("composed", "\"/...\"", "")
            .profile(profile)
            .start()
            .await;
        // Reserved, so that the headers are not passed on as they are.
        let request = Request::get("/")
            .header("x-forwarded-host", "evil.example")
            .header("proxy-authorization", "secret")
            .header("x-a", "1")
            .body(Full::<Bytes>::default())
            .expect("the request is well formed");
        let reply = app.client().await.ask(request).await;
        assert_eq!(reply.status, 200, "{profile:?}");
        assert!(reply.text.contains("x-a"), "{}", reply.text);
        assert!(!reply.text.contains("x-forwarded-host"), "{}", reply.text);
        app.stopped().await;
    }
}

#[tokio::test]
async fn requests_that_follow_from_one_are_bounded() {
    let grant = "allowed_outbound_hosts = [\"http://slow.spin.internal\"]";
    for (pattern, settings, granted) in [
        (Some("/asks"), "[limits]\ninner_requests = 3\n", 3),
        (
            Some("/asks"),
            "[limits]\ninner_requests = 3\n[routes.\"/asks\".limits]\ninner_requests = 5\n",
            5,
        ),
        // Without a pattern it is taken for a router, which forwards its client's request besides.
        (None, "[limits]\ninner_requests = 3\n", 4),
    ] {
        let app = TestApp::new()
            .component_of("asks", "outbound", "\"/...\"", grant)
            .private("slow", "");
        let app = match pattern {
            Some(pattern) => app.pattern("asks", pattern),
            None => app,
        };
        let app = app.settings(settings).start().await;
        let reply = app.get("/?8*http://slow.spin.internal/?400").await;
        let answered = |what| reply.text.matches(what).count();
        let counts = (answered("200 awake"), answered("503"));
        assert_eq!(counts, (granted, 8 - granted), "{}", reply.text);
        let number = format!(
            "{} requests to the app",
            granted.min(5) - usize::from(pattern.is_none())
        );
        assert!(logged(&[
            "component=slow",
            "bound=\"inner_requests\"",
            &number
        ]));
        app.stopped().await;
    }
}
