//! `/items/[slug]`: one item, chosen by a dynamic segment.

use catalog::Item;
use waypost::{Context, Json, Request, Result, not_found};

#[derive(serde::Deserialize)]
struct Params {
    slug: String,
}

async fn get(_req: Request, ctx: Context<Params>) -> Result<Json<Item>> {
    let item = catalog::find(&ctx.params.slug).ok_or_else(not_found)?;
    Ok(Json(item))
}

waypost::export!(get);

#[cfg(test)]
mod tests {
    use super::*;
    use waypost::test;

    #[test]
    fn finds_an_item() {
        let response = test::call::<route::Route>(Request::get("/items/b"));
        assert_eq!(test::text(response), r#"{"slug":"b","title":"A barrel"}"#);
        assert_eq!(
            test::call::<route::Route>(Request::get("/items/z")).status(),
            404
        );
    }
}
