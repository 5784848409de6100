//! The response cache of a composition: in the memory of each instance, because plain WASI HTTP has no store.

use std::fmt;
use std::str::FromStr;

use waypost_config::Fault;
use waypost_config::settings::parse_size;

/// The memory of the cache in one instance of a composition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheSize(u32);

/// The bounds of the size: room for one response, and a part of what `wasmtime serve` gives an instance.
const BOUNDS: std::ops::RangeInclusive<u64> = 64 << 10..=1 << 30;

impl CacheSize {
    /// Returns the number of bytes.
    pub(super) fn bytes(self) -> u32 {
        self.0
    }
}

impl FromStr for CacheSize {
    type Err = String;

    fn from_str(text: &str) -> Result<CacheSize, String> {
        let size = parse_size(text).ok_or("a size is a number with a unit, such as `8MiB`")?;
        let fitting = Some(size).filter(|size| BOUNDS.contains(size));
        let fitting = fitting.and_then(|size| u32::try_from(size).ok());
        let size = fitting.ok_or("the cache of an instance has from 64KiB to 1GiB")?;
        Ok(CacheSize(size))
    }
}

impl fmt::Display for CacheSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} KiB", self.0 >> 10)
    }
}

/// Returns what to know about the routes of a composition that have a cache policy, given by their patterns.
pub fn cache_warning(routes: &[String], size: Option<CacheSize>) -> Option<Fault> {
    if routes.is_empty() {
        return None;
    }
    let routes: Vec<_> = routes
        .iter()
        .map(|pattern| format!("`{pattern}`"))
        .collect();
    let routes = routes.join(", ");
    let (warning, hint) = match size {
        None => (
            format!(
                "a composition has no response cache; every request runs the handler of {routes}"
            ),
            "put a cache such as nginx or a CDN in front and set `Cache-Control` in the handlers, or cache in each instance with `--cache 8MiB` (docs/caching.md)",
        ),
        Some(_) => (
            format!(
                "each instance caches the responses of {routes} by itself, and what is revalidated is revalidated in one instance only"
            ),
            "use short times, or serve the app with `cargo waypost up` or Spin, which share one cache (docs/caching.md)",
        ),
    };
    Some(Fault::warning(warning).hint(hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_bounds() {
        let bytes = |text: &str| text.parse().map(CacheSize::bytes);
        assert_eq!(bytes("8MiB"), Ok(8 << 20));
        assert_eq!(bytes("64 KiB"), Ok(64 << 10));
        for wrong in ["8", "63KiB", "2GiB", "", "MiB", "-1MiB", "99999999999GiB"] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_warning_names_the_routes() {
        assert_eq!(cache_warning(&[], None), None);
        let routes = ["/posts/[slug]".to_owned()];
        let without = cache_warning(&routes, None).unwrap().to_string();
        assert!(without.contains("no response cache") && without.contains("`/posts/[slug]`"));
        let size = Some(CacheSize(1 << 20));
        let with = cache_warning(&routes, size).unwrap().to_string();
        assert!(with.contains("one instance only") && with.contains("`/posts/[slug]`"));
    }
}
