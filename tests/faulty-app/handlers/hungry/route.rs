//! `/hungry`: takes memory until there is none.

async fn get() -> String {
    let mut taken: Vec<Vec<u8>> = Vec::new();
    loop {
        taken.push(std::hint::black_box(vec![1; 1 << 20]));
    }
}

waypost::export!(get);
