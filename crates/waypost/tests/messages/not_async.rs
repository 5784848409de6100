use waypost::{Request, Response};

fn get(_req: Request) -> Response {
    Response::new("hello")
}

waypost::export!("/hello": get);

fn main() {}
