//! `/e/shared-response`: one response for all requests, whose body the first request takes.

use std::cell::RefCell;

use waypost::{Body, Response};

thread_local! {
    static SHARED: RefCell<Body> = RefCell::new(Body::from("shared"));
}

async fn get() -> Response {
    Response::new(SHARED.take()).with_header("content-type", "text/plain;charset=UTF-8")
}

waypost::export!(get);
