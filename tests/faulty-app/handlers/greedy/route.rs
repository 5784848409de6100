//! `/greedy`: takes as much as it gets of what the query names: `?files` open at once, `?fields` of headers, `?random` bytes,
//! `?lines` of its output, or answers of its own route to `?requests`, each of which asks for as many.

use std::fs::File;

use futures::future::join_all;
use wasip3::http::types::Fields;
use wasip3::random::random::get_random_bytes;
use wasip3::wit_stream;
use waypost::{Request, fetch};

async fn get(req: Request) -> String {
    match req.url().query() {
        Some("files") => files(),
        Some("fields") => fields(),
        Some("random") => random(),
        Some("lines") => lines().await,
        _ => requests().await,
    }
}

fn files() -> String {
    let files = std::iter::from_fn(|| File::open("/source/route.rs").ok());
    format!("opened {}", files.take(5_000).collect::<Vec<_>>().len())
}

/// Ends with a trap.
fn fields() -> String {
    let value = vec![b'a'; 100_000];
    let fields: Vec<_> = std::iter::repeat_with(|| {
        let fields = Fields::new();
        fields.append("x-large", &value).map(|()| fields)
    })
    .take(30_000)
    .collect();
    format!("kept {}", fields.len())
}

fn random() -> String {
    let drawn = (0..100).map(|_| get_random_bytes(64 << 20).len());
    format!("drew {}", drawn.sum::<usize>())
}

async fn lines() -> String {
    let (mut writer, reader) = wit_stream::new();
    let printed = wasip3::cli::stdout::write_via_stream(reader);
    let left = writer.write_all(vec![b'\n'; 2 << 20]).await;
    drop(writer);
    let _ = printed.await;
    format!("printed all but {}", left.len())
}

async fn requests() -> String {
    let asked = (0..40).map(|_| fetch("/greedy?requests").send());
    let answered = join_all(asked).await.into_iter().flatten().count();
    format!("got {answered} answers")
}

waypost::export!(get);
