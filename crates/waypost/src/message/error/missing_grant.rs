//! Errors of a host's interfaces that come from a missing grant in `spin.toml`. Their own text is only a name, such
//! as `Error::AccessDenied`, so the setting that is missing is put before it.

use std::fmt;

use spin_sdk::{key_value, sqlite, variables};

/// A permission or variable that the component lacks.
#[derive(Clone, Copy)]
struct MissingGrant {
    what: &'static str,
    setting: &'static str,
    /// The function of `waypost::test` that grants it in a native test; empty if there is none.
    in_a_test: &'static str,
}

const STORE: MissingGrant = MissingGrant {
    what: "may not open this key-value store",
    setting: "key_value_stores",
    in_a_test: "with_stores",
};

const VARIABLE: MissingGrant = MissingGrant {
    what: "has no such variable",
    setting: "[component.….variables]",
    in_a_test: "with_variables",
};

const DATABASE: MissingGrant = MissingGrant {
    what: "may not open this SQLite database",
    setting: "sqlite_databases",
    in_a_test: "",
};

impl fmt::Display for MissingGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            what,
            setting,
            in_a_test,
        } = self;
        write!(
            f,
            "the component {what}: grant it in `{setting}` in `spin.toml`"
        )?;
        match cfg!(target_arch = "wasm32") || in_a_test.is_empty() {
            true => Ok(()),
            false => write!(f, "; in a test, with `waypost::test::{in_a_test}`"),
        }
    }
}

/// Adds the missing setting to an error that comes from a missing grant. Other errors are returned unchanged.
pub(crate) fn explained(error: anyhow::Error) -> anyhow::Error {
    match missing_grant(&error) {
        Some(missing) => error.context(missing),
        None => error,
    }
}

fn missing_grant(error: &anyhow::Error) -> Option<MissingGrant> {
    use key_value::Error::{AccessDenied, NoSuchStore};
    if let Some(AccessDenied | NoSuchStore) = error.downcast_ref() {
        return Some(STORE);
    }
    if let Some(variables::Error::Undefined(_)) = error.downcast_ref() {
        return Some(VARIABLE);
    }
    match error.downcast_ref()? {
        sqlite::Error::AccessDenied | sqlite::Error::NoSuchDatabase => Some(DATABASE),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context as _;

    fn text(error: impl Into<anyhow::Error>) -> String {
        format!("{:#}", explained(error.into()))
    }

    #[test]
    fn errors_say_what_to_grant() {
        assert_eq!(
            text(key_value::Error::AccessDenied),
            "the component may not open this key-value store: grant it in `key_value_stores` in \
             `spin.toml`; in a test, with `waypost::test::with_stores`: Error::AccessDenied"
        );
        assert_eq!(
            text(sqlite::Error::AccessDenied),
            "the component may not open this SQLite database: grant it in `sqlite_databases` in \
             `spin.toml`: Error::AccessDenied"
        );
        let variable = text(variables::Error::Undefined("key".to_owned()));
        assert!(
            variable.ends_with("Error::Undefined(\"key\")"),
            "{variable}"
        );
    }

    #[test]
    fn the_context_that_the_handler_added_is_kept() {
        let error = Err::<(), _>(key_value::Error::AccessDenied).context("the orders");
        let text = text(error.unwrap_err());
        assert!(
            text.contains("`key_value_stores") && text.contains("the orders"),
            "{text}"
        );
    }

    #[test]
    fn other_errors_are_unchanged() {
        let full = text(key_value::Error::StoreTableFull);
        assert_eq!(full, "Error::StoreTableFull");
        assert_eq!(text(std::fmt::Error), std::fmt::Error.to_string());
    }
}
