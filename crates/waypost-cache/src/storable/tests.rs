use super::*;
use crate::policy::Draft;
use waypost_routing::ParamValue;

fn policy() -> Policy {
    let draft = Draft {
        revalidate: Some("1h".to_owned()),
        tags: vec!["post-{slug}".to_owned()],
        vary: vec!["accept".to_owned()],
        ..Draft::default()
    };
    draft.check(&[]).unwrap()
}

fn params(slug: &str) -> Params {
    [("slug".to_owned(), ParamValue::One(slug.to_owned()))]
        .into_iter()
        .collect()
}

fn judge(status: u16, headers: &[(&str, &str)]) -> Result<Storable, Unstorable> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), value.as_bytes().to_vec());
    let headers: Vec<_> = headers.iter().map(owned).collect();
    storable(status, &headers, &policy(), &params("a"), PathSpace::Open)
}

#[test]
fn few_statuses_are_stored() {
    for status in [200, 201, 203, 301, 302, 303, 307, 308, 404, 410] {
        assert!(judge(status, &[]).is_ok(), "{status}");
    }
    for status in [
        202, 204, 206, 300, 304, 400, 401, 403, 405, 429, 500, 502, 503, 599,
    ] {
        assert_eq!(judge(status, &[]), Err(Unstorable::Status(status)));
    }
}

#[test]
fn headers_that_forbid_storing() {
    let no = |name, value| judge(200, &[(name, value)]).unwrap_err();
    assert_eq!(no("Set-Cookie", "a=1"), Unstorable::SetCookie);
    assert_eq!(
        no("Cache-Control", "max-age=1, No-Store"),
        Unstorable::NoStore
    );
    assert_eq!(no("cache-control", "private=\"x\""), Unstorable::Private);
    assert_eq!(
        no("vary", "Accept, Origin"),
        Unstorable::Vary("origin".to_owned())
    );
    assert_eq!(no("vary", "*"), Unstorable::Vary("*".to_owned()));
    assert_eq!(no("trailer", "x"), Unstorable::Trailers);
    assert_eq!(no("x-waypost-life", "no-store"), Unstorable::NoStore);
    assert_eq!(no("x-waypost-life", "soon"), Unstorable::Life);
    assert_eq!(
        no("x-waypost-tags", "a,%ZZ"),
        Unstorable::Tag(TagError::Malformed)
    );
}

#[test]
fn headers_that_allow_storing() {
    for (name, value) in [
        ("vary", "ACCEPT"),
        ("vary", ""),
        ("cache-control", "public, max-age=60, x-private=1"),
        ("cache-control", "no-cache"),
        ("cookie", "a=1"),
    ] {
        assert!(judge(200, &[(name, value)]).is_ok(), "{name}: {value}");
    }
    assert_eq!(
        storable(
            200,
            &[("vary".to_owned(), vec![0xFF])],
            &policy(),
            &params("a"),
            PathSpace::Open
        ),
        Err(Unstorable::Vary("?".to_owned()))
    );
}

#[test]
fn tags_and_life_come_from_policy_and_response() {
    let headers = [
        ("x-waypost-tags", "front,post-a"),
        ("x-waypost-tags", "b"),
        ("x-waypost-life", "revalidate=300, expire=600"),
    ];
    let stored = judge(200, &headers).unwrap();
    assert_eq!(stored.tags, ["post-a", "front", "b"]);
    assert_eq!(stored.life.revalidate(), Some(Duration::from_secs(300)));
    assert_eq!(stored.life.expire(), Duration::from_secs(600));
    assert_eq!(
        judge(404, &[]).unwrap().life.expire(),
        Duration::from_secs(60)
    );
    let closed = storable(404, &[], &policy(), &params("a"), PathSpace::Closed).unwrap();
    assert_eq!(closed.life, policy().life());
}

#[test]
fn a_tag_that_a_client_makes_too_long_forbids_storing() {
    let long = params(&"x".repeat(300));
    assert_eq!(
        storable(200, &[], &policy(), &long, PathSpace::Open),
        Err(Unstorable::Tag(TagError::TooLong))
    );
}

#[test]
fn bodies_have_a_bound() {
    assert_eq!(check_length(8, 8), Ok(()));
    assert_eq!(check_length(9, 8), Err(Unstorable::TooLarge));
}

#[test]
fn some_reasons_last() {
    assert!(Unstorable::SetCookie.is_lasting() && Unstorable::TooLarge.is_lasting());
    assert!(Unstorable::Status(400).is_lasting() && !Unstorable::Status(400).is_failure());
    for status in [408, 425, 429, 500, 503] {
        assert!(!Unstorable::Status(status).is_lasting(), "{status}");
        assert!(Unstorable::Status(status).is_failure(), "{status}");
    }
    assert!(!Unstorable::Invalidated.is_lasting() && Unstorable::Invalidated.is_failure());
}
