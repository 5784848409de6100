//! Invariants that hold for every input. The property tests call them with generated inputs, and the fuzz targets
//! through `tests/invariants` of the workspace.

use sha2::{Digest as _, Sha256};
use waypost_cache::headers::{is_hop_by_hop, is_internal, is_not_modified, stored_headers};
use waypost_cache::internal::{parse_life, parse_tags, write_life, write_tags};
use waypost_cache::key::RouteId;
use waypost_cache::life::PathSpace;
use waypost_cache::policy::Draft;
use waypost_cache::request::keeps_header;
use waypost_cache::storable::{Headers, storable};
use waypost_cache::{Entry, Key, Outcome, Policy, Request, Revalidation, Sealed};
use waypost_routing::{Params, Path, Resolved};

/// Checks the decoding of an entry, with the bytes as they are and with a correct checksum behind them. The second reaches
/// the code behind the checksum.
pub fn entry(bytes: &[u8]) {
    assert_decodes_exactly(bytes);
    let content = [b"WPC\x01", bytes].concat();
    let digest = Sha256::digest(&content);
    assert_decodes_exactly(&[&content, &digest[..16]].concat());
}

/// Checks that an entry is what its bytes say, and takes memory in proportion to them.
fn assert_decodes_exactly(bytes: &[u8]) {
    let Ok((entry, body)) = Entry::from_bytes(bytes) else {
        return;
    };
    assert_eq!(entry.to_bytes(&body), bytes);
    let body_length = body.iter().map(|part| part.len()).sum();
    assert!(entry.weight(body_length) <= 512 + 16 * bytes.len());
    for (name, value) in &entry.headers {
        assert!(
            name.bytes()
                .all(|byte| byte.is_ascii_graphic() && !byte.is_ascii_uppercase())
        );
        assert!(!value.contains(&b'\n') && !value.contains(&b'\r'));
    }
}

/// The parts of a request that a client chooses.
#[derive(Clone, Copy, Debug)]
pub struct Sent<'a> {
    /// The authority.
    pub authority: &'a str,
    /// The path and query.
    pub target: &'a str,
    /// The values of the headers `accept`, which is in the policy, and `cookie`, which is not.
    pub headers: [Option<&'a [u8]>; 2],
}

/// Checks that two requests have the same key exactly if a sealed run can't tell them apart.
pub fn key(one: Sent<'_>, other: Sent<'_>) {
    let (Some(one), Some(other)) = (keyed(one), keyed(other)) else {
        return;
    };
    assert_eq!(one.0 == other.0, one.1 == other.1, "{one:?} {other:?}");
    let digests = [&one, &other].map(|(key, _)| key.digest());
    assert_eq!(one.0 == other.0, digests[0] == digests[1]);
}

/// The policy of the requests in [`key`].
fn policy() -> Policy {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let draft = Draft {
        query: names(&["page", "q", "ü &="]),
        vary: names(&["accept"]),
        ..Draft::default()
    };
    draft.check(&[]).unwrap()
}

/// What a sealed run sees: the request line, and the value of `accept`.
type Seen = (Sealed, Option<Vec<u8>>);

/// Returns the key of a request, and all that a sealed run sees of it. Checks both.
fn keyed(sent: Sent<'_>) -> Option<(Key, Seen)> {
    let policy = policy();
    let (path, query) = match sent.target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (sent.target, None),
    };
    let path = resolved(path)?;
    let header = |name: &str| {
        let at = ["accept", "cookie"]
            .iter()
            .position(|known| *known == name)?;
        sent.headers[at].map(<[u8]>::to_vec)
    };
    let request = Request {
        method: "GET",
        scheme: "https",
        authority: sent.authority,
        path: &path,
        query,
        header: &header,
    };
    let key = key_of(&request, &policy)?;
    assert!(keeps_header("accept", &policy) && !keeps_header("cookie", &policy));
    let sealed = Sealed::new(&request, &policy);
    assert_is_canonical(&sealed, &request, &policy);
    let without_cookie = |name: &str| header(name).filter(|_| name != "cookie");
    let head = Request {
        method: "HEAD",
        header: &without_cookie,
        ..request
    };
    assert_eq!(key_of(&head, &policy).as_ref(), Some(&key));
    assert_eq!(
        key_of(
            &Request {
                method: "POST",
                ..request
            },
            &policy
        ),
        None
    );
    let accept = header("accept").map(|value| value.trim_ascii().to_vec());
    Some((key, (sealed, accept)))
}

/// Checks that a sealed request seals to itself and has the key of the original.
fn assert_is_canonical(sealed: &Sealed, original: &Request<'_>, policy: &Policy) {
    let path = resolved(&sealed.path).expect("a sealed path is normal");
    assert_eq!(&path, original.path);
    let query = sealed.query.as_deref();
    let is_plain = |query: &str| {
        query
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~%=&".contains(&byte))
    };
    assert!(query.is_none_or(is_plain), "{query:?}");
    let again = Request {
        authority: &sealed.authority,
        path: &path,
        query,
        ..*original
    };
    assert_eq!(&Sealed::new(&again, policy), sealed);
    assert_eq!(key_of(&again, policy), key_of(original, policy));
}

fn key_of(request: &Request<'_>, policy: &Policy) -> Option<Key> {
    let route = RouteId {
        id: "route",
        digest: &[1; 32],
    };
    Key::new(request, &route, policy).ok()
}

fn resolved(raw: &str) -> Option<Path> {
    match Path::resolve(raw) {
        Ok(Resolved::Path(path)) => Some(path),
        _ => None,
    }
}

/// Checks everything that reads or writes a header or a policy, with any text and the headers of any response.
pub fn headers(text: &str, response: &Headers) {
    revalidations(text);
    tags(text);
    life(text);
    cache_status(text);
    entity_tags(text);
    policies(text);
    stored(response);
}

/// Checks that revalidations survive a round trip, and that there are not too many.
fn revalidations(text: &str) {
    let parsed: Vec<_> = Revalidation::parse(text).collect();
    assert!(parsed.len() <= 129);
    let valid: Vec<_> = parsed.into_iter().flatten().collect();
    let written = Revalidation::write(&valid);
    // An escaped text may be three times as long.
    let Ok(written) = written else {
        return assert!(text.len() > 64 * 1024 / 3);
    };
    assert_is_value(&written);
    let again: Result<Vec<_>, _> = Revalidation::parse(&written).collect();
    assert_eq!(again.as_ref(), Ok(&valid));
}

fn tags(text: &str) {
    let Ok(tags) = parse_tags(text) else {
        return;
    };
    assert!(tags.len() <= 128);
    if let Ok(written) = write_tags(&tags) {
        assert_is_value(&written);
        assert_eq!(parse_tags(&written), Ok(tags));
    }
}

fn life(text: &str) {
    if let Some(life) = parse_life(text) {
        assert_eq!(parse_life(&write_life(life)), Some(life));
        let fresh = |life: waypost_cache::Life| life.fresh_for() <= life.expire();
        assert!(life.is_none_or(fresh));
    }
}

/// Checks that any reason becomes one string of a structured field.
fn cache_status(reason: &str) {
    let status = Outcome::Bypass { reason }.cache_status();
    assert_is_value(&status);
    let inner = status
        .strip_prefix("waypost; fwd=bypass; detail=\"")
        .unwrap();
    let inner = inner.strip_suffix('"').unwrap();
    let mut characters = inner.chars();
    let mut length = 0;
    while let Some(character) = characters.next() {
        assert_ne!(character, '"');
        if character == '\\' {
            assert!(matches!(characters.next(), Some('"' | '\\')));
        }
        length += 1;
    }
    assert_eq!(length, reason.chars().count());
}

/// Checks that a client that has a response gets a 304, and that one with another does not.
fn entity_tags(text: &str) {
    let opaque: String = text.chars().filter(|character| *character != '"').collect();
    let tag = format!("\"{opaque}\"");
    let matches =
        |line: &str| is_not_modified(200, Some(tag.as_bytes()), [line.as_bytes()].into_iter());
    assert!(matches(&tag) && matches(&format!("W/{tag}")) && matches("*"));
    assert!(matches(&format!("\"other\", W/{tag}")));
    assert!(!matches(&format!("\"{opaque}x\", \"x{opaque}\"")));
    assert!(!is_not_modified(
        404,
        Some(tag.as_bytes()),
        [tag.as_bytes()].into_iter()
    ));
    // Any text is a value of the header.
    matches(text);
}

/// Checks that a valid policy survives a round trip, and that every error has a message.
fn policies(text: &str) {
    if let Ok(draft) = Draft::parse_line(text) {
        assert_eq!(Draft::parse_line(&draft.to_line()).as_ref(), Ok(&draft));
        assert_is_value(&draft.to_line());
    }
    match Policy::from_json(text, &[]) {
        Ok(Some(policy)) => {
            assert_eq!(Policy::from_json(&policy.to_json(), &[]), Ok(Some(policy)));
        }
        Ok(None) => {}
        Err(errors) => assert!(errors.iter().all(|error| !error.to_string().is_empty())),
    }
}

/// Checks that only a response without anything private is stored, and only with its own headers.
fn stored(response: &Headers) {
    let storable = storable(200, response, &policy(), &Params::NONE, PathSpace::Closed);
    let Ok(storable) = storable else {
        return;
    };
    let stored = stored_headers(200, response, storable.life, &[0; 32]);
    for (name, _) in response {
        assert!(!name.eq_ignore_ascii_case("set-cookie"));
    }
    for name in ["cache-control", "etag"] {
        assert!(stored.iter().any(|(known, _)| known == name));
    }
    for (name, value) in &stored {
        let is_private = is_hop_by_hop(name) || is_internal(name);
        assert!(
            !is_private && !name.bytes().any(|byte| byte.is_ascii_uppercase()),
            "{name}"
        );
        let is_added = ["cache-control", "etag"].contains(&name.as_str());
        let is_sent =
            |(sent, text): &(String, Vec<u8>)| sent.eq_ignore_ascii_case(name) && text == value;
        assert!(is_added || response.iter().any(is_sent));
    }
    assert_eq!(
        stored_headers(200, &stored, storable.life, &[0; 32]),
        stored
    );
}

/// Checks that a text is one valid value of a header.
fn assert_is_value(text: &str) {
    assert!(
        text.bytes().all(|byte| matches!(byte, b' '..=b'~')),
        "{text:?}"
    );
}
