//! What a component weighs: the SDK must not bring along what a route does not use.

use crate::support::{alone, turn};

/// How many bytes a router may have that does not cache: no route of its app has a cache policy.
pub(crate) const ROUTER: u64 = 272_000;

/// How many bytes a router may have that caches, such as that of the example app.
pub(crate) const CACHING_ROUTER: u64 = 490_000;

/// How many bytes a component may have. For the first it is a goal; the others have what they had when this was
/// written, and some room.
const LIMITS: [(&str, u64); 3] = [
    ("hello", 105_000),
    ("items-slug", 220_000),
    ("router", CACHING_ROUTER),
];

#[test]
fn components_stay_small() {
    let components = alone::components();
    let _turn = turn();
    for (package, limit) in LIMITS {
        let file = components.join(alone::file(package));
        let size = file.metadata().unwrap().len();
        assert!(
            size <= limit,
            "`{package}` has {size} bytes, more than {limit}. Build it with \
             `CARGO_PROFILE_RELEASE_STRIP=none`, and look at its module with `twiggy dominators`: as a \
             rule a vtable, a `{{:?}}` or an error of `anyhow` makes reachable what no route of its kind needs"
        );
    }
}
