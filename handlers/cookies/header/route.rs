//! `/cookies/header`: a cookie set by hand, as a header of the response.

use waypost::{
    Response,
    cookies::{Cookie, Cookies},
};

async fn get(cookies: Cookies) -> Response {
    let token = cookies
        .get("token")
        .map_or_else(|| "new".to_owned(), |c| c.value().to_owned());
    // A `Cookie` writes its value encoded, so that a client can't slip in an attribute.
    Response::new("Hello, Waypost!")
        .with_header("set-cookie", Cookie::new("token", token).to_string())
}

waypost::export!(get);
