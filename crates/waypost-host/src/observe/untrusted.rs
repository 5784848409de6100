//! Text that is not the host's own, made fit for a line of the log.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The most bytes of a text that are shown on one line.
pub(crate) const LONGEST: usize = 8 * 1024;

/// Returns a text as the log may show it: it is one line, moves no cursor, and cannot be taken for a field.
///
/// An ordinary text stays as it is. One with `=`, a quotation mark, a backslash or a character that changes how others are
/// shown is quoted, and those are escaped as in Rust: so a text either is in quotation marks or has no `=`.
/// No more than the first 8 KiB are shown.
pub(crate) fn shown(text: &str) -> Cow<'_, str> {
    let text = &text[..text.floor_char_boundary(LONGEST)];
    let needs_quotes = |char: char| matches!(char, '=' | '"' | '\\') || is_deceptive(char);
    if !text.contains(needs_quotes) {
        return Cow::Borrowed(text);
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => quoted.extend(['\\', char]),
            '\r' => quoted += "\\r",
            '\n' => quoted += "\\n",
            _ if is_deceptive(char) => {
                // Writing to a string does not fail.
                let _ = write!(quoted, "\\u{{{:x}}}", u32::from(char));
            }
            _ => quoted.push(char),
        }
    }
    quoted.push('"');
    Cow::Owned(quoted)
}

/// Returns whether a character is not shown itself, but ends the line, controls the terminal, reorders the text around it
/// (UAX #9) or hides in it. A tab does no harm.
fn is_deceptive(char: char) -> bool {
    match char {
        '\t' => false,
        // Line and paragraph separator.
        '\u{2028}' | '\u{2029}' => true,
        // Marks, embeddings, overrides and isolates of direction.
        '\u{61c}' | '\u{200e}' | '\u{200f}' => true,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}' => true,
        // Zero width, and tags.
        '\u{200b}' | '\u{2060}'..='\u{2065}' | '\u{feff}' => true,
        '\u{e0000}'..='\u{e007f}' => true,
        _ => char.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, shown};

    #[test]
    fn a_text_forges_nothing() {
        for (text, expected) in [
            ("", ""),
            ("order 7 is paid", "order 7 is paid"),
            ("naïve\tभाषा 🧑‍🔧", "naïve\tभाषा 🧑‍🔧"),
            ("x route=\"/admin\"", r#""x route=\"/admin\"""#),
            ("request=1", r#""request=1""#),
            ("\"quoted\"", r#""\"quoted\"""#),
            ("a\\u{0}", r#""a\\u{0}""#),
            ("one\rtwo\nthree", r#""one\rtwo\nthree""#),
            ("\0\u{1b}[2J\u{7f}\u{9b}", r#""\u{0}\u{1b}[2J\u{7f}\u{9b}""#),
            ("\u{202e}gnp\u{202c}", r#""\u{202e}gnp\u{202c}""#),
            ("a\u{2028}b\u{85}c", r#""a\u{2028}b\u{85}c""#),
            (
                "a\u{2066}b\u{200b}c\u{e0041}",
                r#""a\u{2066}b\u{200b}c\u{e0041}""#,
            ),
        ] {
            assert_eq!(shown(text), expected);
        }
        let long = "ü".repeat(LONGEST);
        assert_eq!(shown(&long).len(), LONGEST);
    }
}
