//! Compares a response with the expected one.

use serde_json::Value;

use crate::answer::{Answer, End};
use crate::client::Outcome;
use crate::equivalence;
use crate::expectation::{Body, Expectation};
use crate::pattern::Scope;
use crate::request::shorten;

/// The longest text that a difference shows.
const SHOWN: usize = 300;

/// The number of characters that are shown before the first difference of two texts.
const CONTEXT: usize = 40;

/// The largest allowed difference in the length of a long text: a port in it may have fewer digits than in the
/// recording, or more.
const PORT_DIGITS: usize = 4;

/// The reason phrase that hyper writes for a status without one.
const NO_PHRASE: &str = "<none>";

/// One part of a response that differs from the expected one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Difference {
    pub(crate) what: String,
    pub(crate) expected: String,
    pub(crate) got: String,
}

impl Difference {
    pub(crate) fn new(
        what: impl Into<String>,
        expected: impl Into<String>,
        got: impl Into<String>,
    ) -> Self {
        Self {
            what: what.into(),
            expected: shorten(&expected.into(), SHOWN),
            got: shorten(&got.into(), SHOWN),
        }
    }
}

/// Compares an outcome with the expectation, and sets the values of named symbols in `scope`.
pub(crate) fn compare(
    expected: &Expectation,
    outcome: &Outcome,
    scope: &mut Scope,
) -> Vec<Difference> {
    let wanted = match expected.status {
        Some(status) => format!("a response with status {status}"),
        None => "no response, the connection closed".to_owned(),
    };
    let got = match outcome {
        Outcome::Answered(answer, extra) if expected.status.is_some() => {
            return compare_answer(expected, answer, *extra, scope);
        }
        Outcome::Silence if expected.status.is_none() => return Vec::new(),
        Outcome::Left if expected.status.is_none() && expected.left.is_some() => return Vec::new(),
        Outcome::Answered(answer, _) => format!("a response with status {}", answer.status),
        Outcome::Silence => "no response, the connection closed".to_owned(),
        Outcome::Left => "no response before the client left".to_owned(),
        Outcome::Malformed(why) => format!("an invalid HTTP response: {why}"),
        Outcome::Late(received) => {
            format!("an incomplete response after the timeout: {received} bytes")
        }
        Outcome::Unreachable(why) => format!("no connection: {why}"),
    };
    vec![Difference::new("answer", wanted, got)]
}

fn compare_answer(
    expected: &Expectation,
    answer: &Answer,
    extra: usize,
    scope: &mut Scope,
) -> Vec<Difference> {
    let mut differences = Vec::new();
    let status = expected.status.unwrap_or_default();
    if status != answer.status {
        differences.push(Difference::new(
            "status",
            status.to_string(),
            answer.status.to_string(),
        ));
    }
    compare_reason(expected, answer, &mut differences);
    compare_headers(expected, answer, scope, &mut differences);
    compare_end(expected, answer, extra, &mut differences);
    differences.extend(compare_body(expected, answer, scope));
    differences
}

/// Compares the reason phrase, but only of an unregistered status; `equivalence` says why.
fn compare_reason(expected: &Expectation, answer: &Answer, differences: &mut Vec<Difference>) {
    if let Some(reason) = &expected.reason
        && ["unknown", NO_PHRASE].contains(&reason.as_str())
        && *reason != answer.reason
    {
        differences.push(Difference::new("reason phrase", reason, &answer.reason));
    }
}

fn compare_headers(
    expected: &Expectation,
    answer: &Answer,
    scope: &mut Scope,
    differences: &mut Vec<Difference>,
) {
    for (name, lines) in &expected.headers {
        let got = equivalence::lines(answer, name);
        if !same_lines(name, lines, &got, scope) {
            differences.push(Difference::new(
                format!("header {name}"),
                show_lines(lines),
                show_lines(&got),
            ));
        }
    }
    for name in &expected.absent {
        let got = equivalence::lines(answer, name);
        if !got.is_empty() {
            differences.push(Difference::new(
                format!("header {name}"),
                show_lines(&[]),
                show_lines(&got),
            ));
        }
    }
}

/// Compares lines of a header. Several lines of one name are equivalent to one with commas (RFC 9110 section
/// 5.3), except for `Set-Cookie`.
fn same_lines(name: &str, expected: &[String], got: &[String], scope: &mut Scope) -> bool {
    if got.is_empty() || expected.is_empty() {
        return got.is_empty() && expected.is_empty();
    }
    if name == "set-cookie" {
        return expected.len() == got.len()
            && expected
                .iter()
                .zip(got)
                .all(|(expected, got)| scope.fits(expected, got));
    }
    scope.fits(&expected.join(", "), &got.join(", "))
}

fn show_lines(lines: &[String]) -> String {
    match lines {
        [] => "absent".to_owned(),
        [line] => line.clone(),
        lines => format!("{} lines: {}", lines.len(), lines.join(" | ")),
    }
}

fn compare_end(
    expected: &Expectation,
    answer: &Answer,
    extra: usize,
    differences: &mut Vec<Difference>,
) {
    let show = |cut| if cut { "cut before its end" } else { "whole" };
    let cut = answer.end == End::Cut;
    if expected.left.is_none() && cut != expected.cut {
        differences.push(Difference::new("body's end", show(expected.cut), show(cut)));
    }
    if extra > 0 {
        differences.push(Difference::new(
            "after the response",
            "nothing",
            format!("{extra} bytes"),
        ));
    }
}

fn compare_body(expected: &Expectation, answer: &Answer, scope: &mut Scope) -> Vec<Difference> {
    let got = String::from_utf8_lossy(&answer.body);
    let difference = match &expected.body {
        Body::Any => None,
        Body::Text(text) if expected.left.is_some() => compare_beginning(text, &got),
        Body::Text(text) if text.as_bytes() == answer.body => None,
        Body::Text(text) if expected.is_json() && !text.is_empty() => {
            return compare_json(text, &got, scope);
        }
        Body::Text(text) if scope.fits(text, &got) => None,
        Body::Text(text) => Some(text_difference(text, &got)),
        Body::Bytes(bytes) if *bytes == answer.body => None,
        Body::Bytes(bytes) => Some(Difference::new("body", hex(bytes), hex(&answer.body))),
        Body::HtmlPage if got.to_ascii_lowercase().contains("<html") => None,
        Body::HtmlPage => Some(Difference::new("body", "an HTML page", got)),
        Body::Long { prefix, .. } if !begins_with(&got, prefix, expected.is_json()) => {
            Some(text_difference(prefix, &got))
        }
        Body::Long { length, .. } => {
            length.and_then(|wanted| compare_length(wanted, answer.body.len(), PORT_DIGITS))
        }
        Body::Length(wanted) => compare_length(*wanted, answer.body.len(), 0),
        Body::Unknown(kind) => Some(Difference::new(
            "body",
            format!("a body of unknown kind `{kind}`"),
            got,
        )),
    };
    difference.into_iter().collect()
}

fn compare_length(wanted: usize, got: usize, tolerance: usize) -> Option<Difference> {
    let show = |length| format!("{length} bytes");
    (wanted.abs_diff(got) > tolerance)
        .then(|| Difference::new("body's length", show(wanted), show(got)))
}

/// Checks the beginning of a body. The members of a JSON object have no order, so the first recorded one may be
/// anywhere.
fn begins_with(got: &str, prefix: &str, is_json: bool) -> bool {
    match prefix.strip_prefix('{') {
        Some(member) if is_json => got.contains(member),
        _ => got.starts_with(prefix),
    }
}

/// Compares the beginning of a stream that the client left. The received length depends on timing.
fn compare_beginning(expected: &str, got: &str) -> Option<Difference> {
    let begins_alike = expected.starts_with(got) || got.starts_with(expected);
    let fits = begins_alike && got.is_empty() == expected.is_empty();
    (!fits).then(|| text_difference(expected, got))
}

fn compare_json(expected: &str, got: &str, scope: &mut Scope) -> Vec<Difference> {
    let mut differences = Vec::new();
    match (
        serde_json::from_str(expected),
        serde_json::from_str::<Value>(got),
    ) {
        (Ok(wanted), Ok(value)) => {
            json_differences(&wanted, &value, "body", scope, &mut differences)
        }
        (Err(_), Ok(_)) if scope.fits(expected, got) => {}
        (Err(_), Ok(_)) => differences.push(text_difference(expected, got)),
        (_, Err(error)) => {
            let got = shorten(got, SHOWN);
            differences.push(Difference::new(
                "body",
                expected,
                format!("{got} (invalid JSON: {error})"),
            ));
        }
    }
    differences
}

fn json_differences(
    expected: &Value,
    got: &Value,
    path: &str,
    scope: &mut Scope,
    differences: &mut Vec<Difference>,
) {
    let same = match (expected, got) {
        (Value::String(any), _) if any == "<*>" => true,
        (Value::String(expected), Value::String(got)) => scope.fits(expected, got),
        (Value::Number(expected), Value::Number(got)) => {
            expected == got || expected.as_f64() == got.as_f64()
        }
        (Value::Array(expected), Value::Array(got)) if expected.len() == got.len() => {
            for (index, (expected, got)) in expected.iter().zip(got).enumerate() {
                json_differences(
                    expected,
                    got,
                    &format!("{path}[{index}]"),
                    scope,
                    differences,
                );
            }
            return;
        }
        (Value::Object(wanted), Value::Object(found)) => {
            for key in wanted
                .keys()
                .chain(found.keys().filter(|key| !wanted.contains_key(*key)))
            {
                let path = format!("{path}.{key}");
                match (wanted.get(key), found.get(key)) {
                    (Some(expected), Some(got)) => {
                        json_differences(expected, got, &path, scope, differences)
                    }
                    (expected, got) => differences.push(Difference::new(
                        path,
                        show_member(expected),
                        show_member(got),
                    )),
                }
            }
            return;
        }
        (expected, got) => expected == got,
    };
    if !same {
        differences.push(Difference::new(path, expected.to_string(), got.to_string()));
    }
}

fn show_member(member: Option<&Value>) -> String {
    member.map_or_else(|| "absent".to_owned(), Value::to_string)
}

/// Shows two texts from shortly before their first difference.
fn text_difference(expected: &str, got: &str) -> Difference {
    let same = expected
        .chars()
        .zip(got.chars())
        .take_while(|(a, b)| a == b)
        .count();
    let from = same.saturating_sub(CONTEXT);
    let show = |text: &str| {
        let part: String = text.chars().skip(from).take(SHOWN).collect();
        let before = if from > 0 { "…" } else { "" };
        let after = if text.chars().count() > from + SHOWN {
            "…"
        } else {
            ""
        };
        format!("{before}{part:?}{after}")
    };
    Difference {
        what: "body".to_owned(),
        expected: show(expected),
        got: show(got),
    }
}

fn hex(bytes: &[u8]) -> String {
    let digits: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{} bytes: {}", bytes.len(), digits.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::Progress;

    /// Returns the names of the parts that differ.
    fn differ(expected: &str, answer: &str) -> Vec<String> {
        let recorded = serde_json::from_str(expected).unwrap();
        let Ok(Progress::Whole(answer, used)) = Answer::read(answer.as_bytes(), false, true) else {
            panic!("{answer:?} is not a whole response")
        };
        let outcome = Outcome::Answered(answer, 0);
        assert!(used > 0);
        let differences = compare(&Expectation::of(&recorded, 80), &outcome, &mut Scope::new());
        differences
            .into_iter()
            .map(|difference| difference.what)
            .collect()
    }

    const NONE: [&str; 0] = [];

    #[test]
    fn status_and_headers() {
        let answer =
            "HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a: 2\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\n\r\nok";
        let same = r#"{"status":200,"headers":{"x-a":"1, 2","set-cookie":["a=1","b=2"]},"absent":["x-b"],"body":"ok"}"#;
        assert_eq!(differ(same, answer), NONE);
        assert_eq!(
            differ(r#"{"status":200,"headers":{"X-A":["1","2"]}}"#, answer),
            NONE
        );
        let other = r#"{"status":201,"headers":{"x-a":"1","x-c":"","set-cookie":"a=1, b=2"},"absent":["set-cookie"]}"#;
        assert_eq!(
            differ(other, answer),
            [
                "status",
                "header set-cookie",
                "header x-a",
                "header x-c",
                "header set-cookie"
            ]
        );
    }

    #[test]
    fn an_unexpected_encoding_is_a_difference() {
        let answer = "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n";
        assert_eq!(
            differ(r#"{"status":200}"#, answer),
            ["header content-encoding"]
        );
        assert_eq!(
            differ(
                r#"{"status":200,"headers":{"content-encoding":"gzip"}}"#,
                answer
            ),
            NONE
        );
    }

    #[test]
    fn json_is_compared_as_json() {
        let json = |body: &str, got: &str| {
            let expected = serde_json::json!({ "status": 200, "headers": { "content-type": "application/json" }, "body": body });
            differ(
                &expected.to_string(),
                &format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{got}"),
            )
        };
        assert_eq!(
            json(
                r#"{"a":1,"b":["<*>",0]}"#,
                r#"{ "b": ["x", -0.0], "a": 1.0 }"#
            ),
            NONE
        );
        assert_eq!(
            json(r#"{"a":[1,{"b":2}]}"#, r#"{"a":[1,{"b":3}]}"#),
            ["body.a[1].b"]
        );
        assert_eq!(
            json(r#"{"a":1,"b":2}"#, r#"{"a":2,"c":2}"#),
            ["body.a", "body.b", "body.c"]
        );
        assert_eq!(json(r#"{"a":1}"#, "{}"), ["body.a"]);
        assert_eq!(json("[1]", "[1,2]"), ["body"]);
        assert_eq!(json("[1]", "oh"), ["body"]);
        assert_eq!(json("", "{}"), ["body"], "an empty body is invalid JSON");
    }

    #[test]
    fn other_bodies() {
        let answer = "HTTP/1.1 200 OK\r\n\r\nhello world";
        for (expected, same) in [
            (r#"{"status":200,"body":"hello<*>"}"#, true),
            (r#"{"status":200,"body":"hello"}"#, false),
            (r#"{"status":200,"body_kind":"html-error-page"}"#, false),
            (
                r#"{"status":200,"body_kind":"large","body_length":11,"body_prefix":"hell"}"#,
                true,
            ),
            (
                r#"{"status":200,"body_kind":"large","body_length":16,"body_prefix":"hell"}"#,
                false,
            ),
            (
                r#"{"status":200,"body_kind":"large","body_length":11,"body_prefix":"help"}"#,
                false,
            ),
            (
                r#"{"status":200,"body_kind":"not-recorded","body_length":11}"#,
                true,
            ),
            (
                r#"{"status":200,"body_kind":"not-recorded","body_length":1}"#,
                false,
            ),
            (r#"{"status":200,"body_base64":"aGVsbG8gd29ybGQ="}"#, true),
            (r#"{"status":200,"body_base64":"aGVsbG8="}"#, false),
            (r#"{"status":200,"body_kind":"song"}"#, false),
        ] {
            assert_eq!(differ(expected, answer).is_empty(), same, "{expected}");
        }
    }

    #[test]
    fn long_json_may_have_another_order() {
        let expected = r#"{"status":200,"headers":{"content-type":"application/json"},"body_kind":"large","body_length":17,"body_prefix":"{\"b\":\"yy"}"#;
        let answer =
            |body: &str| format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{body}");
        assert_eq!(differ(expected, &answer(r#"{"a":1,"b":"yyyy"}"#)), NONE);
        assert_eq!(differ(expected, &answer(r#"{"a":1,"b":"xyyy"}"#)), ["body"]);
    }

    #[test]
    fn reason_phrases_of_unregistered_statuses() {
        let expected = r#"{"status":299,"wire":{"reason":"unknown"}}"#;
        assert_eq!(differ(expected, "HTTP/1.1 299 unknown\r\n\r\n"), NONE);
        assert_eq!(differ(expected, "HTTP/1.1 299 \r\n\r\n"), ["reason phrase"]);
        assert_eq!(
            differ(
                r#"{"status":202,"wire":{"reason":"Queued"}}"#,
                "HTTP/1.1 202 Accepted\r\n\r\n"
            ),
            NONE
        );
    }

    #[test]
    fn outcomes_without_a_response() {
        let silent = Expectation::default();
        let mut scope = Scope::new();
        assert!(compare(&silent, &Outcome::Silence, &mut scope).is_empty());
        assert_eq!(compare(&silent, &Outcome::Left, &mut scope).len(), 1);
        let left = Expectation {
            left: Some(std::time::Duration::ZERO),
            ..Expectation::default()
        };
        assert!(compare(&left, &Outcome::Left, &mut scope).is_empty());
        let wanted = Expectation {
            status: Some(200),
            ..Expectation::default()
        };
        for outcome in [
            Outcome::Silence,
            Outcome::Left,
            Outcome::Late(3),
            Outcome::Malformed(String::new()),
            Outcome::Unreachable(String::new()),
        ] {
            assert_eq!(
                compare(&wanted, &outcome, &mut scope).len(),
                1,
                "{outcome:?}"
            );
        }
    }

    #[test]
    fn cut_bodies_and_left_streams() {
        let expected = |cut, left: bool| Expectation {
            status: Some(200),
            body: Body::Text("a\nb\n".to_owned()),
            cut,
            left: left.then_some(std::time::Duration::ZERO),
            ..Expectation::default()
        };
        let answer = |body: &str, end| {
            let (reason, headers) = (String::new(), Vec::new());
            Outcome::Answered(
                Answer {
                    status: 200,
                    reason,
                    headers,
                    body: body.as_bytes().to_vec(),
                    end,
                },
                0,
            )
        };
        let same = |expected: &Expectation, outcome: &Outcome| {
            compare(expected, outcome, &mut Scope::new()).is_empty()
        };
        assert!(same(&expected(true, false), &answer("a\nb\n", End::Cut)));
        assert!(!same(&expected(false, false), &answer("a\nb\n", End::Cut)));
        assert!(!same(&expected(true, false), &answer("a\nb\n", End::Whole)));
        assert!(same(&expected(false, true), &answer("a\nb\nc\n", End::Cut)));
        assert!(same(&expected(false, true), &answer("a\n", End::Cut)));
        assert!(!same(&expected(false, true), &answer("", End::Cut)));
        assert!(!same(&expected(false, true), &answer("x", End::Cut)));
    }
}
