//! `/m/patch`: PATCH alone.

use methods::patch;

waypost::export!(patch);
