//! Draft mode: a request with the cookie that only the app can issue is never answered from the cache.

use crate::internal::DRAFT_COOKIE;

/// Returns whether a request has the cookie of draft mode with this secret. `lines` are the values of `Cookie`. Without a
/// secret, no request has it.
pub fn is_draft<'a>(lines: impl Iterator<Item = &'a [u8]>, secret: Option<&str>) -> bool {
    let Some(secret) = secret.filter(|secret| !secret.is_empty()) else {
        return false;
    };
    let cookies = lines
        .filter_map(|line| std::str::from_utf8(line).ok())
        .flat_map(|line| line.split(';'));
    let mut pairs = cookies.filter_map(|cookie| cookie.trim().split_once('='));
    pairs.any(|(name, value)| name == DRAFT_COOKIE && is_same(value, secret))
}

/// Compares two texts in a time that does not depend on where they differ.
fn is_same(one: &str, other: &str) -> bool {
    let differences = one.bytes().zip(other.bytes()).map(|(a, b)| a ^ b);
    one.len() == other.len() && differences.fold(0, |all, next| all | next) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_secret_is_draft_mode() {
        for (cookie, secret, expected) in [
            ("a=1; __prerender_bypass=x1; b=2", Some("x1"), true),
            ("__prerender_bypass=x2", Some("x1"), false),
            ("__prerender_bypass=x", Some("x1"), false),
            ("__prerender_bypass=", Some(""), false),
            ("__prerender_bypass=x1", None, false),
            ("prerender_bypass=x1", Some("x1"), false),
        ] {
            let lines = [b"\xFF".as_slice(), cookie.as_bytes()].into_iter();
            assert_eq!(is_draft(lines, secret), expected, "{cookie}");
        }
    }
}
