//! `/numbered/[number]`: the same text as `/filled/[number]`, without a cache policy.

async fn get() -> &'static str {
    "Hello, world!"
}

waypost::export!(get);
