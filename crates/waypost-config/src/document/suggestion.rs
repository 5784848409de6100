//! "Did you mean …?": suggests the valid name that is closest to an unknown one.

/// Returns a hint with the candidate closest to `name`, or `None` if none is close.
pub(crate) fn did_you_mean<'c>(
    name: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<String> {
    let near = |candidate: &&str| distance(name, candidate) <= tolerance(candidate);
    candidates
        .into_iter()
        .filter(near)
        .min_by_key(|candidate| distance(name, candidate))
        .map(|candidate| format!("did you mean `{candidate}`?"))
}

/// Counts edits. Case and the choice of separator are ignored.
fn distance(one: &str, other: &str) -> usize {
    let plain = |name: &str| name.to_lowercase().replace('-', "_");
    strsim::damerau_levenshtein(&plain(one), &plain(other))
}

/// Allows one edit for every three characters: more would suggest unrelated short names.
fn tolerance(candidate: &str) -> usize {
    candidate.chars().count().div_ceil(3).min(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_the_closest_name_or_none() {
        let names = ["source", "files", "environment", "key_value_stores"];
        for (name, expected) in [
            ("sorce", Some("source")),
            ("Source", Some("source")),
            ("enviroment", Some("environment")),
            ("key-value-stores", Some("key_value_stores")),
            ("file", Some("files")),
            ("memory", None),
            ("", None),
            ("ü", None),
        ] {
            let expected = expected.map(|name| format!("did you mean `{name}`?"));
            assert_eq!(did_you_mean(name, names), expected, "{name}");
        }
    }
}
