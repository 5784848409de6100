//! `/c/rev-false`: an id that age does not make stale.

use ids::get;

waypost::export!(get; cache(revalidate = false));
