//! The URL of a request: its authority and scheme come from the right source, and its path is the routed one.

use waypost::http::{Request as HttpRequest, Uri};
use waypost::url::Url;
use waypost::{Body, Request};
use waypost_routing::{Path, Resolved};

use crate::input::Fields;

/// Checks `Request::url`. Fields: the target, then headers.
pub fn url(data: &[u8]) {
    let mut fields = Fields::of(data);
    let Ok(target) = fields.text().parse::<Uri>() else {
        return;
    };
    let mut request = HttpRequest::new(Body::empty());
    *request.uri_mut() = target.clone();
    request.headers_mut().extend(fields.headers());
    let request = Request::from(request);
    assert_names_a_server(request.url(), claimed_authority(&request));
    assert_has_the_routed_path(request.url(), target.path());
    let pairs = request.url().query_pairs().into_owned();
    assert!(pairs.eq(request.search_params()), "{}", request.url());
}

/// Returns the authority that the URL should have, valid or not.
fn claimed_authority(request: &Request) -> Option<&str> {
    let uri = request.uri();
    let header = |name: &str| request.headers().get(name)?.to_str().ok();
    match uri.authority() {
        Some(own) if own.host().ends_with(".spin.internal") => header("x-forwarded-host"),
        Some(own) => Some(own.as_str()),
        None => header("host"),
    }
}

/// Checks that a header affects only the origin of the URL.
fn assert_names_a_server(url: &Url, claimed: Option<&str>) {
    assert!(["http", "https"].contains(&url.scheme()), "{url}");
    assert_eq!((url.username(), url.password()), ("", None), "{url}");
    assert_eq!(url.fragment(), None, "{url}");
    let host = url.host_str().unwrap_or_default();
    let of_claim = claimed.and_then(|claimed| Url::parse(&format!("http://{claimed}/")).ok());
    let of_claim = of_claim.as_ref().and_then(Url::host_str);
    assert!(host == "localhost" || Some(host) == of_claim, "{url}");
}

fn assert_has_the_routed_path(url: &Url, sent: &str) {
    if let Ok(Resolved::Path(path)) = Path::resolve(sent) {
        assert_eq!(Path::resolve(url.path()), Ok(Resolved::Path(path)), "{url}");
    }
}
