//! Globs that match exactly one folder, whatever characters its name has.
//!
//! Cargo's workspace members and the watch lists of `spin watch` are globs, and `[slug]` has a meaning in them.

/// Returns a glob that matches this folder and nothing else, for Cargo and for `spin watch`, where braces have a meaning too.
pub(crate) fn escape_glob(folder: &str) -> String {
    let mut glob = String::with_capacity(folder.len());
    for c in folder.chars() {
        match c {
            '[' | ']' | '*' | '?' | '{' | '}' => glob.extend(['[', c, ']']),
            c => glob.push(c),
        }
    }
    glob
}

/// Returns the folder that a glob of [`escape_glob`] matches, or `None` for any other glob.
pub(crate) fn unescape_glob(glob: &str) -> Option<String> {
    let mut folder = String::with_capacity(glob.len());
    let mut chars = glob.chars();
    while let Some(c) = chars.next() {
        match c {
            '[' => {
                let escaped = chars.next().filter(|c| "[]*?{}".contains(*c))?;
                folder.push(escaped);
                chars.next().filter(|c| *c == ']')?;
            }
            ']' | '*' | '?' => return None,
            c => folder.push(c),
        }
    }
    Some(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escaped_folder_is_read_back() {
        for (folder, glob) in [
            ("handlers/items/[slug]", "handlers/items/[[]slug[]]"),
            ("a{b}*?", "a[{]b[}][*][?]"),
            ("plain", "plain"),
        ] {
            assert_eq!(escape_glob(folder), glob);
            assert_eq!(unescape_glob(glob).as_deref(), Some(folder));
        }
        for other in ["a/*", "a[bc]", "a]", "[", "[[", "[a]"] {
            assert_eq!(unescape_glob(other), None, "{other}");
        }
    }
}
