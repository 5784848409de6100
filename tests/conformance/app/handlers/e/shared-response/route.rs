//! `/e/shared-response`: one response for all requests: the first of them takes its body.

use std::cell::RefCell;

use waypost::{Body, Response};

thread_local! {
    static SHARED: RefCell<Body> = RefCell::new(Body::from("shared"));
}

async fn get() -> Response {
    Response::new(SHARED.take()).with_header("content-type", "text/plain;charset=UTF-8")
}

waypost::export!(get);
