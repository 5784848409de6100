//! `/loops`: never comes to an end, and never waits.

async fn get() -> String {
    let mut count: u64 = 0;
    loop {
        count = std::hint::black_box(count.wrapping_add(1));
    }
}

waypost::export!(get);
