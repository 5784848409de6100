//! Globs with one wildcard: `*` matches any text, including the empty one. All other characters are literal.

/// Returns `true` if `glob` matches the whole of `text`.
pub(crate) fn fits(glob: &str, text: &str) -> bool {
    let Some((start, rest)) = glob.split_once('*') else {
        return glob == text;
    };
    let Some(mut text) = text.strip_prefix(start) else {
        return false;
    };
    let mut parts: Vec<_> = rest.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        // The first occurrence is enough, because the next `*` matches any text after it.
        let Some((_, after)) = text.split_once(part) else {
            return false;
        };
        text = after;
    }
    text.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        for (glob, text, expected) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("*", "", true),
            ("a*", "a", true),
            ("a*", "ba", false),
            ("*b", "ab", true),
            ("a*a", "a", false),
            ("a*b*c", "abbc", true),
            ("a*b*b", "ab", false),
            ("*%2F*", "/r%2Fx", true),
            ("**", "x", true),
        ] {
            assert_eq!(fits(glob, text), expected, "{glob} {text}");
        }
    }
}
