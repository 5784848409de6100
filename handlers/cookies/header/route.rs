//! `/cookies/header`: a cookie set by hand, as a header of the response.

use waypost::{Response, cookies::Cookies};

async fn get(cookies: Cookies) -> Response {
    let token = cookies
        .get("token")
        .map_or_else(|| "new".to_owned(), |c| c.value().to_owned());
    Response::new("Hello, Waypost!").with_header("set-cookie", format!("token={token}"))
}

waypost::export!(get);
