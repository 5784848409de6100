//! Checks the invariants with generated inputs. `tests/invariants` of the workspace checks them with the seeds of the
//! fuzz targets.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test may panic")]

#[path = "support/invariants.rs"]
mod invariants;

use std::time::Duration;

use proptest::{array::uniform16, collection::vec, option, prelude::*, sample::select};
use waypost_cache::data::{self, Target};
use waypost_cache::internal::{parse_tags, write_tags};
use waypost_cache::key::RouteId;
use waypost_cache::policy::Draft;
use waypost_cache::revalidation::Change;
use waypost_cache::token::TokenPair;
use waypost_cache::{
    Entry, Key, Life, Policy, Request, Revalidation, Subject, Token, Tokens, Verdict,
};
use waypost_routing::{Path, Pattern, Resolved};

/// Parts of internal headers, policies and lists of entity tags.
const PIECES: [&str; 30] = [
    "tag",
    "path",
    "below",
    "route",
    ":",
    "!",
    "+",
    "300",
    ",",
    ", ",
    "/",
    "/a",
    "/[x]",
    "%2C",
    "%",
    "%FF",
    "no-store",
    "revalidate=",
    "expire=",
    "60",
    "\"",
    "\\",
    "W/",
    "*",
    "ü",
    "{",
    "}",
    "\"tags\":[",
    "]",
    "null",
];

/// Parts of targets.
const TARGETS: [&str; 22] = [
    "/",
    "/a",
    "/%61",
    "/a%2Fb",
    "/./a",
    "?",
    "&",
    "=",
    "q",
    "%71",
    "page",
    "x",
    "+",
    "%20",
    "%26",
    "%3D",
    "%C3%BC",
    "%zz",
    "%FF",
    "ü",
    "q=1",
    "%20%26%3D",
];

fn text(pieces: &'static [&'static str]) -> impl Strategy<Value = String> {
    vec(select(pieces), 0..12).prop_map(|pieces| pieces.concat())
}

fn token() -> impl Strategy<Value = Token> {
    // Few different ones, so that some are equal.
    uniform16(0..2_u8).prop_map(|bytes| Token([bytes[0]; 16]))
}

fn pairs() -> impl Strategy<Value = Vec<TokenPair>> {
    vec(
        (token(), token()).prop_map(|(soft, hard)| TokenPair { soft, hard }),
        0..6,
    )
}

prop_compose! {
    fn life()(revalidate in option::of(1..1000_u64), stale in 1..1000_u64) -> Life {
        let time = Duration::from_secs;
        Life::new(revalidate.map(time), Some(time(revalidate.unwrap_or(0) + stale))).unwrap()
    }
}

prop_compose! {
    fn entry()(
        path in "(/[a-z%2]{1,3}){1,3}",
        status in 200..600_u16,
        headers in vec(("[a-z-]{1,9}", vec(32..255_u8, 0..9)), 0..4),
        tags in vec("\\PC{1,9}", 0..4),
        epoch in token(),
        pairs in pairs(),
        life in life(),
        made in 0..u64::from(u32::MAX),
    ) -> Entry {
        let (tokens, made) = (Tokens { epoch, pairs }, Duration::from_millis(made));
        Entry { key: key("a.example", &path, None), status, headers, tags, tokens, life, made }
    }
}

/// Returns the key of a GET request with a policy that names `page` and `q`.
fn key(authority: &str, path: &str, query: Option<&str>) -> Key {
    let query_names = vec!["page".to_owned(), "q".to_owned()];
    let policy = Draft {
        query: query_names,
        ..Draft::default()
    }
    .check(&[])
    .unwrap();
    let path = match Path::resolve(path) {
        Ok(Resolved::Path(path)) => path,
        _ => Path::default(),
    };
    let request = Request {
        method: "GET",
        scheme: "http",
        authority,
        path: &path,
        query,
        header: &|_| None,
    };
    Key::new(
        &request,
        &RouteId {
            id: "route",
            digest: &[1; 32],
        },
        &policy,
    )
    .unwrap()
}

/// A request as its author means it: the segments of the path, the values of `page` and of `q`.
type Meaning = (Vec<String>, Vec<String>, Vec<String>);

/// Generates requests that have the same key if an encoding can't tell a value from the parts after it.
fn hostile() -> impl Strategy<Value = Meaning> {
    let values =
        |values: [&'static str; 3]| vec(select(values.to_vec()).prop_map(str::to_owned), 0..2);
    (
        values(["a", "b", "c"]),
        values(["a", "a\u{1}qa", "\u{1}q"]),
        values(["a", "", "\u{0}"]),
    )
}

fn meaning() -> impl Strategy<Value = Meaning> {
    let value = || {
        select(
            &[
                "", "a", "b", "a/b", "a&q=b", "a\u{1}qb", "=", "ü", "%61", "a b", "+",
            ][..],
        )
        .prop_map(str::to_owned)
    };
    let segment = value().prop_filter("a segment is not empty", |text| !text.is_empty());
    (vec(segment, 0..3), vec(value(), 0..3), vec(value(), 0..3))
}

/// Writes a request in one of its spellings. `choices` decides for each byte, and between orders.
fn spelled((segments, pages, queries): &Meaning, choices: &[bool]) -> (String, String) {
    let mut choices = choices.iter().cycle();
    let mut choose = || choices.next().copied().unwrap_or_default();
    let mut escaped = |text: &str| -> String {
        let byte = |byte: u8| match byte.is_ascii_alphanumeric() && choose() {
            true => char::from(byte).to_string(),
            false if choose() => format!("%{byte:02x}"),
            false => format!("%{byte:02X}"),
        };
        text.bytes().map(byte).collect()
    };
    let path: String = segments
        .iter()
        .map(|segment| format!("/{}", escaped(segment)))
        .collect();
    let mut named = |name: &str, values: &[String]| -> String {
        let pair = |value: &String| format!("{}={}&", escaped(name), escaped(value));
        values.iter().map(pair).collect()
    };
    let (pages, queries) = (named("page", pages), named("q", queries));
    let query = match choose() {
        true => format!("{pages}x=1&{queries}"),
        false => format!("{queries}&{pages}"),
    };
    (format!("/.{path}"), query)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn an_entry_survives_a_round_trip(entry in entry(), body in vec(vec(any::<u8>(), 0..40), 0..4)) {
        let body: Vec<_> = body.iter().map(Vec::as_slice).collect();
        let bytes = entry.to_bytes(&body);
        prop_assert_eq!(Entry::from_bytes(&bytes), Ok((entry, body)));
        invariants::entry(&bytes);
    }

    #[test]
    fn a_damaged_entry_is_an_error(entry in entry(), at in any::<prop::sample::Index>(), change in 1..=255_u8) {
        let mut bytes = entry.to_bytes(&[b"body"]);
        let at = at.index(bytes.len());
        bytes[at] ^= change;
        prop_assert!(Entry::from_bytes(&bytes).is_err());
        prop_assert!(Entry::from_bytes(&bytes[..at]).is_err());
        // With a correct checksum it may be another entry, but not a panic.
        invariants::entry(&bytes[4.min(bytes.len())..bytes.len() - 16]);
    }

    #[test]
    fn any_bytes_are_no_entry(bytes in vec(any::<u8>(), 0..200)) {
        prop_assert!(Entry::from_bytes(&bytes).is_err());
        prop_assert!(Entry::from_bytes(&[b"WPC\x01".as_slice(), &bytes].concat()).is_err());
        invariants::entry(&bytes);
    }

    #[test]
    fn keys_are_equal_exactly_if_requests_mean_the_same(
        one in meaning(),
        other in meaning(),
        choices in vec(any::<bool>(), 1..40),
        other_choices in vec(any::<bool>(), 1..40),
        hostile in [hostile(), hostile()],
    ) {
        let key = |meaning: &Meaning, choices: &[bool]| {
            let (path, query) = spelled(meaning, choices);
            key("a.example", &path, Some(&query))
        };
        prop_assert_eq!(key(&one, &choices), key(&one, &other_choices));
        prop_assert_eq!(one == other, key(&one, &choices) == key(&other, &other_choices));
        let [one, other] = hostile;
        prop_assert_eq!(one == other, key(&one, &choices) == key(&other, &other_choices));
    }

    #[test]
    fn sealed_requests_tell_keys_apart(
        targets in [text(&TARGETS), text(&TARGETS)],
        authorities in [select(&["a", "A", "a:443", "a:80", ""][..]), select(&["a", "b", "a:"][..])],
        values in [option::of("[ ab]{0,3}"), option::of("[ ab]{0,3}")],
    ) {
        let targets = targets.map(|target| ["/", &target].concat());
        let sent = |at: usize| {
            let value = values[at].as_ref().map(String::as_bytes);
            invariants::Sent { authority: authorities[at], target: &targets[at], headers: [value, value] }
        };
        invariants::key(sent(0), sent(1));
    }

    #[test]
    fn a_changed_token_is_never_overlooked(
        entry in entry(),
        changed in any::<prop::sample::Index>(),
        hard in any::<bool>(),
        now in 0..u64::from(u32::MAX),
    ) {
        let now = Duration::from_millis(now);
        let mut current = entry.tokens.pairs.clone();
        let before = entry.verdict(&current, now);
        prop_assert_eq!(entry.verdict_of_epoch(entry.tokens.epoch, now), Some(before));
        prop_assert_eq!(entry.verdict_of_epoch(Token([77; 16]), now), None);
        if !current.is_empty() {
            let pair = &mut current[changed.index(entry.tokens.pairs.len())];
            let token = if hard { &mut pair.hard } else { &mut pair.soft };
            *token = Token([77; 16]);
            let after = entry.verdict(&current, now);
            prop_assert!(after >= before && after != Verdict::Fresh);
            prop_assert!(!hard || after == Verdict::Gone);
        }
    }

    #[test]
    fn the_more_tokens_change_the_more_severe_the_verdict(entry in entry(), current in pairs(), now in any::<u32>()) {
        let now = Duration::from_millis(now.into());
        let stored = &entry.tokens.pairs;
        let differs = |token: fn(&TokenPair) -> Token| {
            stored.len() != current.len() || stored.iter().zip(&current).any(|(a, b)| token(a) != token(b))
        };
        let verdict = entry.verdict(&current, now);
        if differs(|pair| pair.hard) {
            prop_assert_eq!(verdict, Verdict::Gone);
        } else if differs(|pair| pair.soft) {
            prop_assert_ne!(verdict, Verdict::Fresh);
        }
    }

    #[test]
    fn age_makes_a_verdict_only_more_severe(life in life(), made in 0..10_000_u64, ages in [0..3_000_000_u64, 0..3_000_000_u64]) {
        let made = Duration::from_secs(made);
        let verdict = |age: u64| Verdict::by_age(made, made + Duration::from_millis(age), life);
        let [one, other] = ages;
        prop_assert!(verdict(one.min(other)) <= verdict(one.max(other)));
        prop_assert!(Verdict::by_age(made, made + life.expire(), life) == Verdict::Gone);
    }

    #[test]
    fn revalidations_survive_a_round_trip(
        names in vec(("\\PC{1,20}", 0..5_usize, option::of(0..1_000_000_u64)), 0..20),
    ) {
        let one = |(name, kind, seconds): &(String, usize, Option<u64>)| {
            let one = match kind {
                0 => Revalidation::revalidate_tag(name),
                1 => Revalidation::expire_tag(name),
                2 => Revalidation::revalidate_path(&format!("/{name}")),
                3 => Revalidation::revalidate_below(&format!("/{name}")),
                _ => Revalidation::revalidate_route(name),
            };
            let one = one.ok()?;
            Some(seconds.map_or(one.clone(), |seconds| one.expire_in(Duration::from_secs(seconds))))
        };
        let revalidations: Vec<_> = names.iter().filter_map(one).collect();
        let written = Revalidation::write(&revalidations).unwrap();
        let parsed: Vec<_> = Revalidation::parse(&written).map(Result::unwrap).collect();
        prop_assert!(parsed.iter().all(|item| item.change != Change::SoftThenHard(Duration::ZERO)));
        prop_assert_eq!(parsed, revalidations);
    }

    #[test]
    fn tags_survive_a_round_trip(tags in prop::collection::hash_set("(?s).{1,20}", 0..20)) {
        let tags: Vec<_> = tags.into_iter().collect();
        prop_assert_eq!(parse_tags(&write_tags(&tags).unwrap()), Ok(tags));
    }

    #[test]
    fn a_policy_survives_a_round_trip(
        life in life(),
        tags in prop::collection::hash_set("[a-z\"\\\\ü:/]{1,9}(\\{[a-z]{1,3}\\})?", 0..5),
        query in prop::collection::hash_set("[a-zü&= ]{1,9}", 0..5),
        vary in prop::collection::hash_set("x-[a-z]{1,9}", 0..5),
    ) {
        let draft = Draft {
            life: None,
            revalidate: life.revalidate().map(|time| format!("{}s", time.as_secs())),
            expire: Some(format!("{} s", life.expire().as_secs())),
            tags: tags.into_iter().collect(),
            query: query.into_iter().collect(),
            vary: vary.into_iter().collect(),
        };
        let policy = draft.check(&[]).unwrap();
        prop_assert_eq!(policy.life(), life);
        prop_assert_eq!(Policy::from_json(&draft.to_json(), &[]), Ok(Some(policy.clone())));
        prop_assert_eq!(Draft::parse_line(&draft.to_line()), Ok(draft.clone()));
        prop_assert_eq!(policy.to_draft().check(&[]), Ok(policy.clone()));
        prop_assert_eq!(Policy::from_json(&policy.to_json(), &[]), Ok(Some(policy)));
    }

    #[test]
    fn a_path_in_any_spelling_revalidates_its_responses(meaning in meaning(), choices in vec(any::<bool>(), 1..40)) {
        let (raw, _) = spelled(&meaning, &choices);
        let Ok(Resolved::Path(path)) = Path::resolve(&raw) else {
            return Ok(());
        };
        let subjects = Subject::of_response(&path, &Pattern::parse("/[[...all]]").unwrap(), &[]);
        prop_assert_eq!(subjects.len(), path.segments().len() + 3);
        prop_assert!(subjects.contains(&Subject::path(&raw).unwrap()));
        prop_assert!(subjects.contains(&Subject::below(&raw).unwrap()));
        prop_assert!(subjects.contains(&Subject::below("/").unwrap()));
        prop_assert!(subjects.contains(&Subject::route("/[[...all]]").unwrap()));
        let child = Subject::below(&[&path.to_string(), "/x"].concat()).unwrap();
        prop_assert!(!subjects.contains(&child));
    }

    #[test]
    fn a_key_of_data_survives_a_round_trip(key in vec(any::<u8>(), 0..200)) {
        let path = data::value_path(&key);
        prop_assert!(path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'?' && byte != b'#'));
        prop_assert_eq!(Target::parse(&path), Some(Target::Value(key)));
    }

    #[test]
    fn any_text_is_a_target_of_data_or_none(text in "(?s).*", pieces in text(&PIECES)) {
        for path in [text, format!("/values/{pieces}"), format!("/leases/{pieces}")] {
            if let Some(Target::Value(key)) = Target::parse(&path) {
                prop_assert_eq!(Target::parse(&data::value_path(&key)), Some(Target::Value(key)));
            }
            data::is_internal_host(&path);
        }
    }

    #[test]
    fn any_text_is_a_header(text in "(?s).*", name in "[A-Za-z-]{1,20}", value in "[ -~]*") {
        invariants::headers(&text, &[(name, value.into_bytes())]);
    }

    #[test]
    fn pieces_are_headers(text in text(&PIECES), names in vec(header_name(), 0..6), value in text(&PIECES)) {
        let value = value.replace(|character: char| character.is_control(), "");
        let headers: Vec<_> = names.into_iter().map(|name| (name, value.clone().into_bytes())).collect();
        invariants::headers(&text, &headers);
    }
}

fn header_name() -> impl Strategy<Value = String> {
    let names = [
        "Content-Type",
        "connection",
        "etag",
        "Cache-Control",
        "vary",
        "age",
        "x-a",
        "X-Waypost-Tags",
        "x-waypost-life",
        "set-cookie",
    ];
    select(names.to_vec()).prop_map(str::to_owned)
}
