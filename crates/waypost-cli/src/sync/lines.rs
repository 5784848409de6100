//! Keeps line ends and comments, which a TOML editor loses.

/// Returns `text` with the line ends and the byte order mark of `original`.
pub(super) fn like(original: &str, text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let lines = original.matches('\n').count();
    let text = match lines > 0 && original.matches("\r\n").count() == lines {
        true => text.replace('\n', "\r\n"),
        false => text,
    };
    match original.starts_with('\u{feff}') && !text.starts_with('\u{feff}') {
        true => format!("\u{feff}{text}"),
        false => text,
    }
}

/// Returns the comments in the space before an item, without the space after the last one.
pub(super) fn comments(space: &str) -> &str {
    match space.rfind('#') {
        None => "",
        Some(hash) => match space[hash..].find('\n') {
            Some(end) => &space[..hash + end + 1],
            None => space,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_follow_the_original() {
        assert_eq!(like("a\r\nb\r\n", "a\nb\nc\n"), "a\r\nb\r\nc\r\n");
        assert_eq!(like("a\nb\r\n", "a\nb\nc\n"), "a\nb\nc\n");
        assert_eq!(like("", "a\n"), "a\n");
        assert_eq!(like("\u{feff}a\n", "b\n"), "\u{feff}b\n");
    }

    #[test]
    fn comments_are_kept_whole() {
        assert_eq!(comments("\n\n"), "");
        assert_eq!(
            comments(" # of the entry before\n    "),
            " # of the entry before\n"
        );
        assert_eq!(comments("\n# a\n# b\n\n"), "\n# a\n# b\n");
        assert_eq!(comments(" # end"), " # end");
    }
}
