//! `/greedy`: takes as much as it gets of what the query names: `?files` open at once, or answers of its own route to
//! `?requests`, each of which asks for as many.

use std::fs::File;

use futures::future::join_all;
use waypost::{Request, fetch};

async fn get(req: Request) -> String {
    if req.url().as_str().ends_with("?files") {
        let files = std::iter::from_fn(|| File::open("/source/route.rs").ok());
        return format!("opened {}", files.take(5_000).collect::<Vec<_>>().len());
    }
    let asked = (0..40).map(|_| fetch("/greedy?requests").send());
    let answered = join_all(asked).await.into_iter().flatten().count();
    format!("got {answered} answers")
}

waypost::export!(get);
