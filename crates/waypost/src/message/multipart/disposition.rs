//! The `Content-Disposition` header of a part of a form.

/// The name of a part, and its file name if it is a file (RFC 7578 section 4.2).
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Disposition {
    pub(super) name: Option<String>,
    pub(super) file_name: Option<String>,
}

impl Disposition {
    /// Parses the header's value as browsers write it, or returns `None` if it is malformed.
    ///
    /// A name ends at the next quote, and a backslash is a plain character. Other parameters are ignored.
    pub(super) fn parse(value: &str) -> Option<Self> {
        let end = value.find(';').unwrap_or(value.len());
        let (kind, mut rest) = value.split_at(end);
        if !kind.trim().eq_ignore_ascii_case("form-data") {
            return None;
        }
        let mut disposition = Self::default();
        while let Some(parameter) = rest.strip_prefix(';') {
            let (key, value) = parameter.split_once('=')?;
            let (text, behind) = text(value.trim_start())?;
            let target = match key.trim().to_ascii_lowercase().as_str() {
                "name" => &mut disposition.name,
                "filename" => &mut disposition.file_name,
                _ => &mut None,
            };
            target.get_or_insert_with(|| unescape(text));
            rest = behind.trim_start();
        }
        rest.is_empty().then_some(disposition)
    }
}

/// Splits a value, quoted or not, from the rest of the header.
fn text(value: &str) -> Option<(&str, &str)> {
    if let Some(quoted) = value.strip_prefix('"') {
        return quoted.split_once('"');
    }
    let (text, behind) = value.split_at(value.find(';').unwrap_or(value.len()));
    Some((text.trim_end(), behind))
}

/// Decodes the three escapes of the HTML standard that browsers write in names.
fn unescape(name: &str) -> String {
    name.replace("%22", "\"")
        .replace("%0D", "\r")
        .replace("%0A", "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (value, name, file_name) in [
            (r#"form-data; name="a""#, Some("a"), None),
            (
                r#"Form-Data;name=a;filename=b c ; x=y"#,
                Some("a"),
                Some("b c"),
            ),
            (r#"form-data; filename="b"; name="a""#, Some("a"), Some("b")),
            (
                r#"form-data; name="a; filename=b""#,
                Some("a; filename=b"),
                None,
            ),
            (
                r#"form-data; name="a\"; filename="C:\b\""#,
                Some(r"a\"),
                Some(r"C:\b\"),
            ),
            (
                r#"form-data; name="a%22%0D%0A"; filename*=UTF-8''b"#,
                Some("a\"\r\n"),
                None,
            ),
            (r#"form-data; name="a"; name="b""#, Some("a"), None),
            ("form-data", None, None),
        ] {
            let expected = Disposition {
                name: name.map(str::to_owned),
                file_name: file_name.map(str::to_owned),
            };
            assert_eq!(Disposition::parse(value), Some(expected), "{value}");
        }
    }

    #[test]
    fn malformed_values() {
        for value in [
            "",
            r#"attachment; name="a""#,
            r#"form-data; name="a"#,
            r#"form-data; name="a" b"#,
            "form-data; name",
            "form-data;",
        ] {
            assert_eq!(Disposition::parse(value), None, "{value}");
        }
    }
}
