//! Writes a policy as JSON, for the description of a component.

use std::fmt::Write as _;

use super::{Draft, Policy};

impl Draft {
    /// Writes the JSON object of a component's description. Fields that are not set are left out.
    ///
    /// The object keeps the name of a profile, so that an app can change its times without a new build.
    pub fn to_json(&self) -> String {
        let texts = [
            ("life", &self.life),
            ("revalidate", &self.revalidate),
            ("expire", &self.expire),
        ];
        let lists = [
            ("tags", &self.tags),
            ("query", &self.query),
            ("vary", &self.vary),
        ];
        let mut fields = Vec::new();
        for (name, text) in texts {
            fields.extend(
                text.as_ref()
                    .map(|text| format!("\"{name}\":{}", time_or_text(text))),
            );
        }
        for (name, items) in lists.into_iter().filter(|(_, items)| !items.is_empty()) {
            let items: Vec<_> = items.iter().map(|item| quoted(item)).collect();
            fields.push(format!("\"{name}\":[{}]", items.join(",")));
        }
        format!("{{{}}}", fields.join(","))
    }
}

impl Policy {
    /// Writes the JSON object of a component's description, with times in seconds.
    pub fn to_json(&self) -> String {
        self.to_draft().to_json()
    }

    /// Returns a draft that [`Draft::check`] makes this policy again, with times in seconds.
    pub fn to_draft(&self) -> Draft {
        let revalidate = self.life.revalidate();
        let revalidate = revalidate.map_or("never".to_owned(), |time| time.as_secs().to_string());
        Draft {
            life: None,
            revalidate: Some(revalidate),
            expire: Some(self.life.expire().as_secs().to_string()),
            tags: self.tags.clone(),
            query: self.query.clone(),
            vary: self.vary.clone(),
        }
    }
}

/// Writes a number of seconds as a number, and any other text as a string. JSON has no numbers with leading zeros.
fn time_or_text(text: &str) -> String {
    let is_number = text
        .parse::<u64>()
        .is_ok_and(|number| number.to_string() == text);
    if is_number {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// Writes a JSON string ([RFC 8259 section 7](https://www.rfc-editor.org/rfc/rfc8259#section-7)).
fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            control if control < ' ' => drop(write!(out, "\\u{:04x}", u32::from(control))),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}
