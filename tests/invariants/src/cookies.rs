//! Cookies: reading those of the client, and writing `Set-Cookie` lines without injected attributes.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use waypost::cookies::{Cookie, Cookies};
use waypost::http::{HeaderValue, Response as HttpResponse, header};
use waypost::{Body, Request, Response};

use crate::input::Fields;

/// Checks `Cookies`.
///
/// Fields: a `Cookie` header, then for each cookie to set its name, value, path, domain and lifetime. The lifetime is a
/// number of seconds for `Max-Age`, or after a `@` for `Expires`.
pub fn cookies(data: &[u8]) {
    let mut fields = Fields::of(data);
    if let Ok(line) = HeaderValue::from_maybe_shared(Bytes::copy_from_slice(fields.bytes())) {
        assert_can_be_changed(&line);
    }
    let texts: Vec<_> = fields.texts().collect();
    let (cookies, _) = texts.as_chunks();
    for cookie in cookies {
        set(cookie);
    }
}

/// Checks that changing one cookie of a request keeps the others, also in the header.
fn assert_can_be_changed(line: &HeaderValue) {
    let mut request = Request::get("/");
    request.headers_mut().insert(header::COOKIE, line.clone());
    let mut expected = values(&request.cookies());
    request.cookies_mut().set("added", "1;\u{e9}").unwrap();
    expected.insert("added".to_owned(), "1;\u{e9}".to_owned());
    assert_eq!(values(&request.cookies()), expected);
    // A few are enough: checking each of many would take too long.
    for name in expected.keys().take(3) {
        let mut request = sent_again(&request);
        request.cookies_mut().delete(name);
        let mut expected = expected.clone();
        expected.remove(name);
        assert_eq!(values(&request.cookies()), expected);
    }
}

fn sent_again(request: &Request) -> Request {
    let mut again = Request::get("/");
    *again.headers_mut() = request.headers().clone();
    again
}

fn values(cookies: &Cookies) -> BTreeMap<String, String> {
    let all = cookies.all();
    let values: BTreeMap<_, _> = all
        .iter()
        .map(|cookie| (cookie.name().to_owned(), cookie.value().to_owned()))
        .collect();
    assert_eq!(values.len(), all.len(), "a name occurs twice");
    values
}

fn set(&[name, value, path, domain, lifetime]: &[&str; 5]) {
    let cookie = with_lifetime(Cookie::new(name, value), lifetime);
    let cookie = cookie.path(path).domain(domain).secure().http_only();
    let response = Response::new("").with_cookie(cookie.clone());
    let response = HttpResponse::<Body>::from(response);
    let lines: Vec<_> = response
        .headers()
        .get_all(header::SET_COOKIE)
        .iter()
        .collect();
    match lines.as_slice() {
        [] => assert_eq!(response.status(), 500),
        [line] => assert_says(line.to_str().unwrap(), &cookie),
        lines => panic!("one cookie became {lines:?}"),
    }
}

fn with_lifetime(cookie: Cookie, lifetime: &str) -> Cookie {
    if let Some(seconds) = lifetime.strip_prefix('@') {
        let seconds: i64 = seconds.parse().unwrap_or_default();
        let distance = Duration::from_secs(seconds.unsigned_abs());
        let time = match seconds < 0 {
            true => SystemTime::UNIX_EPOCH.checked_sub(distance),
            false => SystemTime::UNIX_EPOCH.checked_add(distance),
        };
        return time.map_or(cookie.clone(), |time| cookie.expires(time));
    }
    match lifetime.parse() {
        Ok(seconds) => cookie.max_age(seconds),
        Err(_) => cookie,
    }
}

/// Checks that the line has exactly the attributes that were set, and that the value survives a round trip.
fn assert_says(line: &str, cookie: &Cookie) {
    assert!(
        line.bytes().all(|byte| matches!(byte, b' '..=b'~')),
        "{line:?}"
    );
    let (pair, attributes) = line.split_once("; ").expect("there are attributes");
    let names = attributes
        .split("; ")
        .map(|it| it.split_once('=').map_or(it, |(name, _)| name));
    let written = |name, condition: bool| condition.then_some(name);
    let expires = cookie.expires_attribute().is_some() || cookie.max_age_attribute().is_some();
    let expected = [
        written("Path", !cookie.path_attribute().is_empty()),
        written(
            "Expires",
            expires && names.clone().any(|name| name == "Expires"),
        ),
        written("Max-Age", cookie.max_age_attribute().is_some()),
        written("Domain", cookie.domain_attribute().is_some()),
        Some("Secure"),
        Some("HttpOnly"),
    ];
    assert!(names.eq(expected.into_iter().flatten()), "{line:?}");
    assert_is_understood(line, cookie);
    let client = Request::get("/").with_header("cookie", pair);
    let found = client.cookies().get(cookie.name());
    assert_eq!(found.unwrap().value(), cookie.value(), "{line:?}");
}

/// Checks that another parser of cookies reads the same.
fn assert_is_understood(line: &str, cookie: &Cookie) {
    let found = cookie::Cookie::parse(line).unwrap();
    assert_eq!(found.name(), cookie.name());
    assert_eq!(
        found.path().unwrap_or_default(),
        cookie.path_attribute().trim()
    );
    // A client ignores a leading dot (RFC 6265 section 5.2.3), and `cookie` does so in some places.
    let domain = |domain: Option<&str>| {
        let domain =
            domain.map(|domain| domain.trim_start_matches([' ', '.']).trim_end().to_owned());
        domain.filter(|domain| !domain.is_empty())
    };
    assert_eq!(
        domain(found.domain()),
        domain(cookie.domain_attribute()),
        "{line:?}"
    );
    let max_age = found.max_age().map(|age| age.whole_seconds());
    assert_eq!(
        max_age,
        cookie.max_age_attribute().map(|age| age.max(0)),
        "{line:?}"
    );
    assert_eq!(
        line.contains("; Expires="),
        found.expires_datetime().is_some(),
        "{line:?}"
    );
}
