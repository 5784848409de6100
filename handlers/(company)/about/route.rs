//! `/about`: a folder in parentheses groups routes, and is not part of the path.

async fn get() -> &'static str {
    "A waypost stands at a fork and names the roads."
}

waypost::export!(get);
