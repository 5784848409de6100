async fn fetch() {}
async fn gte() {}

mod one {
    waypost::export!("/hello": fetch);
}

mod two {
    waypost::export!("/hello": gte);
}

mod three {
    waypost::export!("/hello": GET);
}

fn main() {}
