//! `/posts`: a cached response, which is made anew after a minute, or after a POST.

use std::time::{SystemTime, UNIX_EPOCH};

use waypost::http::StatusCode;
use waypost::{Cache, Json, Result};

#[derive(serde::Serialize)]
struct Posts {
    /// When the handler ran, in milliseconds since 1970.
    made: u128,
    titles: [&'static str; 2],
}

async fn get() -> Json<Posts> {
    let made = SystemTime::now().duration_since(UNIX_EPOCH);
    Json(Posts {
        made: made.unwrap_or_default().as_millis(),
        titles: ["The first post", "The second post"],
    })
}

/// Stands for a change of the posts: whoever asks from now on waits for new ones.
async fn post(cache: Cache) -> Result<StatusCode> {
    cache.expire_tag("posts")?;
    Ok(StatusCode::NO_CONTENT)
}

waypost::export!(get, post; cache(revalidate = "1m", expire = "1h", tags = ["posts"]));

#[cfg(test)]
mod tests {
    use super::*;
    use waypost::{Request, test};

    #[test]
    fn a_post_expires_what_is_stored() {
        let posts = test::call::<route::Route>(Request::get("/posts"));
        assert!(test::text(posts).contains("The first post"));
        let changed = test::call::<route::Route>(Request::post("/posts", ""));
        assert_eq!(changed.status(), 204);
        assert_eq!(changed.revalidated(), ["tag:posts (expired)"]);
    }
}
