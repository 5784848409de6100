//! The data cache: how a component asks its host for a value that it computed or fetched before, and stores one.
//!
//! It is HTTP in memory, to an authority that only the host answers, so a component needs no import for it:
//!
//! | request | meaning | response |
//! | --- | --- | --- |
//! | `GET /values/KEY` | asks for a value. `x-waypost-tags` and `x-waypost-life` have the tags and the life that the call gives it. With `x-waypost-fresh: 1` a stale value is not sent | 200 with the value, `age`, `x-waypost-tags` and `x-waypost-life`; or 404. `x-waypost-lease` is there if the caller should make the value now |
//! | `GET /values` | says only that the run uses a value with these tags and this life, which has too long a key to be cached | 404 |
//! | `PUT /leases/LEASE` | stores the value, with `x-waypost-tags` and `x-waypost-life` | 204; 404 if the lease has ended; 413 or 507 if the value is not stored |
//! | `DELETE /leases/LEASE` | gives the lease back: there is no value | 204 |
//! | `POST /revalidations` | applies the revalidations in `x-waypost-revalidate` | 204 |
//!
//! A caller that gets a 404 without a lease makes the value for itself. The host answers only components to which it says so,
//! by [`DATA_CACHE`] in their environment.

use crate::escape;

/// The authority that the host answers itself. No client reaches it, and no request for it leaves the host.
pub const AUTHORITY: &str = "cache.waypost.internal";

/// The domain of [`AUTHORITY`], which is the host's own.
const DOMAIN: &str = "waypost.internal";

/// The value of [`CACHE_VARIABLE`](crate::internal::CACHE_VARIABLE) if the host has a data cache too. Any other value means
/// that it only understands internal headers.
pub const DATA_CACHE: &str = "data";

/// The response header with the lease of a value: the permission to make and store it.
pub const X_WAYPOST_LEASE: &str = "x-waypost-lease";

/// The request header, with the value `1`, of a caller that stores something made of the value, and so can't use a stale one.
pub const X_WAYPOST_FRESH: &str = "x-waypost-fresh";

/// The largest length of a key, in bytes. A value with a longer key is not cached.
pub const MAX_KEY: usize = 8 * 1024;

/// The largest body of a fetched response that is cached, in bytes. The same as in Next.
pub const MAX_FETCHED: usize = 2 * 1024 * 1024;

/// The path to which revalidations are sent.
pub const REVALIDATIONS: &str = "/revalidations";

const VALUES: &str = "/values/";
const UNCACHED: &str = "/values";
const LEASES: &str = "/leases/";

/// What a request to the data cache is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The value with this key.
    Value(Vec<u8>),
    /// A value that is not cached.
    Uncached,
    /// The lease with this number.
    Lease(u64),
    /// The revalidations.
    Revalidations,
}

impl Target {
    /// Parses a path. Returns `None` for any other path, and for a key longer than [`MAX_KEY`].
    ///
    /// # Examples
    ///
    /// ```
    /// use waypost_cache::data::Target;
    ///
    /// assert_eq!(Target::parse("/values/a%2Fb"), Some(Target::Value(b"a/b".to_vec())));
    /// assert_eq!(Target::parse("/leases/7"), Some(Target::Lease(7)));
    /// ```
    pub fn parse(path: &str) -> Option<Self> {
        if let Some(key) = path.strip_prefix(VALUES) {
            let key = escape::decode_bytes(key)?;
            return (key.len() <= MAX_KEY).then_some(Self::Value(key));
        }
        if let Some(number) = path.strip_prefix(LEASES) {
            let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
            return number.parse().ok().filter(|_| is_number).map(Self::Lease);
        }
        match path {
            UNCACHED => Some(Self::Uncached),
            REVALIDATIONS => Some(Self::Revalidations),
            _ => None,
        }
    }
}

/// Writes the path of the value with a key. One with a key longer than [`MAX_KEY`] is not cached.
pub fn value_path(key: &[u8]) -> String {
    if key.len() > MAX_KEY {
        return UNCACHED.to_owned();
    }
    let mut path = VALUES.to_owned();
    escape::encode(&mut path, key, b"");
    path
}

/// Writes the path of a lease, given as in [`X_WAYPOST_LEASE`].
pub fn lease_path(lease: &str) -> String {
    format!("{LEASES}{lease}")
}

/// Returns whether the domain of a host name is that of [`AUTHORITY`], so that a request for it never leaves the host.
pub fn is_internal_host(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let Some(start) = host.len().checked_sub(DOMAIN.len()) else {
        return false;
    };
    let (before, domain) = (host.as_bytes().get(..start), host.as_bytes().get(start..));
    domain.is_some_and(|domain| domain.eq_ignore_ascii_case(DOMAIN.as_bytes()))
        && before.is_some_and(|before| before.last().is_none_or(|last| *last == b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_written_and_parsed() {
        for key in [&b""[..], b"a/b?c%", b"\xFF\0", &[b'x'; MAX_KEY]] {
            let path = value_path(key);
            assert!(path.is_ascii() && !path.contains('?'), "{path}");
            assert_eq!(Target::parse(&path), Some(Target::Value(key.to_vec())));
        }
        let long = value_path(&[b'x'; MAX_KEY + 1]);
        assert_eq!(Target::parse(&long), Some(Target::Uncached));
        assert_eq!(Target::parse(&lease_path("12")), Some(Target::Lease(12)));
        assert_eq!(Target::parse(REVALIDATIONS), Some(Target::Revalidations));
        let long = format!("/values/{}", "x".repeat(MAX_KEY + 1));
        for wrong in [
            "",
            "/",
            "/value",
            "/values/%",
            "/values/%0",
            "/leases/",
            "/leases/-1",
            "/leases/+1",
            "/leases/99999999999999999999",
            "/revalidations/",
            &long,
        ] {
            assert_eq!(Target::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_domain_is_found_in_any_spelling() {
        for (host, expected) in [
            (AUTHORITY, true),
            ("waypost.internal", true),
            ("CACHE.Waypost.Internal.", true),
            ("a.b.waypost.internal", true),
            ("notwaypost.internal", false),
            ("waypost.internal.example.com", false),
            ("internal", false),
            ("ü.internal", false),
            ("", false),
        ] {
            assert_eq!(is_internal_host(host), expected, "{host}");
        }
    }
}
