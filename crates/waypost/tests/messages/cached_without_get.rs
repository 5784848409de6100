async fn post() {}

waypost::export!("/items": post; cache());

fn main() {}
