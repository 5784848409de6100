//! `/m/default`: a default export has no meaning, so no method is implemented.

waypost::export!();
