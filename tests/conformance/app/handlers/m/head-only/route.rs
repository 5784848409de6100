//! `/m/head-only`: only HEAD, without GET.

use methods::head;

waypost::export!(head);
