//! What to write into `spin.toml`, for errors of a host's interfaces. Their own text is a name only,
//! `Error::AccessDenied`, which says neither what was denied nor how to get it.

use std::fmt;

use spin_sdk::{key_value, sqlite, variables};

/// What a component lacks.
#[derive(Clone, Copy)]
struct Lacking {
    what: &'static str,
    setting: &'static str,
    /// What gives it to a native test.
    in_a_test: &'static str,
}

const STORE: Lacking = Lacking {
    what: "may not open this key-value store",
    setting: "key_value_stores",
    in_a_test: "with_stores",
};

const VARIABLE: Lacking = Lacking {
    what: "has no such variable",
    setting: "[component.….variables]",
    in_a_test: "with_variables",
};

const DATABASE: Lacking = Lacking {
    what: "may not open this SQLite database",
    setting: "sqlite_databases",
    in_a_test: "",
};

impl fmt::Display for Lacking {
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

/// Puts what to grant before an error that comes of its lack.
pub(crate) fn explained(error: anyhow::Error) -> anyhow::Error {
    match lacking(&error) {
        Some(lacking) => error.context(lacking),
        None => error,
    }
}

fn lacking(error: &anyhow::Error) -> Option<Lacking> {
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
    fn the_handlers_own_context_stays() {
        let error = Err::<(), _>(key_value::Error::AccessDenied).context("the orders");
        let text = text(error.unwrap_err());
        assert!(
            text.contains("`key_value_stores") && text.contains("the orders"),
            "{text}"
        );
    }

    #[test]
    fn other_errors_stay_as_they_are() {
        let full = text(key_value::Error::StoreTableFull);
        assert_eq!(full, "Error::StoreTableFull");
        assert_eq!(text(std::fmt::Error), std::fmt::Error.to_string());
    }
}
