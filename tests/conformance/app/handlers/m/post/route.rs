//! `/m/post`: only POST.

use methods::post;

waypost::export!(post);
