//! `/c/error-ok`: an id of a handler that reads nothing of the request.

use ids::get;

waypost::export!(get; cache());
