#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

pub mod client;
mod data;
pub mod extract;
mod message;
mod run;
mod sys;
mod testing;
pub mod time;

// What most handlers use. Everything else is in the module of its subject.
pub use client::fetch;
pub use extract::{Context, Form, Json, Query};
pub use message::body::Body;
pub use message::error::{
    Error, Result, forbidden, not_found, permanent_redirect, redirect, see_other, unauthorized,
};
pub use message::request::Request;
pub use message::response::{Html, Response};
pub use run::after::After;
pub use run::cache::Cache;
pub use run::signal::Signal;
/// # Examples
///
/// ```
/// use waypost::{Cache, Context, Json, Query, Request, Result, test};
///
/// #[derive(serde::Deserialize)]
/// struct List {
///     page: Option<u32>,
/// }
///
/// async fn get(Query(list): Query<List>) -> String {
///     format!("page {} of the posts", list.page.unwrap_or(1))
/// }
///
/// async fn post(Json(_post): Json<String>, cache: Cache) -> Result<()> {
///     // Save the post here.
///     Ok(cache.expire_tag("posts")?)
/// }
///
/// waypost::export!("/posts": get, post; cache(revalidate = "1h", tags = ["posts"], query = ["page"]));
///
/// # fn main() {
/// let response = test::call::<route::Route>(Request::get("/posts?page=2&utm_source=news"));
/// assert_eq!(test::text(response), "page 2 of the posts");
/// # }
/// ```
pub use waypost_macros::export;

/// # Examples
///
/// ```
/// use waypost::{Context, Json, Request, Result, fetch, test};
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Author {
///     name: String,
/// }
///
/// #[waypost::cached(life = "hours", tags = ["authors", "author-{id}"])]
/// async fn author(id: u32) -> Result<Author> {
///     Ok(fetch(format!("https://api.example.com/authors/{id}")).await?.into_json().await?)
/// }
///
/// #[derive(serde::Deserialize)]
/// struct Params {
///     id: u32,
/// }
///
/// async fn get(ctx: Context<Params>) -> Result<Json<Author>> {
///     Ok(Json(author(ctx.params.id).await?))
/// }
///
/// waypost::export!("/authors/[id]": get);
///
/// # fn main() {
/// let answers = async |_| waypost::Response::json(&serde_json::json!({ "name": "Ada" })).unwrap();
/// let tags = test::with_cache(|cache| {
///     test::with_network(answers, || test::call::<route::Route>(Request::get("/authors/7")));
///     cache.values()[0].tags.clone()
/// });
/// assert_eq!(tags, ["authors", "author-7"]);
/// # }
/// ```
pub use waypost_macros::cached;

#[cfg(feature = "multipart")]
pub use message::multipart;
#[cfg(feature = "user-agent")]
pub use message::user_agent;
pub use message::{body, cookies, cors, error, form, request, response, sse};
#[cfg(feature = "tower")]
pub use run::tower;
pub use run::{after, cache};
pub use testing::test;
pub use {http, url};

// The same names on every target: a handler that uses them is tested natively as it is.
#[cfg(all(feature = "spin", target_arch = "wasm32"))]
pub use spin_sdk::{key_value, sqlite, variables};
#[cfg(all(feature = "spin", not(target_arch = "wasm32")))]
pub use testing::stand_in::{key_value, sqlite, variables};

/// What `export!` expands to. It follows the macro, not semantic versioning.
#[doc(hidden)]
pub mod __private {
    pub use crate::data::value::{CachedFunction, check_key, get_or};
    pub use crate::run::handler::{WithFields, WithoutContext, probe, run, run_cached};
    pub use crate::run::route::{Allow, Route, Verb};
    pub use crate::run::sealed::Sealed;
    #[cfg(target_arch = "wasm32")]
    pub mod sys {
        pub use crate::sys::*;
    }
    pub use waypost_routing::{ParamName, Params, Path, Pattern, Segment};
}
