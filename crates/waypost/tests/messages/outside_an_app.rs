async fn get() {}

waypost::export!(get);

fn main() {}
