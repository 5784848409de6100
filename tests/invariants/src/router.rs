//! The router: its own responses, and the requests that it forwards.

use waypost::Request;
use waypost::http::uri::PathAndQuery;
use waypost::http::{HeaderName, Request as HttpRequest};
use waypost_router::{Answer, Decision, Forwarding, Headers, Router, is_hop_by_hop, is_reserved};
use waypost_routing::{Path, Resolved};

use crate::input::Fields;

/// The router's table.
const ROUTES: &str = "\
root GET /
blog GET /blog/[[...slug]]
docs GET,HEAD /docs/[version]/[...page]
item GET,PUT /items/[slug]
new POST /items/new
odd - /a b/%2F
";

/// The reserved headers that the host sets. In this target they come from the host, not from the client.
const TRUSTED: [&str; 2] = ["x-forwarded-for", "x-request-id"];

/// Checks `Router::route` and `Forwarding::apply`.
///
/// Fields: method, target, `Accept` header, the authority from the host (empty for none), and headers.
pub fn router(data: &[u8]) {
    let router = Router::parse(ROUTES).unwrap();
    let mut fields = Fields::of(data);
    let (method, target, accept) = (fields.text(), fields.text(), fields.text());
    match router.route(method, target, Some(accept)) {
        Decision::Answer(answer) => assert_is_answered(&router, method, target, &answer),
        Decision::Forward(destination) => {
            let target: PathAndQuery = target.parse().expect("a forwarded target is valid");
            let authority = Some(fields.text()).filter(|authority| !authority.is_empty());
            let headers = fields
                .headers()
                .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()));
            let headers: Headers = headers.collect();
            for trusted in [&[][..], &TRUSTED] {
                assert_is_forwarded(
                    &target,
                    &destination.authority(),
                    authority,
                    &headers,
                    trusted,
                );
            }
        }
    }
}

fn assert_is_answered(router: &Router, method: &str, target: &str, answer: &Answer) {
    for (name, value) in &answer.headers {
        assert!(HeaderName::from_bytes(name.as_bytes()).is_ok());
        assert!(
            value.bytes().all(|byte| matches!(byte, b' '..=b'~')),
            "{name}: {value}"
        );
    }
    match (answer.status, answer.header("location")) {
        (308, Some(location)) => assert_leads_on(router, method, target, location),
        (204, None) => assert_eq!((method, target), ("OPTIONS", "*")),
        (400 | 404, None) => {}
        (status, location) => panic!("{target} got {status} with {location:?}"),
    }
}

/// Checks that a redirect stays on its host, keeps the query, and ends.
fn assert_leads_on(router: &Router, method: &str, target: &str, location: &str) {
    assert!(
        location.starts_with('/') && !location.starts_with("//"),
        "{location}"
    );
    assert!(
        !location.contains(['\\', '#']) || location.contains('?'),
        "{location}"
    );
    let query = |target: &str| {
        let target = target.split('#').next().unwrap_or_default();
        target.split_once('?').map(|(_, query)| query.to_owned())
    };
    assert_eq!(query(location), query(target));
    let next = router.route(method, location, None);
    if let Decision::Answer(Answer { status: 308, .. }) = &next {
        let Decision::Answer(answer) = next else {
            unreachable!("it was just matched")
        };
        let last = router.route(method, answer.header("location").unwrap(), None);
        assert!(
            !matches!(last, Decision::Answer(Answer { status: 308, .. })),
            "{target}"
        );
    }
}

/// The headers that the router adds.
const ADDED: [&str; 3] = ["x-forwarded-proto", "x-forwarded-host", "x-request-id"];

fn assert_is_forwarded(
    target: &PathAndQuery,
    inside: &str,
    authority: Option<&str>,
    sent: &Headers,
    trusted: &[&str],
) {
    let names: Vec<_> = trusted.iter().map(|name| (*name).to_owned()).collect();
    let forwarding = Forwarding {
        scheme: "https",
        authority,
        new_id: &|| "made here".to_owned(),
        trusted: &names,
    };
    let Ok(forwarded) = forwarding.apply(sent.clone()) else {
        return;
    };
    let host = authority.map(str::as_bytes).or(value(sent, "host"));
    let id = value(sent, "x-request-id").filter(|_| trusted.contains(&"x-request-id"));
    let id = id.filter(|id| str::from_utf8(id).is_ok());
    let id = id.unwrap_or(b"made here");
    assert_eq!(forwarded.id.as_bytes(), id);
    for (name, expected) in ADDED.into_iter().zip([Some(&b"https"[..]), host, Some(id)]) {
        assert_eq!(value(&forwarded.headers, name), expected, "{name}");
    }
    assert_passes(sent, &forwarded.headers, trusted);
    assert_is_understood(target, inside, &forwarded.headers);
}

/// Returns the value of the first header of this name, or `None` if there is none.
fn value<'h>(headers: &'h Headers, name: &str) -> Option<&'h [u8]> {
    let found = headers.iter().find(|(known, _)| known == name);
    found.map(|(_, value)| value.as_slice())
}

/// Checks that exactly the client's headers that are neither hop-by-hop nor reserved are forwarded.
fn assert_passes(sent: &Headers, forwarded: &Headers, trusted: &[&str]) {
    let connections = sent.iter().filter(|(name, _)| name == "connection");
    let listed: Vec<_> = connections
        .flat_map(|(_, value)| value.split(|byte| *byte == b','))
        .map(|name| name.trim_ascii().to_ascii_lowercase())
        .collect();
    let passes = |name: &str| {
        let stays = name == "host" || is_hop_by_hop(name) || is_reserved(name);
        trusted.contains(&name) || !(stays || listed.iter().any(|it| it == name.as_bytes()))
    };
    let theirs = |(name, _): &&(String, Vec<u8>)| !ADDED.contains(&name.as_str());
    let expected = sent.iter().filter(theirs).filter(|(name, _)| passes(name));
    assert!(
        forwarded.iter().filter(theirs).eq(expected),
        "{forwarded:?}"
    );
}

/// Checks that the handler sees the routed path, and the address that the client used.
fn assert_is_understood(target: &PathAndQuery, inside: &str, headers: &Headers) {
    let uri = format!("http://{inside}{target}");
    let mut request = HttpRequest::builder().uri(&uri);
    for (name, value) in headers {
        request = request.header(name, value.as_slice());
    }
    let request = Request::from(
        request
            .body(waypost::Body::empty())
            .expect("a forwarded target is valid"),
    );
    assert_eq!(request.url().scheme(), "https");
    let path = |text: &str| match Path::resolve(text) {
        Ok(Resolved::Path(path)) => path,
        other => panic!("`{text}` resolves to {other:?}"),
    };
    assert_eq!(path(request.url().path()), path(target.path()));
}
