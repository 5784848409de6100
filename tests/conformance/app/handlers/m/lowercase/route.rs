//! `/m/lowercase`: a function named `get` has no meaning in Next, so no method is implemented.

waypost::export!();
