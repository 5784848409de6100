use super::*;
use crate::policy::Draft;
use waypost_routing::Resolved;

fn policy() -> Policy {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let (query, vary) = (names(&["page", "q"]), names(&["accept"]));
    Draft {
        query,
        vary,
        ..Draft::default()
    }
    .check(&[])
    .unwrap()
}

fn path(raw: &str) -> Path {
    match Path::resolve(raw) {
        Ok(Resolved::Path(path)) => path,
        other => panic!("`{raw}` resolves to {other:?}"),
    }
}

const ROUTE: RouteId<'static> = RouteId {
    id: "blog-slug",
    digest: &[7; 32],
};

fn key(method: &str, authority: &str, raw: &str, accept: Option<&str>) -> Result<Key, Unstorable> {
    let (raw, query) = match raw.split_once('?') {
        Some((raw, query)) => (raw, Some(query)),
        None => (raw, None),
    };
    let accept = accept.map(|value| value.as_bytes().to_vec());
    let request = Request {
        method,
        scheme: "https",
        authority,
        path: &path(raw),
        query,
        header: &|name| accept.clone().filter(|_| name == "accept"),
    };
    Key::new(&request, &ROUTE, &policy())
}

fn get(raw: &str) -> Key {
    key("GET", "a.example", raw, None).unwrap()
}

#[test]
fn only_get_and_head_have_a_key() {
    assert_eq!(key("HEAD", "a.example", "/", None), Ok(get("/")));
    for method in ["POST", "PUT", "OPTIONS", "get", "QUERY", ""] {
        assert_eq!(key(method, "a.example", "/", None), Err(Unstorable::Method));
    }
}

#[test]
fn equivalent_spellings_share_a_key() {
    for (one, other) in [
        ("/a", "/%61"),
        ("/a/../b", "/b"),
        ("/a%2fb", "/a%2Fb"),
        ("/a?x=1", "/a"),
        ("/a?q=a+b", "/a?utm=1&q=a%20b"),
        ("/a?q=1&page=2", "/a?page=2&q=1"),
        ("/a?q", "/a?q="),
    ] {
        assert_eq!(get(one), get(other), "{one} {other}");
    }
    assert_eq!(key("GET", "A.Example:443", "/", None), Ok(get("/")));
    assert_eq!(
        key("GET", "a.example", "/", Some(" b ")),
        key("GET", "a.example", "/", Some("b"))
    );
}

#[test]
fn other_requests_have_another_key() {
    for (one, other) in [
        ("/a/b", "/a%2Fb"),
        ("/a", "/A"),
        ("/a?q=1", "/a"),
        ("/a?q=1&q=2", "/a?q=2&q=1"),
        ("/a?q=", "/a"),
        ("/a?q=1", "/a?page=1"),
        ("/a?q=1%26page%3D2", "/a?q=1&page=2"),
        // What an encoding without lengths would confuse.
        ("/a?page=1%01q2", "/a?page=1&q=2"),
    ] {
        assert_ne!(get(one), get(other), "{one} {other}");
    }
    assert_ne!(key("GET", "b.example", "/", None), Ok(get("/")));
    assert_ne!(key("GET", "a.example:8443", "/", None), Ok(get("/")));
    assert_ne!(key("GET", "a.example", "/", Some("")), Ok(get("/")));
}

#[test]
fn another_component_has_another_key() {
    let request = Request {
        method: "GET",
        scheme: "http",
        authority: "a",
        path: &path("/"),
        query: None,
        header: &|_| None,
    };
    let key = |id, digest| Key::new(&request, &RouteId { id, digest }, &policy()).unwrap();
    assert_ne!(key("a", &[1]), key("a", &[2]));
    assert_ne!(key("a", &[]), key("b", &[]));
    assert_ne!(key("ab", b"c"), key("a", b"bc"));
}

#[test]
fn what_a_client_makes_too_long_has_no_key() {
    let path = |path: &str| key("GET", "a", path, None).err();
    assert_eq!(path(&format!("/{}", "a".repeat(1023))), None);
    assert_eq!(
        path(&format!("/{}", "a".repeat(1024))),
        Some(Unstorable::PathTooLong)
    );
    assert_eq!(path(&"/a".repeat(32)), None);
    assert_eq!(path(&"/a".repeat(33)), Some(Unstorable::PathTooDeep));
    assert_eq!(path(&format!("/?q={}", "a".repeat(2047))), None);
    assert_eq!(
        path(&format!("/?q={}", "a".repeat(2048))),
        Some(Unstorable::QueryTooLong)
    );
    assert_eq!(path(&format!("/?x={}", "a".repeat(9999))), None);
    let accept = |length| key("GET", "a", "/", Some(&"a".repeat(length))).err();
    assert_eq!(
        (accept(2048), accept(2049)),
        (None, Some(Unstorable::HeadersTooLong))
    );
}

#[test]
fn the_encoding_is_stable() {
    // Another encoding needs another `VERSION`.
    let parts: [&[u8]; 8] = [
        b"\x01\x05\0\0\0https\x09\0\0\0a.example",
        b"\x09\0\0\0blog-slug\x20\0\0\0",
        &[7; 32],
        b"\x01\x04\0\0\0blog\x01\x01\0\0\0a\0",
        b"\x01\x04\0\0\0page\x01\0\0\x002",
        b"\0",
        b"\x06\0\0\0accept",
        b"\0",
    ];
    let key = get("/blog/a?page=2");
    assert_eq!(key.as_bytes(), parts.concat());
    assert_eq!(
        key.digest(),
        <[u8; 32]>::from(Sha256::digest(parts.concat()))
    );
    assert_eq!(key.slot(NonZeroU32::new(512).unwrap()), 156);
    assert_eq!(key.slot(NonZeroU32::MIN), 0);
}

#[test]
fn a_key_says_what_it_stands_for() {
    let parts = KeyParts::of(&get("/a%2Fb/%C3%BC:@%3F?x=1")).unwrap();
    assert_eq!(
        parts,
        KeyParts {
            scheme: "https".to_owned(),
            authority: "a.example".to_owned(),
            component: "blog-slug".to_owned(),
            path: path("/a%2Fb/%C3%BC:@%3F").to_string(),
            query: String::new(),
            headers: vec![],
        }
    );
    let secret = key(
        "GET",
        "a.example:8080",
        "/?q=a%26b+c&page=2",
        Some("secret"),
    );
    let parts = KeyParts::of(&secret.unwrap()).unwrap();
    assert_eq!(parts.authority, "a.example:8080");
    assert_eq!(
        (parts.path.as_str(), parts.query.as_str()),
        ("/", "page=2&q=a%26b%20c")
    );
    assert_eq!(parts.headers, ["accept"]);
    assert!(!format!("{parts:?}").contains("secret"));
}

#[test]
fn damaged_keys_have_no_parts() {
    let whole = key("GET", "a.example", "/a?q=1", Some("x")).unwrap();
    let whole = whole.as_bytes();
    let parts = |bytes: &[u8]| KeyParts::of(&Key::from_encoded(bytes.to_vec()));
    assert!(parts(whole).is_some());
    // Without its headers it is the key of a policy that has none.
    let headers = 4 + "accept".len() + 1 + 4 + 1;
    for end in (0..whole.len()).filter(|end| *end != whole.len() - headers) {
        assert_eq!(parts(&whole[..end]), None, "{end}");
    }
    let mut long = whole.to_vec();
    long[1..5].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(parts(&long), None);
    long[0] = VERSION + 1;
    assert_eq!(parts(&long), None);
}

#[test]
fn a_value_has_a_key_of_its_component() {
    let other = RouteId {
        id: "blog-slug2",
        ..ROUTE
    };
    let key = Key::of_data(&ROUTE, b"author 1");
    assert_eq!(key.as_bytes().len(), 33);
    assert_eq!(key, Key::of_data(&ROUTE, b"author 1"));
    for different in [
        Key::of_data(&other, b"author 1"),
        Key::of_data(&ROUTE, b"author 2"),
        Key::of_data(&ROUTE, &[b'x'; 100_000]),
    ] {
        assert_ne!(key, different);
    }
    // No response has it.
    assert_ne!(key.as_bytes()[0], get("/").as_bytes()[0]);
}
