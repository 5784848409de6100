//! Tags: names by which responses are invalidated together, and the templates that a policy writes them with.

use waypost_routing::{ParamValue, Params};

/// The largest number of tags of one response (Next: `NEXT_CACHE_TAG_MAX_ITEMS`).
pub const MAX_TAGS: usize = 128;

/// The largest number of characters of a tag (Next: `NEXT_CACHE_TAG_MAX_LENGTH`).
pub const MAX_TAG_CHARS: usize = 256;

/// Why a text is not a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TagError {
    /// The text is empty.
    #[error("a tag is empty")]
    Empty,
    /// The text has more than [`MAX_TAG_CHARS`] characters.
    #[error("a tag is longer than {MAX_TAG_CHARS} characters")]
    TooLong,
    /// There are more than [`MAX_TAGS`] tags.
    #[error("there are more than {MAX_TAGS} tags")]
    TooMany,
    /// A list of tags in a header is malformed.
    #[error("a list of tags is malformed")]
    Malformed,
}

/// Checks a tag. Any character is allowed.
///
/// # Errors
///
/// Returns an error if the tag is empty or has more than [`MAX_TAG_CHARS`] characters.
pub fn check_tag(tag: &str) -> Result<(), TagError> {
    if tag.is_empty() {
        Err(TagError::Empty)
    } else if tag.chars().nth(MAX_TAG_CHARS).is_some() {
        Err(TagError::TooLong)
    } else {
        Ok(())
    }
}

/// Adds tags to a list without repeating any.
///
/// # Errors
///
/// Returns an error if a tag is invalid, or if the list would have more than [`MAX_TAGS`]. A response with such a tag
/// must not be stored, because the tag could not invalidate it.
pub fn add_tags(
    tags: &mut Vec<String>,
    more: impl IntoIterator<Item = String>,
) -> Result<(), TagError> {
    for tag in more {
        check_tag(&tag)?;
        if tags.contains(&tag) {
            continue;
        }
        if tags.len() == MAX_TAGS {
            return Err(TagError::TooMany);
        }
        tags.push(tag);
    }
    Ok(())
}

/// A part of the template of a tag, such as `post-{slug}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// A text that every tag has.
    Text(&'a str),
    /// The name of a param, from between braces.
    Param(&'a str),
}

/// Splits a template into its pieces. Returns `None` if its braces don't enclose names.
pub fn pieces(template: &str) -> Option<Vec<Piece<'_>>> {
    let mut pieces = Vec::new();
    let mut rest = template;
    while let Some((text, tail)) = rest.split_once('{') {
        let (name, tail) = tail.split_once('}')?;
        if name.is_empty() || name.contains('{') || text.contains('}') {
            return None;
        }
        pieces.push(Piece::Text(text));
        pieces.push(Piece::Param(name));
        rest = tail;
    }
    pieces.push(Piece::Text(rest));
    (!rest.contains('}')).then_some(pieces)
}

/// Replaces the params of a template with their values. The segments of a catch-all are joined with `/`. A param
/// without a value is empty.
pub(crate) fn fill(template: &str, params: &Params) -> String {
    let mut tag = String::new();
    for piece in pieces(template).unwrap_or_default() {
        match piece {
            Piece::Text(text) => tag.push_str(text),
            Piece::Param(name) => match params.get(name) {
                Some(ParamValue::One(value)) => tag.push_str(value),
                Some(ParamValue::Many(values)) => tag.push_str(&values.join("/")),
                None => {}
            },
        }
    }
    tag
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_have_texts_and_params() {
        let split = |template| {
            let pieces = pieces(template)?.into_iter();
            let texts = pieces.map(|piece| match piece {
                Piece::Text(text) => text.to_owned(),
                Piece::Param(name) => format!("<{name}>"),
            });
            Some(texts.collect::<String>())
        };
        assert_eq!(split("posts").as_deref(), Some("posts"));
        assert_eq!(split("a-{b}{c}-d").as_deref(), Some("a-<b><c>-d"));
        for wrong in ["{", "}", "a{}", "{a", "a}", "{{a}}", "{a{b}}", "}{a}"] {
            assert_eq!(split(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn params_are_inserted() {
        let params: Params = [
            ("slug".to_owned(), ParamValue::One("a/ü".to_owned())),
            (
                "rest".to_owned(),
                ParamValue::Many(vec!["x".into(), "y".into()]),
            ),
        ]
        .into_iter()
        .collect();
        assert_eq!(fill("post-{slug}!{rest}{none}", &params), "post-a/ü!x/y");
    }

    #[test]
    fn tags_have_bounds() {
        assert_eq!(check_tag(""), Err(TagError::Empty));
        assert_eq!(check_tag(&"ü".repeat(256)), Ok(()));
        assert_eq!(check_tag(&"ü".repeat(257)), Err(TagError::TooLong));
    }

    #[test]
    fn lists_of_tags_have_bounds() {
        let numbers = |range: std::ops::Range<usize>| range.map(|number| number.to_string());
        let mut tags = Vec::new();
        assert_eq!(add_tags(&mut tags, numbers(0..128)), Ok(()));
        assert_eq!(add_tags(&mut tags, numbers(5..7)), Ok(()));
        assert_eq!(tags.len(), 128);
        assert_eq!(
            add_tags(&mut tags, numbers(127..129)),
            Err(TagError::TooMany)
        );
        assert_eq!(add_tags(&mut vec![], [String::new()]), Err(TagError::Empty));
    }
}
