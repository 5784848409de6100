//! `/e/throw-response`: an error that contains a response is still an error.

use std::fmt;

use waypost::{Result, http};

async fn get() -> Result {
    let response = http::Response::builder().status(418).body("teapot")?;
    Err(Thrown(response).into())
}

#[derive(Debug)]
struct Thrown(http::Response<&'static str>);

impl fmt::Display for Thrown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "thrown: {:?}", self.0)
    }
}

impl std::error::Error for Thrown {}

waypost::export!(get);
