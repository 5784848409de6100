//! `/m/post`: POST alone.

use methods::post;

waypost::export!(post);
