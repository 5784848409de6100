//! `/m/get-post`: two methods.

use methods::{get, post};

waypost::export!(get, post);
