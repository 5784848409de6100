//! `/m/reexport`: the handlers of another route.

use methods::{get, post};

waypost::export!(get, post);
