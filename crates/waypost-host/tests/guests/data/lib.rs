//! Caches values, as its path says, and returns them. A value is a random number, so each run of a function shows.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use waypost::cache::CacheOptions;
use waypost::{After, Body, Cache, Context, Error, Query, Response, Result, fetch, time};

#[derive(serde::Deserialize)]
struct Params {
    rest: Vec<String>,
}

#[derive(serde::Deserialize, Default)]
#[serde(default)]
struct Ask {
    id: String,
    /// In milliseconds.
    pause: u64,
    size: usize,
    url: String,
    method: String,
    tag: String,
}

fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[waypost::cached(tags = ["values", "value-{id}"])]
async fn value(id: String, pause: u64) -> Result<u64> {
    time::sleep(Duration::from_millis(pause)).await;
    match id.as_str() {
        "failing" => Err(Error::new(503, "no value")),
        "panicking" => panic!("no value"),
        _ => Ok(random()),
    }
}

#[waypost::cached(revalidate = 1, tags = ["short"])]
async fn short() -> u64 {
    random()
}

/// Depends on two values.
#[waypost::cached(life = "hours")]
async fn outer(id: String) -> Result<String> {
    Ok(format!("{} {} {}", short().await, value(id, 0).await?, random()))
}

#[waypost::cached]
async fn large(size: usize) -> String {
    "a".repeat(size) + &random().to_string()
}

async fn number() -> Result<u64> {
    Ok(random())
}

async fn get(ctx: Context<Params>, cache: Cache, Query(ask): Query<Ask>) -> Result {
    let text = match ctx.params.rest[0].as_str() {
        "value" => value(ask.id, ask.pause).await?.to_string(),
        "short" => short().await.to_string(),
        "outer" => outer(ask.id).await?,
        "large" => large(ask.size).await,
        "named" => {
            let options = CacheOptions::new().tags(["values"]);
            let value = cache.get_or(("key", ask.id), options, number());
            value.await?.to_string()
        }
        "fetch" => fetch(ask.url).revalidate(1).tags(["fetched"]).await?.text().await?,
        // What a component does that does not keep to the SDK.
        "forge" => {
            let asked = fetch(ask.url).method(ask.method).await;
            asked.map_or_else(|error| error.to_string(), |reply| reply.status().to_string())
        }
        "late" => {
            let stream = revalidating_stream(cache, ask.tag);
            return Ok(Response::new(stream));
        }
        "environment" => std::env::var("WAYPOST_CACHE").unwrap_or_default(),
        _ => return Ok(waypost::Response::new("?").with_status(404)),
    };
    Ok(Response::new(text))
}

/// Streams, and revalidates a tag meanwhile.
fn revalidating_stream(cache: Cache, tag: String) -> Body {
    Body::from_iter((0..2).map(move |step| {
        if step == 1 {
            let done = cache.expire_tag(&tag);
            return format!("{done:?}");
        }
        "streaming ".to_owned()
    }))
}

async fn post(
    cache: Cache,
    after: After,
    Query(ask): Query<Ask>,
    ctx: Context<Params>,
) -> Result<()> {
    match ctx.params.rest[0].as_str() {
        "expire" => cache.expire_tag(ask.tag)?,
        "stale" => cache.revalidate_tag(ask.tag)?,
        "path" => cache.revalidate_path(ask.url)?,
        _ => after.run(async move { Ok(cache.expire_tag(ask.tag)?) }),
    }
    Ok(())
}

waypost::export!("/data/[...rest]": get, post);
