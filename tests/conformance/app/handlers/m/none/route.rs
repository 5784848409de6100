//! `/m/none`: a route file without a handler.

waypost::export!();
