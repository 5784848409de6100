//! `/c/rev2-nogsp/[slug]`: an id for each path, fresh for two seconds.

use ids::get_slug;

waypost::export!(get = get_slug; cache(revalidate = 2));
