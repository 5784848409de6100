//! Policies as lines of text, for the table of the router component: reading JSON would make it 50 kB larger.

use super::{Draft, PolicyError};
use crate::escape;

impl Draft {
    /// Writes the policy as one line: items of the form `name=value`, separated by spaces, with percent-encoded values.
    ///
    /// # Examples
    ///
    /// ```
    /// use waypost_cache::policy::Draft;
    ///
    /// let draft = Draft {
    ///     revalidate: Some("1m".to_owned()),
    ///     tags: vec!["posts".to_owned(), "post {slug}".to_owned()],
    ///     query: vec!["page".to_owned()],
    ///     ..Draft::default()
    /// };
    /// let line = draft.to_line();
    /// assert_eq!(line, "revalidate=1m tags=posts tags=post%20%7Bslug%7D query=page");
    /// assert_eq!(Draft::parse_line(&line), Ok(draft));
    /// ```
    pub fn to_line(&self) -> String {
        let mut line = String::new();
        let mut push = |name: &str, value: &str| {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(name);
            line.push('=');
            escape::encode(&mut line, value.as_bytes(), b"/");
        };
        let texts = [
            ("life", &self.life),
            ("revalidate", &self.revalidate),
            ("expire", &self.expire),
        ];
        for (name, text) in texts {
            text.iter().for_each(|text| push(name, text));
        }
        let lists = [
            ("tags", &self.tags),
            ("query", &self.query),
            ("vary", &self.vary),
        ];
        for (name, items) in lists {
            items.iter().for_each(|item| push(name, item));
        }
        line
    }

    /// Parses a line from [`to_line`](Self::to_line). Unknown names are ignored. [`check`](Self::check) makes it a policy.
    ///
    /// # Errors
    ///
    /// Returns an error if an item is malformed.
    pub fn parse_line(line: &str) -> Result<Self, PolicyError> {
        let mut draft = Self::default();
        for item in line.split(' ').filter(|item| !item.is_empty()) {
            let parts = item.split_once('=');
            let parts = parts.and_then(|(name, value)| Some((name, escape::decode_strict(value)?)));
            let (name, value) = parts.ok_or_else(|| PolicyError::NotAnItem {
                item: item.to_owned(),
            })?;
            match name {
                "life" => draft.life = Some(value),
                "revalidate" => draft.revalidate = Some(value),
                "expire" => draft.expire = Some(value),
                "tags" => draft.tags.push(value),
                "query" => draft.query.push(value),
                "vary" => draft.vary.push(value),
                _ => {}
            }
        }
        Ok(draft)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_names_are_ignored() {
        let draft = Draft::parse_line(" life=hours  new=1 vary=accept").unwrap();
        assert_eq!(draft.to_line(), "life=hours vary=accept");
        assert_eq!(Draft::parse_line(""), Ok(Draft::default()));
    }

    #[test]
    fn malformed_items_are_errors() {
        for line in ["life", "life=%ZZ", "tags=a b"] {
            assert!(Draft::parse_line(line).is_err(), "{line}");
        }
        assert_eq!(
            Draft::parse_line("tags=a b").unwrap_err().to_string(),
            "`b` in the cache policy is not of the form `name=value` with a percent-encoded value"
        );
    }
}
