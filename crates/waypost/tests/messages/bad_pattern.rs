async fn get() {}

waypost::export!("/items/[...all]/more": get);

fn main() {}
