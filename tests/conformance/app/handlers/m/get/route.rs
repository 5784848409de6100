//! `/m/get`: only GET, which also answers HEAD.

use methods::get;

waypost::export!(get);
