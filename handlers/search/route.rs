//! `/search?query=`: query parameters.

use waypost::{Request, Result};

async fn get(req: Request) -> Result<String> {
    let params = req.search_params();
    let query = params.get("query").unwrap_or_default();
    let page: u32 = req.query("page")?.unwrap_or(1);
    Ok(format!("Page {page} of what was found for \"{query}\""))
}

waypost::export!(get);
