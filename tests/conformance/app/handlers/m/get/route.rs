//! `/m/get`: GET alone, which answers HEAD too.

use methods::get;

waypost::export!(get);
