async fn get() {}

waypost::export!("/items": get, get);

fn main() {}
