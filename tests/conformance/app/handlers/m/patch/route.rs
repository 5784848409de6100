//! `/m/patch`: only PATCH.

use methods::patch;

waypost::export!(patch);
