//! `/c/static`: an id that is kept until it is revalidated.

use ids::get;

waypost::export!(get; cache());
