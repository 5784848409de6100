//! Bots that `woothee` does not know for crawlers.

/// What gives them away, in lower case: the address of a page about the bot, the word itself, and the names
/// of those that have neither. With these, what Next calls a bot is one here.
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

/// Tells whether the header is that of a bot.
pub(super) fn is_bot(ua: &str) -> bool {
    let ua = ua.to_ascii_lowercase();
    WORDS.iter().any(|word| ua.contains(word))
}
