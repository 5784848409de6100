//! `/about`: a folder in parentheses groups routes and adds nothing to the path.

async fn get() -> &'static str {
    "A waypost stands at a fork and names the roads."
}

waypost::export!(get);
