//! `/c/force-dynamic`: a new id for each request.

use ids::get;

waypost::export!(get);
