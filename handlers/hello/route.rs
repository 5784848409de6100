//! `/hello`: the simplest route.

async fn get() -> &'static str {
    "Hello, Waypost!"
}

waypost::export!(get);

#[cfg(test)]
mod tests {
    use super::*;
    use waypost::test::block_on;

    #[test]
    fn says_hello() {
        assert_eq!(block_on(get()), "Hello, Waypost!");
    }
}
