//! `/c/rev2-dyn/[slug]`: an id for each path, fresh for two seconds.

use ids::get_slug;

waypost::export!(get = get_slug; cache(revalidate = 2));
