//! `/m/all`: every method.

use methods::{delete, get, head, options, patch, post, put};

waypost::export!(get, head, options, post, put, delete, patch);
