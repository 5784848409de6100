//! `/m/head-only`: HEAD alone: there is no GET.

use methods::head;

waypost::export!(head);
