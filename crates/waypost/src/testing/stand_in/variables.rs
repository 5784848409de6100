//! Variables of the app. In a component this is `spin_sdk::variables`. In a native test it returns what
//! [`test::with_variables`](crate::test::with_variables) sets.

use std::cell::RefCell;
use std::collections::HashMap;

pub use spin_sdk::variables::Error;

use crate::sys::while_set;

thread_local! {
    /// The variables that a test on this thread sets.
    static GIVEN: RefCell<HashMap<String, String>> = RefCell::default();
}

/// Sets the variables, only these, while `work` runs.
pub(crate) fn with_variables<T>(
    variables: impl Iterator<Item = (String, String)>,
    work: impl FnOnce() -> T,
) -> T {
    while_set(&GIVEN, variables.collect(), work)
}

/// Returns the value of a variable.
///
/// # Errors
///
/// [`Error::Undefined`] if it is not set, [`Error::InvalidName`] if no variable can have that name.
pub async fn get(key: impl AsRef<str>) -> Result<String, Error> {
    let key = key.as_ref();
    if !is_name(key) {
        return Err(Error::InvalidName(key.to_owned()));
    }
    let value = GIVEN.with_borrow(|given| given.get(key).cloned());
    value.ok_or_else(|| Error::Undefined(key.to_owned()))
}

/// Returns whether a variable can have this name: words of lower-case letters and digits, separated by `_`, the first
/// of which starts with a letter, as in Spin's manifest.
fn is_name(name: &str) -> bool {
    let word = |word: &str| {
        let mut bytes = word.bytes();
        !word.is_empty() && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name.split('_').all(word)
}
