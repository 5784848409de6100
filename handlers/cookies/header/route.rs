//! `/cookies/header`: a cookie set with the `set-cookie` header.

use waypost::{
    Response,
    cookies::{Cookie, Cookies},
};

async fn get(cookies: Cookies) -> Response {
    let token = cookies
        .get("token")
        .map_or_else(|| "new".to_owned(), |c| c.value().to_owned());
    // `Cookie` encodes its value, so text from a client can't inject an attribute.
    Response::new("Hello, Waypost!")
        .with_header("set-cookie", Cookie::new("token", token).to_string())
}

waypost::export!(get);
