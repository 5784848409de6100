//! The URL that a client used, reconstructed from the request that reaches the handler.

use http::Uri;
use http::request::Parts;
use http::uri::Authority;
use url::Url;
use waypost_routing::{Path, Resolved};

/// Returns the URL that the client used.
///
/// Behind the router the authority is `<id>.spin.internal`. Only then do `X-Forwarded-Host` and `X-Forwarded-Proto`
/// count: the router has overwritten whatever the client sent in them.
pub(crate) fn public_url(head: &Parts) -> Url {
    let (scheme, authority) = public_origin(head);
    let mut url = origin(scheme, authority);
    url.set_path(head.uri.path());
    // `url` 2.5 turns `/a:/../b` into `/a:/b`, as if `a:` were a drive of a `file:` URL. Code that checks the URL has
    // to see the path that was routed.
    let routed = Path::resolve(head.uri.path());
    if let Ok(Resolved::Path(path)) = &routed
        && Path::resolve(url.path()) != routed
    {
        url.set_path(&path.to_string());
    }
    url.set_query(head.uri.query());
    url
}

/// Returns the scheme and the authority that the client used. The authority may be empty or invalid.
pub(crate) fn public_origin(head: &Parts) -> (&str, &str) {
    let text = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    let own = head.uri.authority().map(|authority| authority.as_str());
    let (scheme, authority) = match is_from_router(&head.uri) {
        true => (text("x-forwarded-proto"), text("x-forwarded-host")),
        false => (head.uri.scheme_str(), own.or_else(|| text("host"))),
    };
    let scheme = scheme.filter(|scheme| *scheme == "https").unwrap_or("http");
    (scheme, authority.unwrap_or_default())
}

/// Returns the URL of a server. An invalid authority, such as `host/path`, is ignored: a client can change the host
/// but never the path.
fn origin(scheme: &str, authority: &str) -> Url {
    let server = authority.parse::<Authority>().ok().and_then(|authority| {
        // User information is not part of it (RFC 9110 section 4.2.4).
        let server = authority.as_str().rsplit('@').next()?;
        Url::parse(&format!("{scheme}://{server}/")).ok()
    });
    server.unwrap_or_else(|| {
        #[expect(
            clippy::expect_used,
            reason = "the scheme is `http` or `https`, and `localhost` is a valid host"
        )]
        let localhost = Url::parse(&format!("{scheme}://localhost/")).expect("a valid URL");
        localhost
    })
}

/// Returns whether a request came through the router.
pub(crate) fn is_from_router(uri: &Uri) -> bool {
    uri.host()
        .is_some_and(|host| host.ends_with(".spin.internal"))
}

#[cfg(test)]
mod tests {
    use crate::Request;

    #[test]
    fn the_public_url() {
        let forwarded = |target: &str| {
            Request::get(target)
                .with_header("host", "direct.example:8080")
                .with_header("x-forwarded-host", "public.example")
                .with_header("x-forwarded-proto", "https")
        };
        let url = |req: Request| req.url().to_string();
        assert_eq!(
            url(forwarded("/a?b=%20")),
            "http://direct.example:8080/a?b=%20"
        );
        assert_eq!(
            url(forwarded("http://x.spin.internal/a")),
            "https://public.example/a"
        );
        for host in ["a b", "a/b", "a?b", "a#b", "a\\b", ""] {
            let req = Request::get("/a?c").with_header("host", host);
            assert_eq!(url(req), "http://localhost/a?c", "{host:?}");
        }
    }

    #[test]
    fn a_public_url_has_a_host_and_a_path() {
        for (target, url) in [
            ("http://u:p@a.example:81/x", "http://a.example:81/x"),
            ("http://a.example//x", "http://a.example//x"),
            ("ftp://a.example/x", "http://a.example/x"),
            ("*", "http://localhost/*"),
            ("/a:/../b%7E", "http://localhost/b~"),
        ] {
            assert_eq!(Request::get(target).url().as_str(), url);
        }
    }
}
