//! Content negotiation, compared with a simpler implementation of RFC 9110 section 12.5.1.

use waypost::Request;
use waypost::http::header;

/// The media types that the handler offers.
const OFFERED: [&str; 3] = ["text/plain", "text/html", "application/json"];

/// Checks which of several media types is chosen.
pub(super) fn accepts(request: &Request) {
    let best = request.accepts(&OFFERED);
    for offered in OFFERED {
        let alone = request.accepts(&[offered]);
        assert!(alone.is_none() || best.is_some(), "{offered} is acceptable");
        assert!(
            best != Some(offered) || alone == best,
            "{offered} is not acceptable"
        );
    }
    let Some(accept) = request.header(header::ACCEPT.as_str()) else {
        return assert_eq!(best, Some(OFFERED[0]));
    };
    let qualities = OFFERED.map(|offered| quality(accept, offered));
    if let [Some(text), Some(html), Some(json)] = qualities {
        let most = text.max(html).max(json);
        let index = [text, html, json]
            .iter()
            .position(|it| *it == most && most > 0);
        assert_eq!(best, index.map(|index| OFFERED[index]), "{accept:?}");
    }
}

/// The oracle for simple headers: returns the quality of a media type, in thousandths.
///
/// Returns `None` if the header is not simple: if it has parameters other than a valid `q`, or a range twice.
fn quality(accept: &str, media_type: &str) -> Option<u16> {
    let (kind, _) = media_type.split_once('/')?;
    let fitting = [media_type.to_owned(), format!("{kind}/*"), "*/*".to_owned()];
    let mut found = [None; 3];
    for element in accept.split(',') {
        let (range, weight) = element.split_once(';').unwrap_or((element, "q=1"));
        let weight = thousandths(weight.trim_matches([' ', '\t']).strip_prefix("q=")?)?;
        let range = range.trim_matches([' ', '\t']).to_ascii_lowercase();
        if let Some(index) = fitting.iter().position(|fitting| *fitting == range)
            && found[index].replace(weight).is_some()
        {
            return None;
        }
    }
    Some(found.into_iter().flatten().next().unwrap_or_default())
}

/// Parses a `qvalue` (RFC 9110 section 12.4.2).
fn thousandths(text: &str) -> Option<u16> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let digits = rest.len() <= 3 && rest.bytes().all(|byte| byte.is_ascii_digit());
    let rest: u16 = format!("{rest:0<3}").parse().ok().filter(|_| digits)?;
    match (whole, rest) {
        ("0", rest) => Some(rest),
        ("1", 0) => Some(1000),
        _ => None,
    }
}
