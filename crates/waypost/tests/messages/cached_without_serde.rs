//! A cached function whose argument can't be a key.

use waypost::{Request, Result};

#[waypost::cached(life = "hours")]
async fn page(request: Request) -> Result<String> {
    Ok(request.method().to_string())
}

fn main() {}
