//! `/c/gsp-empty/[slug]`: an id for each path.

use ids::get_slug;

waypost::export!(get = get_slug; cache());
