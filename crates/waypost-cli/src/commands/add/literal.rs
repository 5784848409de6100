//! Refuses names that would become literal segments although their author most likely meant a param.
//!
//! A folder may have any name, and `[id` or `:id` matches only a path with these characters. So `add` refuses such a name; who
//! wants it creates the folder by hand.

use crate::failure::Failure;

/// Refuses a path with a name that looks like a param, or that no path of a URL has.
///
/// # Errors
///
/// With the form that was most likely meant.
pub(super) fn refuse(below: &str) -> Result<(), Failure> {
    below.split('/').try_for_each(refuse_name)
}

fn refuse_name(name: &str) -> Result<(), Failure> {
    let is_whole = |begin, end| name.starts_with(begin) && name.ends_with(end);
    if is_whole('[', ']') || is_whole('(', ')') {
        return Ok(());
    }
    if let Some(c) = name.chars().find(|c| c.is_control() || "?#\\".contains(*c)) {
        let message = format!("`{name}` contains {c:?}, which is not part of a path");
        return Err(Failure::new(message).hint("leave it out, or write it as a percent-escape"));
    }
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let is_param = name.contains(['[', ']', '{', '}', '<', '>', '*'])
        || name.starts_with(':')
        || name.starts_with('(') && !name.contains(')');
    if !is_param {
        return Ok(());
    }
    let param: String = name.chars().filter(|c| word(*c)).collect();
    let hint = match (name.starts_with('('), name.contains('*'), param.as_str()) {
        (true, ..) => format!("write `({param})` for a group"),
        (false, true, "") => "write `[...path]` for any number of segments".to_owned(),
        (false, true, param) => format!("write `[...{param}]` for any number of segments"),
        (false, false, "") => "write `[name]` for a param".to_owned(),
        (false, false, param) => {
            format!("write `[{param}]` for a param, which is always a whole segment")
        }
    };
    let message = format!("`{name}` would be a literal name, not a param or a group");
    Err(Failure::new(message).hint(format!(
        "{hint}; for a route with this literal name create its folder by hand"
    )))
}

#[cfg(test)]
mod tests {
    use super::refuse;

    #[test]
    fn names_that_look_like_params_are_refused() {
        for (below, hint) in [
            ("api/[x", "write `[x]` for a param"),
            ("api/x]", "write `[x]` for a param"),
            ("post-[id]", "write `[post-id]` for a param"),
            (":id", "write `[id]` for a param"),
            ("a/{id}/b", "write `[id]` for a param"),
            ("<id>", "write `[id]` for a param"),
            ("files/*", "write `[...path]` for any number"),
            ("*rest", "write `[...rest]` for any number"),
            ("(shop/cart", "write `(shop)` for a group"),
            ("items?x=1", "percent-escape"),
            ("a\u{1b}b", "percent-escape"),
        ] {
            let failure = refuse(below).unwrap_err();
            let said = failure.advice().unwrap();
            assert!(said.contains(hint), "{below}: {said}");
        }
    }

    #[test]
    fn other_names_are_accepted() {
        for below in [
            "",
            "hello",
            "items/[slug]",
            "docs/[[...path]]",
            "(shop)/cart",
            "@slot/x",
            "(.)photo",
            "rss.xml",
            "v1.0",
            "caf%C3%A9",
            "~user",
            "a b",
        ] {
            assert!(refuse(below).is_ok(), "{below}");
        }
    }
}
