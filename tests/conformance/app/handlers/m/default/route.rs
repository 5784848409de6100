//! `/m/default`: a default export has no meaning: no method is implemented.

waypost::export!();
