//! Variables of an app: declared in the manifest, set by the environment, used in templates.
//!
//! Variables are resolved once, before the first request. A value that contains a secret is never shown: its `Debug`
//! output is redacted, and no fault quotes it.

pub(crate) mod dotenv;
mod template;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::ops::Range;

use crate::document::Collector;
use crate::fault::FaultKind;
pub(crate) use template::Template;

/// The prefix of a variable in the environment; its name follows in upper case.
const ENVIRONMENT_PREFIX: &str = "SPIN_VARIABLE_";

/// A variable that the manifest declares in `[variables]`.
///
/// A variable has a default or is required, never both.
#[derive(Clone, PartialEq, Eq)]
pub struct Variable {
    /// The description, if there is one.
    pub description: Option<String>,
    /// The value if the environment sets none. A variable without a default is required.
    pub default: Option<String>,
    /// Whether the value must not be shown.
    pub secret: bool,
    pub(crate) range: Range<usize>,
}

impl fmt::Debug for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let default = self.default.as_deref();
        f.debug_struct("Variable")
            .field("description", &self.description)
            .field("default", &default.map(|text| shown(text, self.secret)))
            .field("secret", &self.secret)
            .finish_non_exhaustive()
    }
}

/// The value of a variable of a component, filled in.
#[derive(Clone, PartialEq, Eq)]
pub struct VariableValue {
    text: String,
    secret: bool,
}

impl VariableValue {
    /// Returns the value itself, which only the component with access to the variable may see.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// Returns whether the value contains a secret.
    pub fn is_secret(&self) -> bool {
        self.secret
    }
}

impl fmt::Debug for VariableValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(shown(&self.text, self.secret), f)
    }
}

/// The variables that have a value.
pub(crate) struct Values<'v>(BTreeMap<&'v str, VariableValue>);

impl<'v> Values<'v> {
    /// Takes the value of every variable from the environment, or else its default. Reports those without a value.
    pub(crate) fn resolve(
        variables: &'v BTreeMap<String, Variable>,
        environment: impl Fn(&str) -> Option<OsString>,
        faults: &mut Collector,
    ) -> Self {
        let value = |(name, variable): (&'v String, &Variable)| {
            let text = text_of(name, variable, &environment, faults)?;
            let secret = variable.secret;
            Some((name.as_str(), VariableValue { text, secret }))
        };
        Self(variables.iter().filter_map(value).collect())
    }

    /// Fills in a template. Returns `None` if one of its variables has no value, which is reported already.
    pub(crate) fn fill(&self, template: &Template) -> Option<VariableValue> {
        let text = template.fill(|name| self.0.get(name).map(VariableValue::expose))?;
        let secret = template
            .names()
            .any(|name| self.0.get(name).is_some_and(VariableValue::is_secret));
        Some(VariableValue { text, secret })
    }
}

/// Returns the environment variable that sets a variable of the app.
pub(crate) fn environment_name(variable: &str) -> String {
    format!("{ENVIRONMENT_PREFIX}{}", variable.to_ascii_uppercase())
}

fn text_of(
    name: &str,
    variable: &Variable,
    environment: impl Fn(&str) -> Option<OsString>,
    faults: &mut Collector,
) -> Option<String> {
    let given = environment_name(name);
    let fault = match environment(&given).map(OsString::into_string) {
        Some(Ok(text)) => return Some(text),
        Some(Err(_)) => FaultKind::NotUnicode {
            name: name.to_owned(),
        },
        None if variable.default.is_some() => return variable.default.clone(),
        None => FaultKind::NoValue {
            name: name.to_owned(),
        },
    };
    let hint = format!("set the environment variable `{given}`");
    faults.add_hinted(&variable.range, fault, hint);
    None
}

fn shown(text: &str, secret: bool) -> &str {
    if secret { "[secret]" } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_hides_secrets() {
        for secret in [true, false] {
            let text = "swordfish".to_owned();
            let variable = Variable {
                description: None,
                default: Some(text.clone()),
                secret,
                range: 0..0,
            };
            let value = VariableValue { text, secret };
            for output in [format!("{variable:?}"), format!("{value:?}")] {
                assert_eq!(output.contains("swordfish"), !secret, "{output}");
            }
        }
    }
}
