//! [`PolicyError`]: why a cache policy is not valid.

/// Why a cache policy is not valid. A message names the field, what was found and what is allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The text is not JSON.
    #[error("the cache policy is not valid JSON: {reason}")]
    NotJson {
        /// The message of the JSON parser.
        reason: String,
    },
    /// An item of a line is malformed.
    #[error(
        "`{item}` in the cache policy is not of the form `name=value` with a percent-encoded value"
    )]
    NotAnItem {
        /// The item.
        item: String,
    },
    /// A value has the wrong type.
    #[error("`{field}` is {found}; write {expected}")]
    WrongType {
        /// The field.
        field: &'static str,
        /// The type that was found.
        found: &'static str,
        /// What to write instead.
        expected: &'static str,
    },
    /// A text is not a time.
    #[error(
        "`{field}` is `{value}`; write whole seconds, or a whole number and `s`, `m`, `h` or `d`, such as `90s` or `1d`{}",
        or_never(field)
    )]
    NotATime {
        /// The field.
        field: &'static str,
        /// The text.
        value: String,
    },
    /// A time is zero.
    #[error(
        "`{field}` is zero; write at least one second, or `off` instead of a policy to cache nothing"
    )]
    ZeroTime {
        /// The field.
        field: &'static str,
    },
    /// A time has a fraction of a second.
    #[error("`{field}` is not a whole number of seconds")]
    NotWholeSeconds {
        /// The field.
        field: &'static str,
    },
    /// A time is longer than [`MAX_LIFE`](crate::life::MAX_LIFE).
    #[error("`{field}` is too long; write at most 24855 days, or leave it out")]
    TooLongTime {
        /// The field.
        field: &'static str,
    },
    /// `expire` is less than `revalidate`.
    #[error(
        "`expire` is {expire} s, less than `revalidate`, which is {revalidate} s; a response can't end before it is stale"
    )]
    ExpireBeforeRevalidate {
        /// The `revalidate`, in seconds.
        revalidate: u64,
        /// The `expire`, in seconds.
        expire: u64,
    },
    /// No profile has this name.
    #[error(
        "`life` is `{name}`, which is not a profile; write one of {}",
        listed(known)
    )]
    UnknownLife {
        /// The name.
        name: String,
        /// The names that exist.
        known: Vec<String>,
    },
    /// A list has too many items.
    #[error("`{field}` has {count} items; write at most {most}")]
    TooMany {
        /// The field.
        field: &'static str,
        /// The number of items.
        count: usize,
        /// The largest number that is allowed.
        most: usize,
    },
    /// An item of a list is empty.
    #[error("`{field}` has an empty item; remove it")]
    EmptyItem {
        /// The field.
        field: &'static str,
    },
    /// An item of a list is too long.
    #[error("`{value}` in `{field}` is too long; write at most {most} characters")]
    TooLong {
        /// The field.
        field: &'static str,
        /// The item.
        value: String,
        /// The largest number of characters.
        most: usize,
    },
    /// An item of a list occurs twice.
    #[error("`{value}` occurs twice in `{field}`; remove one")]
    Repeated {
        /// The field.
        field: &'static str,
        /// The item.
        value: String,
    },
    /// An item of a list has a control character.
    #[error("{value:?} in `{field}` has a control character; remove it")]
    ControlCharacter {
        /// The field.
        field: &'static str,
        /// The item.
        value: String,
    },
    /// The braces of a tag do not enclose the name of a param.
    #[error(
        "the braces in the tag `{tag}` don't enclose the name of a param; write `{{name}}`, and no other braces"
    )]
    Braces {
        /// The tag.
        tag: String,
    },
    /// A tag names a param that the route's pattern does not have.
    #[error(
        "the tag `{tag}` has `{{{name}}}`, but the pattern {}",
        params_of(known)
    )]
    UnknownParam {
        /// The tag.
        tag: String,
        /// The name in the braces.
        name: String,
        /// The params of the pattern.
        known: Vec<String>,
    },
    /// `query` has a wildcard.
    #[error(
        "`query` has `*`; name each parameter, because every name that a client may choose would get an entry of its own"
    )]
    AllOfQuery,
    /// An item of `vary` is not the name of a header.
    #[error("`{name}` in `vary` is not the name of a header")]
    NotAHeader {
        /// The item.
        name: String,
    },
    /// A header must not be part of a key.
    #[error("`{name}` in `vary` {reason}")]
    RefusedHeader {
        /// The name of the header.
        name: String,
        /// Why it is refused.
        reason: &'static str,
    },
}

/// Returns what to write in a field of a policy, for [`PolicyError::WrongType`].
pub fn expected(field: &str) -> &'static str {
    match field {
        "life" => "the name of a profile, such as `hours`",
        "revalidate" => "seconds, a time such as `1m`, or `never`",
        "expire" => "seconds, or a time such as `1d`",
        _ => "a list of texts",
    }
}

fn or_never(field: &str) -> &'static str {
    match field {
        "revalidate" => ", or `never`",
        _ => "",
    }
}

fn listed(names: &[String]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

fn params_of(known: &[String]) -> String {
    match known {
        [] => "has no params".to_owned(),
        known => format!("has only {}", listed(known)),
    }
}
