//! Templates: text with variables in double braces, as in `https://{{ host }}/`.

use std::fmt;

/// Text with variables, in the syntax of Spin's manifest.
///
/// `{{` can't be escaped. `}}` without a `{{` before it is text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Variable(String),
}

/// Why a template is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TemplateError {
    /// A `{{` has no `}}` after it.
    #[error("`{{{{` without a closing `}}}}`")]
    Unclosed,
}

impl Template {
    pub(crate) fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (name, after) = after.split_once("}}").ok_or(TemplateError::Unclosed)?;
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(Part::Variable(name.trim().to_owned()));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self { parts })
    }

    /// Returns the names of the variables, in order, once for each use.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Variable(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// Returns whether the template has no variables.
    pub(crate) fn is_literal(&self) -> bool {
        self.names().next().is_none()
    }

    /// Fills in the values of the variables. Returns `None` if one of them has no value.
    pub(crate) fn fill<'v>(&self, value: impl Fn(&str) -> Option<&'v str>) -> Option<String> {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => Some(text.as_str()),
                Part::Variable(name) => value(name),
            })
            .collect()
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.iter().try_for_each(|part| match part {
            Part::Text(text) => f.write_str(text),
            Part::Variable(name) => write!(f, "{{{{ {name} }}}}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_filled_in() {
        let value = |name: &str| match name {
            "a" => Some("1"),
            "b" => Some(""),
            "braces" => Some("{{ a }}"),
            _ => None,
        };
        for (text, expected) in [
            ("", Some("")),
            ("plain", Some("plain")),
            ("{{a}}", Some("1")),
            ("<{{ a }}{{\ta }}>", Some("<11>")),
            ("{{ b }}", Some("")),
            ("}} { a } {{ a }}}}", Some("}} { a } 1}}")),
            ("{{ braces }}", Some("{{ a }}")),
            ("{{ unknown }}", None),
            ("{{}}", None),
        ] {
            let template = Template::parse(text).unwrap();
            assert_eq!(template.fill(value).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn an_open_brace_pair_is_refused() {
        for text in ["{{", "{{ a }} {{ b", "{{ a }"] {
            assert_eq!(
                Template::parse(text),
                Err(TemplateError::Unclosed),
                "{text}"
            );
        }
    }
}
