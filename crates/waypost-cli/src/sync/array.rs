//! Edits arrays of strings in the style in which a person laid them out.
//!
//! A comment after an entry is part of the space before the next one, or before the closing bracket. It is removed
//! with its entry; comments on lines of their own stay.

use toml_edit::{Array, Value};

/// The longest array, in bytes, that stays on one line. In longer ones each new entry gets a line.
const LINE: usize = 80;

/// Adds entries, on lines of their own if the array has such lines or would get too long.
pub(super) fn push_all(array: &mut Array, entries: &[String]) {
    if entries.is_empty() {
        return;
    }
    let indent = line_indent(array);
    let length: usize = entries.iter().map(|entry| entry.len() + 4).sum();
    let is_long = array.to_string().len() + length > LINE;
    let after_comma = take_end(array);
    let on_lines = indent.is_some() || is_long || after_comma.contains('\n');
    let indent = indent.unwrap_or_else(|| "    ".to_owned());
    for (index, entry) in entries.iter().enumerate() {
        let space = match (on_lines, array.is_empty()) {
            (true, _) if index == 0 => format!("{}\n{indent}", after_comma.trim_end()),
            (true, _) => format!("\n{indent}"),
            (false, true) => String::new(),
            (false, false) => " ".to_owned(),
        };
        let mut entry = Value::from(entry.as_str());
        entry.decor_mut().set_prefix(space);
        array.push_formatted(entry);
    }
    array.set_trailing_comma(on_lines);
    match on_lines {
        true => array.set_trailing("\n"),
        false => array.set_trailing(&after_comma),
    }
}

/// Removes an entry with the comment after it.
pub(super) fn remove(array: &mut Array, index: usize) {
    let removed = array.remove(index);
    let before = prefix(&removed);
    match array.get_mut(index) {
        Some(next) => {
            let space = close_gap(&before, &prefix(next), index);
            next.decor_mut().set_prefix(space);
        }
        None => {
            let suffix = removed.decor().suffix().and_then(|space| space.as_str());
            let end = array.trailing().as_str().unwrap_or_default();
            let end = format!("{}{end}", suffix.unwrap_or_default());
            array.set_trailing(close_gap(&before, &end, index));
        }
    }
}

/// Returns the space in place of a removed entry: the space before it, and the space after it without the comment on
/// its line.
fn close_gap(before: &str, after: &str, index: usize) -> String {
    let comments = before.trim_end();
    let after = match after.find('\n') {
        Some(line_end) => &after[line_end..],
        None if index == 0 && comments.is_empty() => before,
        None => after,
    };
    format!("{comments}{after}")
}

fn prefix(value: &Value) -> String {
    let space = value.decor().prefix().and_then(|space| space.as_str());
    space.unwrap_or_default().to_owned()
}

/// Removes the space between the last entry and the closing bracket, which can contain comments, and returns it.
/// Without a comma after the last entry it is the suffix of that entry.
fn take_end(array: &mut Array) -> String {
    let end = array.trailing().as_str().unwrap_or_default().to_owned();
    array.set_trailing("");
    let last = array.len().checked_sub(1);
    match last.and_then(|last| array.get_mut(last)) {
        Some(last) => {
            let decor = last.decor_mut();
            let suffix = decor.suffix().and_then(|space| space.as_str());
            let suffix = suffix.unwrap_or_default().to_owned();
            decor.set_suffix("");
            format!("{suffix}{end}")
        }
        None => end,
    }
}

/// Returns the indent of the last entry that begins a line.
fn line_indent(array: &Array) -> Option<String> {
    let begins_line = |entry: &Value| {
        let space = prefix(entry);
        let newline = space.rfind('\n')?;
        Some(space[newline + 1..].to_owned())
    };
    array.iter().filter_map(begins_line).last()
}

#[cfg(test)]
mod tests {
    use toml_edit::DocumentMut;

    use super::*;

    fn edit(text: &str, change: impl Fn(&mut Array)) -> String {
        let mut document: DocumentMut = format!("a = {text}\n").parse().unwrap();
        change(document["a"].as_array_mut().unwrap());
        let text = document.to_string();
        text.parse::<DocumentMut>().expect("the result is TOML");
        text.trim_start_matches("a = ").trim_end().to_owned()
    }

    #[test]
    fn entries_come_in_the_style_of_the_array() {
        for (before, after) in [
            ("[]", r#"["n"]"#),
            ("[ ]", r#"["n" ]"#),
            (r#"["x"]"#, r#"["x", "n"]"#),
            (r#"[ "x" ]"#, r#"[ "x", "n" ]"#),
            (r#"["x",]"#, r#"["x", "n"]"#),
            ("[\n  \"x\"\n]", "[\n  \"x\",\n  \"n\",\n]"),
            ("[\n  \"x\", # of x\n]", "[\n  \"x\", # of x\n  \"n\",\n]"),
            ("[\n  \"x\" # of x\n]", "[\n  \"x\", # of x\n  \"n\",\n]"),
            ("[ # of all\n]", "[ # of all\n    \"n\",\n]"),
        ] {
            let found = edit(before, |array| push_all(array, &["n".to_owned()]));
            assert_eq!(found, after, "{before}");
        }
    }

    #[test]
    fn entries_go_with_the_comment_after_them() {
        for (before, index, after) in [
            (r#"["x"]"#, 0, "[]"),
            (r#"["x", "y"]"#, 0, r#"["y"]"#),
            (r#"["x", "y"]"#, 1, r#"["x"]"#),
            (r#"[ "x", "y" ]"#, 1, r#"[ "x" ]"#),
            (r#"["x", "y", "z"]"#, 1, r#"["x", "z"]"#),
            (
                "[\n \"x\", # x\n # own\n \"y\", # y\n \"z\", # z\n]",
                1,
                "[\n \"x\", # x\n # own\n \"z\", # z\n]",
            ),
            ("[\n \"x\", # x\n \"y\", # y\n]", 1, "[\n \"x\", # x\n]"),
            ("[\n \"x\", # x\n \"y\" # y\n]", 1, "[\n \"x\" # x\n]"),
            ("[\n \"x\", # x\n \"y\", # y\n]", 0, "[\n \"y\", # y\n]"),
        ] {
            let found = edit(before, |array| remove(array, index));
            assert_eq!(found, after, "{before}");
        }
    }
}
