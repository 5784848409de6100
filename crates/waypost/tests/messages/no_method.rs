waypost::export!("/items":);

fn main() {}
