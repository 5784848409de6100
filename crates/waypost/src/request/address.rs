//! The address that a client used.

use http::Uri;
use http::request::Parts;
use url::Url;

/// The address that the client used.
///
/// Behind the router the authority is `<id>.spin.internal`, and only then do `X-Forwarded-Host` and
/// `X-Forwarded-Proto` count: the router has overwritten whatever the client sent there.
pub(crate) fn public_url(head: &Parts) -> Url {
    let text = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    let own = head.uri.authority().map(|authority| authority.as_str());
    let (scheme, authority) = match is_inside(&head.uri) {
        true => (text("x-forwarded-proto"), text("x-forwarded-host")),
        false => (head.uri.scheme_str(), own.or_else(|| text("host"))),
    };
    let origin = format!(
        "{}://{}",
        scheme.unwrap_or("http"),
        authority.unwrap_or("localhost")
    );
    let target = head
        .uri
        .path_and_query()
        .map_or("/", |target| target.as_str());
    Url::parse(&format!("{origin}{target}"))
        .or_else(|_| Url::parse(&format!("http://localhost{target}")))
        .unwrap_or_else(|_| Url::parse("http://localhost/").expect("a constant URL is valid"))
}

/// Tells whether a request came through the router.
pub(crate) fn is_inside(uri: &Uri) -> bool {
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
        assert_eq!(
            url(Request::get("/a").with_header("host", "a b")),
            "http://localhost/a"
        );
    }
}
