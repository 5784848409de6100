//! The headers in which Spin describes a request, after those that the client sent
//! (`crates/trigger-http/src/headers.rs`).

use http::header::{CONNECTION, HOST, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use std::net::SocketAddr;
use waypost_config::manifest::Route;
use waypost_config::outbound::service_chaining_target;

/// The host of a request that names none.
const NO_HOST: &str = "localhost";

/// The value of a header is not UTF-8.
#[derive(Debug, thiserror::Error)]
#[error("{0} is not UTF-8")]
pub(crate) struct NotUtf8(String);

/// Removes `Connection`, and a `Host` of the app's internal addresses.
pub(crate) fn strip(headers: &mut HeaderMap) {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = host.map(|host| host.split_once(':').map_or(host, |(host, _)| host));
    if host.and_then(service_chaining_target).is_some() {
        headers.remove(HOST);
    }
    headers.remove(CONNECTION);
}

/// Adds Spin's headers. What a client sent by these names stays, and comes first.
///
/// # Errors
///
/// When the value of a header is not UTF-8.
pub(crate) fn add(
    parts: &mut Parts,
    route: &Route,
    path_info: String,
    client: SocketAddr,
) -> Result<(), NotUtf8> {
    for (name, value) in &parts.headers {
        std::str::from_utf8(value.as_bytes()).map_err(|_| NotUtf8(name.to_string()))?;
    }
    let host = match parts.headers.get(HOST) {
        Some(host) => String::from_utf8_lossy(host.as_bytes()).into_owned(),
        None => NO_HOST.to_owned(),
    };
    let scheme = parts.uri.scheme_str().unwrap_or("http");
    let target = parts.uri.path_and_query().map_or("", |path| path.as_str());
    let raw = route.to_string();
    let said = [
        ("spin-path-info", path_info),
        ("spin-full-url", format!("{scheme}://{host}{target}")),
        ("spin-matched-route", raw.clone()),
        ("spin-base-path", "/".to_owned()),
        ("spin-raw-component-route", raw.clone()),
        (
            "spin-component-route",
            raw.trim_end_matches("/...").to_owned(),
        ),
        ("spin-client-addr", client.to_string()),
    ];
    for (name, value) in said {
        // A value that no header can hold is left out.
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            parts.headers.append(HeaderName::from_static(name), value);
        }
    }
    Ok(())
}

/// Returns the part of a path that the wildcard of a route matches.
pub(crate) fn path_info(route: &Route, path: &str) -> String {
    let Route::Prefix(prefix) = route else {
        return String::new();
    };
    let rest = path.strip_prefix(prefix.trim_end_matches('/'));
    let rest = rest.unwrap_or(path).trim_matches('/');
    match (rest, path.ends_with('/')) {
        ("", false) => String::new(),
        ("", true) => "/".to_owned(),
        (rest, false) => format!("/{rest}"),
        (rest, true) => format!("/{rest}/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn said(uri: &str, sent: &[(&'static str, &str)]) -> Vec<(String, String)> {
        let mut parts = Request::get(uri).body(()).unwrap().into_parts().0;
        for (name, value) in sent {
            parts.headers.append(*name, value.parse().unwrap());
        }
        strip(&mut parts.headers);
        let route: Route = "/...".parse().unwrap();
        let info = path_info(&route, parts.uri.path());
        let client = "127.0.0.1:8777".parse().unwrap();
        add(&mut parts, &route, info, client).unwrap();
        let text = |value: &HeaderValue| value.to_str().unwrap().to_owned();
        let pairs = parts.headers.iter();
        pairs
            .map(|(name, value)| (name.to_string(), text(value)))
            .collect()
    }

    #[test]
    fn what_spin_says_follows_what_the_client_sent() {
        let sent = [
            ("host", "a.example"),
            ("spin-path-info", "/forged"),
            ("connection", "close"),
            ("te", "trailers"),
        ];
        let expected = [
            ("host", "a.example"),
            ("spin-path-info", "/forged"),
            ("spin-path-info", "/b"),
            ("te", "trailers"),
            ("spin-full-url", "http://a.example/b?c"),
            ("spin-matched-route", "/..."),
            ("spin-base-path", "/"),
            ("spin-raw-component-route", "/..."),
            ("spin-component-route", ""),
            ("spin-client-addr", "127.0.0.1:8777"),
        ];
        let mut got = said("http://a.example/b?c", &sent);
        // Taking `connection` off moves the last header to its place.
        got.sort_by_key(|(name, _)| expected.iter().position(|(known, _)| known == name));
        let got: Vec<_> = got.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(got, expected);
    }

    #[test]
    fn a_host_of_the_inside_is_taken_off() {
        for host in ["hello.spin.internal", "hello.spin.internal:80"] {
            let said = said("http://x/", &[("host", host)]);
            assert_eq!(said[1].1, "http://localhost/");
        }
    }

    #[test]
    fn the_part_of_a_wildcard() {
        for (route, path, info) in [
            ("/...", "/", "/"),
            ("/...", "/a/b", "/a/b"),
            ("/...", "/a/b/", "/a/b/"),
            ("/a/...", "/a", ""),
            ("/a/...", "/a/", "/"),
            ("/a/...", "/a/b", "/b"),
            ("/a", "/a", ""),
        ] {
            assert_eq!(path_info(&route.parse().unwrap(), path), info, "{path}");
        }
    }
}
