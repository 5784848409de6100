//! `/e/throw-status`: an error with a status property is an ordinary error.

use std::fmt;

use waypost::Result;

async fn get() -> Result {
    Err(Custom {
        status: 404,
        digest: "custom",
    }
    .into())
}

#[derive(Debug)]
struct Custom {
    status: u16,
    digest: &'static str,
}

impl fmt::Display for Custom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.digest, self.status)
    }
}

impl std::error::Error for Custom {}

waypost::export!(get);
