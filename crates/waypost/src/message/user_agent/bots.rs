//! Bots: those that `woothee` does not classify as crawlers, and what bots claim to be.

use std::borrow::Cow;

/// Words of bots, in lower case: the URL of a page about the bot, the word "bot" itself, and the names of bots with
/// neither. With these, every bot of Next is one here.
const WORDS: [&str; 10] = [
    "+http",
    "-google",
    "bot/",
    "facebookcatalog",
    "google-",
    "googleother",
    "googleweblight",
    "preview",
    "tumblr",
    "whatsapp",
];

/// Returns whether the header is that of a bot.
pub(super) fn is_bot(ua: &str) -> bool {
    let ua = ua.to_ascii_lowercase();
    WORDS.iter().any(|word| ua.contains(word))
}

/// Words of bots in the parts of a header, in lower case.
const MARKS: [&str; 12] = [
    "http:",
    "https:",
    "bot",
    "crawler",
    "spider",
    "slurp",
    "-google",
    "google-",
    "googleother",
    "facebook",
    "lighthouse",
    "preview",
];

/// Returns the header without the words by which a bot names itself: what is left is the browser and device that it claims to be.
///
/// In `(X11; Linux x86_64; Storebot-Google/1.0)` only the last part is removed, and `(compatible; bingbot/2.0; +http://…)` as a whole.
pub(super) fn claimed(ua: &str) -> Cow<'_, str> {
    let mut kept = Vec::new();
    let mut rest = ua;
    while !rest.is_empty() {
        let (word, after) = match rest.strip_prefix('(') {
            Some(comment) => comment.split_once(')').unwrap_or((comment, "")),
            None => rest.split_at(rest.find([' ', '(']).unwrap_or(rest.len())),
        };
        let is_comment = rest.starts_with('(');
        rest = after.trim_start();
        match is_comment {
            true => kept.extend(comment_claimed(word)),
            false if is_mark(word) => {}
            false => kept.push(word.to_owned()),
        }
    }
    kept.join(" ").into()
}

/// Returns the parts of a comment that name no bot, in parentheses, or `None` if there are none.
fn comment_claimed(comment: &str) -> Option<String> {
    let parts = comment.split(';').map(str::trim);
    let parts = parts.filter(|part| *part != "compatible" && !is_mark(part));
    let kept: Vec<&str> = parts.collect();
    (!kept.is_empty()).then(|| format!("({})", kept.join("; ")))
}

fn is_mark(part: &str) -> bool {
    let part = part.to_ascii_lowercase();
    MARKS.iter().any(|mark| part.contains(mark))
}
