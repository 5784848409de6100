use super::*;

fn allowed(entries: &[&str]) -> AllowedHosts {
    let entries: Vec<_> = entries.iter().map(ToString::to_string).collect();
    AllowedHosts::parse(&entries, &app()).unwrap()
}

fn app() -> Vec<ComponentId> {
    ["router", "items-slug", "SHOUT"]
        .iter()
        .map(|id| id.parse().unwrap())
        .collect()
}

/// Splits a URL as a host splits the URI of a request.
fn asks(allowed: &AllowedHosts, url: &str) -> bool {
    let (scheme, authority) = url.split_once("://").unwrap();
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
            allowed.allows(scheme, host, Some(port.parse().unwrap()))
        }
        _ => allowed.allows(scheme, authority, None),
    }
}

#[test]
fn entries_allow_the_same_as_in_spin() {
    for (entry, url, expected) in [
        // Schemes
        ("http://example.com", "http://example.com", true),
        ("http://example.com", "HTTP://example.com", true),
        ("http://example.com", "https://example.com", false),
        ("*://example.com:443", "https://example.com", true),
        ("*://example.com:443", "http://example.com", false),
        ("*://example.com:443", "http://example.com:443", true),
        ("redis://example.com", "redis://example.com", true),
        // Ports
        ("http://example.com", "http://example.com:80", true),
        ("http://example.com", "http://example.com:81", false),
        ("http://example.com:", "http://example.com", true),
        ("http://example.com:80", "http://example.com", true),
        ("https://example.com:8443", "https://example.com:8443", true),
        ("https://example.com:8443", "https://example.com", false),
        ("http://example.com:*", "http://example.com:9", true),
        (
            "http://example.com:8000..8002",
            "http://example.com:7999",
            false,
        ),
        (
            "http://example.com:8000..8002",
            "http://example.com:8000",
            true,
        ),
        (
            "http://example.com:8000..8002",
            "http://example.com:8001",
            true,
        ),
        (
            "http://example.com:8000..8002",
            "http://example.com:8002",
            false,
        ),
        ("foo://example.com:1", "foo://example.com", false),
        ("foo://example.com:*", "foo://example.com", true),
        // Domains
        ("http://Example.COM", "http://eXample.com", true),
        ("http://example.com/", "http://example.com", true),
        (" http://example.com ", "http://example.com", true),
        ("http://example.com", "http://a.example.com", false),
        ("http://example.com", "http://example.com.evil.test", false),
        ("http://bücher.test", "http://xn--bcher-kva.test", true),
        ("http://*", "http://anything.test", true),
        ("http://*", "http://127.0.0.1", true),
        ("http://*", "http://bad host", false),
        ("http://*", "https://anything.test", false),
        ("*://*:*", "foo://anything.test", true),
        ("http://*.example.com", "http://a.example.com", true),
        ("http://*.Example.com", "http://a.b.example.com", true),
        ("http://*.example.com", "http://example.com", false),
        ("http://*.example.com", "http://notexample.com", false),
        // Addresses
        ("http://127.0.0.1", "http://127.0.0.1", true),
        ("http://127.0.0.1", "http://127.1", true),
        ("http://127.0.0.1", "http://0x7f000001", true),
        ("http://127.0.0.1", "http://localhost", false),
        ("http://[::1]", "http://[::1]", true),
        ("http://[::1]", "http://[0:0::1]", true),
        ("http://[::1]", "http://[::2]", false),
        ("http://[::1]:8080", "http://[::1]:8080", true),
        ("http://10.1.2.3/8", "http://10.255.0.1", true),
        ("http://10.0.0.0/8", "http://11.0.0.1", false),
        ("http://0.0.0.0/0", "http://203.0.113.9", true),
        ("http://0.0.0.0/0", "http://[::1]", false),
        ("http://::/0", "http://[2001:db8::1]", true),
        ("http://10.0.0.0/8", "http://ten.test", false),
        ("*://127.0.0.1/24:63551", "tcp://127.0.0.9:63551", true),
        ("http://2001:db8::/32", "http://[2001:db8:abcd::1]", true),
        ("http://2001:db8::/32", "http://[2001:db9::1]", false),
        ("http://2001:db8::/32:81", "http://[2001:db8::1]:81", true),
        ("http://2001:db8::/32:81", "http://[2001:db8::1]", false),
        // Components of the app
        (
            "http://*.spin.internal",
            "http://items-slug.spin.internal",
            true,
        ),
        ("http://*.spin.internal", "http://shout.spin.internal", true),
        (
            "http://*.spin.internal",
            "http://items-slug.spin.internal:81",
            false,
        ),
        (
            "http://*.spin.internal",
            "https://items-slug.spin.internal",
            false,
        ),
        (
            "http://*.spin.internal",
            "http://other.spin.internal",
            false,
        ),
        (
            "http://*.spin.internal",
            "http://a.router.spin.internal",
            false,
        ),
        (
            "http://router.spin.internal",
            "http://router.spin.internal",
            true,
        ),
        (
            "http://router.spin.internal",
            "http://items-slug.spin.internal",
            false,
        ),
        ("http://*", "http://items-slug.spin.internal", true),
        // The app itself
        ("http://self", "http://self.alt", true),
        ("http://self.alt", "http://self.alt", true),
        ("https://self", "http://self.alt", true),
        ("redis://self", "http://self.alt", false),
        ("http://self", "http://self", false),
        ("http://*", "http://self.alt", true),
        ("http://example.com", "http://self.alt", false),
        ("http://self", "http://example.com", false),
    ] {
        assert_eq!(
            asks(&allowed(&[entry]), url),
            expected,
            "{entry} grants {url}"
        );
    }
}

#[test]
fn one_matching_entry_is_enough_and_no_entry_allows_nothing() {
    let some = allowed(&["http://a.test", "http://b.test:81"]);
    assert!(asks(&some, "http://a.test") && asks(&some, "http://b.test:81"));
    assert!(!asks(&some, "http://a.test:81") && !asks(&some, "http://b.test"));
    assert!(!asks(&AllowedHosts::default(), "http://a.test"));
    assert!(!AllowedHosts::default().allows_self());
}

#[test]
fn invalid_entries_are_refused_with_the_reason() {
    for (entry, reason) in [
        ("example.com", "it must have a scheme"),
        ("example.com:8080", "it must have a scheme"),
        ("[::1]:8080", "it must have a scheme"),
        ("*", "to allow everything"),
        ("", "to allow everything"),
        ("insecure:allow-all", "to allow everything"),
        ("{http,https}://example.com", "lists of schemes"),
        ("ht1p://example.com:1", "must consist of letters"),
        ("://example.com:1", "must consist of letters"),
        ("foo://example.com", "scheme `foo` has no default port"),
        ("*://example.com", "scheme `*` has no default port"),
        ("http://{a,b}", "lists of hosts"),
        ("http://example.com/a", "must not have a path"),
        ("http://example.com//", "must not have a path"),
        ("http://self//", "must not have a path"),
        ("http://127.0.0.0/24/p", "must not have a path"),
        ("http://127.0.0.0/33", "must not have a path"),
        ("http://a.*.com", "`*` may be the whole host"),
        ("http://*.*.com", "`*` may be the whole host"),
        ("http://*.127.0.0.1", "after `*.`"),
        ("http://*.[::1]:80", "after `*.`"),
        ("http://", "not a domain or an address"),
        ("http://exa mple.com", "not a domain or an address"),
        ("http://example%GG.com", "not a domain or an address"),
        ("http://[::1", "host `[:` is not a domain"),
        ("http://*.", "not a domain or an address"),
        ("http://example.com:80:90", "not a domain or an address"),
        ("http://example.com:http", "port `http` is not a number"),
        ("http://example.com:99999", "port `99999` is not a number"),
        ("http://example.com:8O8O", "port `8O8O` is not a number"),
        ("http://example.com:80..", "port `80..` is not a number"),
        ("http://example.com:8080..70000", "is not a number"),
        ("http://example.com:90..80", "is empty"),
        ("http://example.com:{80,81}", "lists of ports"),
        ("http://example.com:80/p", "followed by a path"),
    ] {
        let errors = AllowedHosts::parse(&[entry.to_owned()], &[]).unwrap_err();
        let message = errors[0].to_string();
        assert!(message.contains(reason), "{entry}: {message}");
    }
}

#[test]
fn every_invalid_entry_is_reported() {
    let entries = ["a", "http://ok.test", "b"].map(str::to_owned);
    let errors = AllowedHosts::parse(&entries, &[]).unwrap_err();
    assert_eq!(errors, [OutboundError::NoScheme, OutboundError::NoScheme]);
}

#[test]
fn component_ids_are_read_from_hosts() {
    for (host, expected) in [
        ("items-slug.spin.internal", Some("items-slug")),
        ("items-slug.SPIN.internal", Some("items-slug")),
        ("a.b.spin.internal", None),
        ("spin.internal", None),
        ("items-slug.spin.internal.test", None),
        ("example.com", None),
        ("", None),
    ] {
        assert_eq!(service_chaining_target(host), expected, "{host}");
    }
}

#[test]
fn the_most_specific_entry_counts() {
    let allowed = allowed(&[
        "http://*:*",
        "http://*.example.com",
        "http://db.example.com",
        "http://10.0.0.0/8",
        "http://127.0.0.1:80",
    ]);
    for (host, expected) in [
        ("other.example", Grant::Wildcard),
        ("a.example.com", Grant::Wildcard),
        ("db.example.com", Grant::Name),
        ("10.1.2.3", Grant::Address),
        ("127.0.0.1", Grant::Address),
        // The same address, in another notation.
        ("2130706433", Grant::Address),
        ("127.0.0.2", Grant::Wildcard),
    ] {
        assert_eq!(allowed.grant("http", host, None), Some(expected), "{host}");
    }
    assert_eq!(allowed.grant("https", "db.example.com", None), None);
}
