//! Expected texts with symbols for values that differ between runs.
//!
//! | symbol | matches |
//! | --- | --- |
//! | `<*>` | any text, including the empty one |
//! | `<id1>`, `<id2>`…, `<bypass>` | the same text everywhere within a sequence; two ids are never equal |
//! | `<response time + Max-Age>` | the HTTP date that follows from the `Max-Age` beside it |
//! | `<past>` | an HTTP date in the past |
//! | `<methods>` | an `Allow` list: methods, sorted, with `OPTIONS`, without the request's own |
//! | `<short text>` | a text of at most a line or two |
//!
//! The last three occur only in tables of deviations, not in recordings.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use httpdate::parse_http_date;

/// The largest allowed difference in seconds, for clocks that differ and for the time between two readings.
const CLOCK_TOLERANCE: i64 = 5;

/// The length of an HTTP date (RFC 9110 section 5.6.7).
const DATE_LENGTH: usize = "Thu, 01 Jan 1970 00:00:00 GMT".len();

/// The most bytes that a `<short text>` has.
const SHORT: usize = 2_000;

/// The methods that a route may implement.
const METHODS: [&str; 7] = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

/// The values of symbols for one response.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    /// The values of named symbols so far.
    pub(crate) names: BTreeMap<String, String>,
    /// The time at which the response was received.
    pub(crate) time: SystemTime,
    /// The method of the request.
    pub(crate) method: String,
}

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Literal(String),
    Any,
    Named(String),
    AfterMaxAge,
    Past,
    Methods,
    ShortText,
}

impl Scope {
    pub(crate) fn new() -> Self {
        Self {
            names: BTreeMap::new(),
            time: SystemTime::now(),
            method: String::new(),
        }
    }

    /// Replaces named symbols with their values.
    pub(crate) fn fill(&self, text: &str) -> String {
        let mut filled = text.to_owned();
        for (name, value) in &self.names {
            filled = filled.replace(&format!("<{name}>"), value);
        }
        filled
    }

    /// Returns `true` if `text` matches. New symbols then get their value; without a match, none does.
    pub(crate) fn fits(&mut self, expected: &str, text: &str) -> bool {
        let pieces = parse(expected);
        let mut names = self.names.clone();
        let fits = Match {
            whole: text,
            scope: self,
        }
        .rest(&pieces, text, &mut names);
        if fits {
            self.names = names;
        }
        fits
    }
}

/// Splits an expected text into literals and symbols.
fn parse(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let symbol = rest
            .strip_prefix('<')
            .and_then(|inner| inner.split_once('>'));
        if let Some((name, after)) = symbol
            && let Some(piece) = Piece::of(name)
        {
            if !literal.is_empty() {
                pieces.push(Piece::Literal(std::mem::take(&mut literal)));
            }
            pieces.push(piece);
            rest = after;
        } else {
            literal.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    if !literal.is_empty() {
        pieces.push(Piece::Literal(literal));
    }
    pieces
}

impl Piece {
    fn of(name: &str) -> Option<Self> {
        match name {
            "*" => Some(Self::Any),
            "response time + Max-Age" => Some(Self::AfterMaxAge),
            "past" => Some(Self::Past),
            "methods" => Some(Self::Methods),
            "short text" => Some(Self::ShortText),
            "bypass" => Some(Self::Named(name.to_owned())),
            _ => {
                let number = name.strip_prefix("id")?;
                let is_id = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
                is_id.then(|| Self::Named(name.to_owned()))
            }
        }
    }
}

struct Match<'a> {
    whole: &'a str,
    scope: &'a Scope,
}

impl Match<'_> {
    /// Matches all pieces with the whole of `text`. Tries the shortest text for each symbol first.
    fn rest(&self, pieces: &[Piece], text: &str, names: &mut BTreeMap<String, String>) -> bool {
        let Some((piece, pieces)) = pieces.split_first() else {
            return text.is_empty();
        };
        match piece {
            Piece::Literal(literal) => text
                .strip_prefix(literal.as_str())
                .is_some_and(|text| self.rest(pieces, text, names)),
            Piece::Named(name) => match names.get(name).cloned() {
                Some(value) => text
                    .strip_prefix(value.as_str())
                    .is_some_and(|text| self.rest(pieces, text, names)),
                None => self.name(name, pieces, text, names),
            },
            Piece::Any | Piece::AfterMaxAge | Piece::Past | Piece::Methods | Piece::ShortText => {
                splits(text).any(|(value, text)| {
                    self.allows(piece, value) && self.rest(pieces, text, names)
                })
            }
        }
    }

    fn name(
        &self,
        name: &str,
        pieces: &[Piece],
        text: &str,
        names: &mut BTreeMap<String, String>,
    ) -> bool {
        splits(text)
            .filter(|(value, _)| !value.is_empty())
            .any(|(value, text)| {
                if names.values().any(|known| known == value) {
                    return false;
                }
                let mut longer = names.clone();
                longer.insert(name.to_owned(), value.to_owned());
                let fits = self.rest(pieces, text, &mut longer);
                if fits {
                    *names = longer;
                }
                fits
            })
    }

    fn allows(&self, piece: &Piece, value: &str) -> bool {
        match piece {
            Piece::Literal(_) | Piece::Named(_) => false,
            Piece::Any => true,
            Piece::AfterMaxAge => self.is_after_max_age(value),
            Piece::Past => date(value).is_some_and(|date| date < seconds(self.scope.time)),
            Piece::Methods => are_methods(value, &self.scope.method),
            Piece::ShortText => !value.trim().is_empty() && value.len() <= SHORT,
        }
    }

    fn is_after_max_age(&self, value: &str) -> bool {
        let age = self
            .whole
            .split_once("Max-Age=")
            .map(|(_, age)| age.split(';').next().unwrap_or_default());
        match (date(value), age.and_then(whole_seconds)) {
            (Some(date), Some(age)) => {
                (date - (seconds(self.scope.time).saturating_add(age))).abs() <= CLOCK_TOLERANCE
            }
            _ => false,
        }
    }
}

/// Returns every way to split a text in two, with the shortest first part first.
fn splits(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let ends = text
        .char_indices()
        .map(|(index, _)| index)
        .chain([text.len()]);
    ends.map(|end| text.split_at(end))
}

fn date(text: &str) -> Option<i64> {
    let is_date = text.len() == DATE_LENGTH && text.ends_with(" GMT");
    is_date
        .then(|| parse_http_date(text).ok().map(seconds))
        .flatten()
}

fn seconds(time: SystemTime) -> i64 {
    let since = time
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// Parses an age, without its fraction, which is smaller than the tolerance.
fn whole_seconds(text: &str) -> Option<i64> {
    text.trim().split('.').next()?.parse().ok()
}

fn are_methods(text: &str, own: &str) -> bool {
    let methods: Vec<_> = text.split(", ").collect();
    methods.is_sorted_by(|a, b| a < b)
        && methods.iter().all(|method| METHODS.contains(method))
        && methods.contains(&"OPTIONS")
        && (methods.contains(&"HEAD") || !methods.contains(&"GET"))
        && (own == "OPTIONS" || !methods.contains(&own))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(expected: &str, text: &str) -> bool {
        Scope::new().fits(expected, text)
    }

    #[test]
    fn any() {
        assert!(fits("a<*>b", "ab") && fits("a<*>b", "a1b2b") && fits("<*>", ""));
        assert!(!fits("a<*>b", "ac") && !fits("ab", "abc") && !fits("<p>x</p>", "y"));
        assert!(
            fits("<p>hi</p> <id>", "<p>hi</p> <id>"),
            "other text is literal"
        );
    }

    #[test]
    fn names_keep_their_value_and_differ() {
        let mut scope = Scope::new();
        assert!(scope.fits("x=<id1>; y=<id2>.", "x=ab; y=cd."));
        assert!(
            scope.fits("<id1>", "ab") && !scope.fits("<id1>", "cd") && !scope.fits("<id3>", "ab")
        );
        assert_eq!(scope.fill("k=<id2>; <id9>"), "k=cd; <id9>");
        assert!(!scope.fits("<id4>x", "zzy"));
        assert!(
            !scope.names.contains_key("id4"),
            "without a match, no symbol gets a value"
        );
        assert!(!scope.fits("<id5><id5>", "abac") && scope.fits("<id5><id5>", "efef"));
    }

    #[test]
    fn expiry() {
        let mut scope = Scope::new();
        let line = |offset: i64| {
            let time = seconds(scope.time) + offset;
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(time).unwrap());
            format!("a=1; Expires={}; Max-Age=60", httpdate::fmt_http_date(time))
        };
        let expected = "a=1; Expires=<response time + Max-Age>; Max-Age=60";
        let (right, wrong) = (line(61), line(90));
        assert!(scope.fits(expected, &right) && !scope.fits(expected, &wrong));
        assert!(!scope.fits(expected, "a=1; Expires=soon; Max-Age=60"));
        assert!(!scope.fits(
            "Expires=<response time + Max-Age>; Max-Age=9223372036854775807",
            "x"
        ));
        assert!(fits(
            "Expires=<past>; x",
            "Expires=Thu, 01 Jan 1970 00:00:00 GMT; x"
        ));
        assert!(!fits("<past>", "Tue, 01 Jan 2999 00:00:00 GMT") && !fits("<past>", "1970"));
    }

    #[test]
    fn methods() {
        let mut scope = Scope::new();
        scope.method = "PUT".to_owned();
        for (text, expected) in [
            ("GET, HEAD, OPTIONS, POST", true),
            ("OPTIONS", true),
            ("HEAD, GET, OPTIONS", false),
            ("GET, OPTIONS", false),
            ("GET, HEAD", false),
            ("OPTIONS, PUT", false),
            ("OPTIONS, POST, POST", false),
            ("", false),
        ] {
            assert_eq!(scope.fits("<methods>", text), expected, "{text}");
        }
    }

    #[test]
    fn short_texts() {
        assert!(
            fits("<short text>", "bad path")
                && !fits("<short text>", " ")
                && !fits("<short text>", &"x".repeat(9_999))
        );
    }
}
