async fn get() {}

waypost::export!("/items": get, post);

fn main() {}
