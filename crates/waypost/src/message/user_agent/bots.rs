//! Bots that `woothee` does not classify as crawlers.

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
