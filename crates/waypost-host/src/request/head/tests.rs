use super::*;
use http::Request;
use std::net::Ipv4Addr;
use waypost_config::settings::Limits;

const OWN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 3000);

fn head(version: Version, target: &str, headers: &[(&str, &str)]) -> Parts {
    let mut request = Request::builder().version(version).uri(target);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request
        .body(())
        .expect("the request is well formed")
        .into_parts()
        .0
}

fn size(parts: &Parts) -> HeadSize {
    HeadSize::of(&parts.method, &parts.uri, &parts.headers)
}

fn prepared(mut parts: Parts) -> Result<String, RequestError> {
    prepare(&mut parts, None, OWN)?;
    Ok(parts.uri.to_string())
}

#[test]
fn the_authority_is_the_requests_own() {
    let one = |target, headers: &[_]| prepared(head(Version::HTTP_11, target, headers));
    assert_eq!(
        one("/a?b", &[("host", "h:1")]),
        Ok("http://h:1/a?b".to_owned())
    );
    assert_eq!(
        one("/", &[("host", "[::1]:3000")]),
        Ok("http://[::1]:3000/".to_owned())
    );
    assert_eq!(
        one("http://t/x", &[("host", "h")]),
        Ok("http://t/x".to_owned())
    );
    let two = |target, headers: &[_]| prepared(head(Version::HTTP_2, target, headers));
    assert_eq!(two("http://t/x", &[]), Ok("http://t/x".to_owned()));
    assert_eq!(
        two("http://t/x", &[("host", "h")]),
        Err(RequestError::OtherHost)
    );
}

#[test]
fn bad_hosts_are_refused() {
    for host in [
        "", "a b", "u@h", "h:x", "h:70000", "a/b", "h?", "[::1", "[x]", "%41", "é",
    ] {
        let result = prepared(head(Version::HTTP_11, "/", &[("host", host)]));
        assert_eq!(result, Err(RequestError::InvalidHost), "{host}");
    }
    let twice = prepared(head(Version::HTTP_11, "/", &[("host", "a"), ("host", "a")]));
    assert_eq!(twice, Err(RequestError::RepeatedHost));
    for target in ["/", "http://t/"] {
        let none = prepared(head(Version::HTTP_11, target, &[]));
        assert_eq!(none, Err(RequestError::MissingHost), "{target}");
    }
    let none = prepared(head(Version::HTTP_2, "/", &[]));
    assert_eq!(none, Err(RequestError::MissingHost));
}

#[test]
fn a_request_of_http_1_0_needs_no_host() {
    let own = prepared(head(Version::HTTP_10, "/a", &[]));
    assert_eq!(own, Ok("http://127.0.0.1:3000/a".to_owned()));
    let named = prepared(head(Version::HTTP_10, "/a", &[("host", "h")]));
    assert_eq!(named, Ok("http://h/a".to_owned()));
    let mut parts = head(Version::HTTP_10, "/", &[]);
    let zone = SocketAddr::V6(std::net::SocketAddrV6::new(
        std::net::Ipv6Addr::LOCALHOST,
        80,
        0,
        3,
    ));
    prepare(&mut parts, None, zone).expect("an address is an authority");
    assert_eq!(parts.uri, "http://[::1]:80/");
}

#[test]
fn a_target_has_a_path() {
    for target in ["evil.example", "evil.example:80"] {
        let result = prepared(head(Version::HTTP_11, target, &[("host", "h")]));
        assert_eq!(result, Err(RequestError::InvalidTarget), "{target}");
    }
}

#[test]
fn chunked_is_the_only_coding_and_comes_once() {
    for (lines, outcome) in [
        (&["chunked"][..], Ok(())),
        (&["Chunked"], Ok(())),
        (&["chunked, "], Ok(())),
        (&["gzip, chunked"], Err(RequestError::UnknownCoding)),
        (&["gzip", "chunked"], Err(RequestError::UnknownCoding)),
        (&["identity, chunked"], Err(RequestError::UnknownCoding)),
        (&["chunked, chunked"], Err(RequestError::RepeatedCoding)),
        (&["chunked", "chunked"], Err(RequestError::RepeatedCoding)),
        (&["chunked", "gzip"], Err(RequestError::UnknownCoding)),
    ] {
        let mut headers = vec![("host", "h")];
        headers.extend(lines.iter().map(|line| ("transfer-encoding", *line)));
        let result = prepared(head(Version::HTTP_11, "/", &headers));
        assert_eq!(result.map(drop), outcome, "{lines:?}");
    }
}

#[test]
fn an_origin_stands_for_any_host() {
    let mut parts = head(Version::HTTP_11, "/a", &[("host", "inside:3000")]);
    let origin = "https://example.com".parse().expect("it is an origin");
    prepare(&mut parts, Some(&origin), OWN).expect("the request is fine");
    assert_eq!(parts.uri, "https://example.com/a");
}

#[test]
fn large_heads_are_refused() {
    let many: Vec<(String, String)> = (0..101)
        .map(|n| (format!("x-{n}"), String::new()))
        .collect();
    let mut headers: Vec<(&str, &str)> =
        many.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    headers.push(("host", "h"));
    let many = size(&head(Version::HTTP_11, "/", &headers));
    let limits = RouteLimits::of_app(&Limits::default());
    assert_eq!(many.check(&limits), Err(RequestError::LargeHeaders));
}

#[test]
fn the_request_line_is_bounded_first_and_then_the_head_with_it() {
    let limits = Limits {
        request_line: 100,
        header_size: 200,
        ..Limits::default()
    };
    let limits = RouteLimits::of_app(&limits);
    let outcome = |target: usize, value: usize| {
        let target = format!("/{}", "a".repeat(target));
        let value = "v".repeat(value);
        let headers = [("host", "h"), ("x", value.as_str())];
        size(&head(Version::HTTP_11, &target, &headers)).check(&limits)
    };
    // `GET / HTTP/1.1` has 14 bytes, the names and the host have 6.
    assert_eq!(outcome(86, 94), Ok(()));
    assert_eq!(outcome(86, 95), Err(RequestError::LargeHeaders));
    assert_eq!(outcome(0, 180), Ok(()));
    assert_eq!(outcome(0, 181), Err(RequestError::LargeHeaders));
    for value in [0, 181] {
        assert_eq!(outcome(87, value), Err(RequestError::LongLine));
    }
}

#[test]
fn an_authority_in_the_target_counts() {
    let limits = RouteLimits::of_app(&Limits::default());
    for version in [Version::HTTP_11, Version::HTTP_2] {
        let target = format!("http://{}/", "a".repeat(20_000));
        let long = size(&head(version, &target, &[("host", "h")]));
        assert_eq!(long.check(&limits), Err(RequestError::LongLine));
    }
}
