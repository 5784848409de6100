use waypost::cookies::Cookies;
use waypost::{Context, Json, Request};

async fn get(_req: Request, _cookies: Cookies, _ctx: Context) -> &'static str {
    ""
}

async fn put(_cookies: Cookies, Json(_text): Json<String>) -> &'static str {
    ""
}

waypost::export!("/items": get, put; cache(revalidate = "1m"));

fn main() {}
