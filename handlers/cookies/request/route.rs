//! `/cookies/request`: a cookie read from the request.

use waypost::Request;

async fn get(req: Request) -> String {
    let token = req.cookies().get("token");
    format!(
        "token is {}",
        token.as_ref().map_or("not set", |cookie| cookie.value())
    )
}

waypost::export!(get);
