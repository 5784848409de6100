//! The arguments of handlers: [`FromRequest`], and the types that implement it.

pub(crate) mod context;
pub(crate) mod de;
mod draft;
mod exchange;
pub(crate) mod params;
mod shared;

use bytes::Bytes;
use http::{HeaderMap, Method, Uri};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::cookies::Cookies;
use crate::form::FormData;
use crate::response::IntoResponse;
use crate::{Body, Error, Request, Response, Result};
pub use context::Context;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use draft::COOKIE as DRAFT_COOKIE;
pub use draft::DraftMode;
pub use exchange::Exchange;
pub use params::Params;
pub use shared::Shared;

/// Types that a handler may take as an argument.
///
/// | type | value |
/// | --- | --- |
/// | [`Request`] | the request |
/// | [`Context<P>`](crate::Context) | the params of the path, and the cookies of request and response |
/// | [`Query<T>`] | the search params, deserialized into a `T` |
/// | [`Json<T>`] | the body as JSON |
/// | [`Form<T>`] | the body as a form, deserialized into a `T` |
/// | [`FormData`] | the body as a form, field by field, with files |
/// | [`Multipart`](crate::multipart::Multipart) | the body as a form, read while it arrives |
/// | `String`, `Bytes`, [`Body`] | the body |
/// | [`Cookies`] | the cookies |
/// | `UserAgent` | the client by its `User-Agent` header (feature `user-agent`) |
/// | `HeaderMap`, `Method`, `Uri` | that part of the request |
/// | [`Cache`](crate::Cache) | the cache of the host, for revalidation |
/// | [`After`](crate::After) | the work to do after the response |
/// | [`Signal`](crate::Signal) | the signal that fires when the client disconnects |
/// | [`DraftMode`] | draft mode |
/// | `Option<T>`, `Result<T>` | `T`, and the handler deals with the error |
///
/// The body can be read only once, so only one argument may take it. The `get` of a cached route may take only those that
/// are [`Shared`].
///
/// # Examples
///
/// An argument type of your own:
///
/// ```
/// use waypost::extract::{Exchange, FromRequest};
/// use waypost::{Error, Result};
///
/// struct ApiKey(String);
///
/// impl FromRequest for ApiKey {
///     async fn from_request(exchange: &mut Exchange) -> Result<Self> {
///         let key = exchange.headers().get("x-api-key").and_then(|key| key.to_str().ok());
///         Ok(Self(key.ok_or_else(waypost::unauthorized)?.to_owned()))
///     }
/// }
///
/// async fn get(ApiKey(key): ApiKey) -> String {
///     format!("your key has {} characters", key.len())
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "a handler can't take `{Self}` as an argument",
    label = "does not implement `FromRequest`",
    note = "take a `Request`, `Context<Params>` (where `Params` implements `serde::Deserialize`), \
            `Query<T>`, `Json<T>`, `Form<T>`, `Cookies` or another type that implements `FromRequest`"
)]
pub trait FromRequest: Sized {
    /// Creates the argument.
    ///
    /// # Errors
    ///
    /// An error becomes the response, and the handler is not called.
    fn from_request(exchange: &mut Exchange) -> impl Future<Output = Result<Self>>;
}

#[diagnostic::do_not_recommend]
impl FromRequest for Request {
    async fn from_request(exchange: &mut Exchange) -> Result<Self> {
        Ok(exchange.request())
    }
}

#[diagnostic::do_not_recommend]
impl FromRequest for Body {
    async fn from_request(exchange: &mut Exchange) -> Result<Self> {
        Ok(exchange.request().body())
    }
}

#[diagnostic::do_not_recommend]
impl FromRequest for Bytes {
    async fn from_request(exchange: &mut Exchange) -> Result<Self> {
        Ok(exchange.request().bytes().await?)
    }
}

#[diagnostic::do_not_recommend]
impl FromRequest for String {
    async fn from_request(exchange: &mut Exchange) -> Result<Self> {
        Ok(exchange.request().text().await?)
    }
}

#[diagnostic::do_not_recommend]
impl FromRequest for FormData {
    async fn from_request(exchange: &mut Exchange) -> Result<Self> {
        Ok(exchange.request().form_data().await?)
    }
}

#[diagnostic::do_not_recommend]
impl FromRequest for Cookies {
    async fn from_request(exchange: &mut Exchange) -> Result<Self> {
        Ok(exchange.cookies())
    }
}

#[diagnostic::do_not_recommend]
impl FromRequest for HeaderMap {
    async fn from_request(exchange: &mut Exchange) -> Result<Self> {
        Ok(exchange.headers().clone())
    }
}

#[diagnostic::do_not_recommend]
impl FromRequest for Method {
    async fn from_request(exchange: &mut Exchange) -> Result<Self> {
        Ok(exchange.head().method.clone())
    }
}

#[diagnostic::do_not_recommend]
impl FromRequest for Uri {
    async fn from_request(exchange: &mut Exchange) -> Result<Self> {
        Ok(exchange.head().uri.clone())
    }
}

#[diagnostic::do_not_recommend]
impl<T: FromRequest> FromRequest for Option<T> {
    async fn from_request(exchange: &mut Exchange) -> Result<Self> {
        Ok(T::from_request(exchange).await.ok())
    }
}

#[diagnostic::do_not_recommend]
impl<T: FromRequest> FromRequest for Result<T, Error> {
    async fn from_request(exchange: &mut Exchange) -> Result<Self> {
        Ok(T::from_request(exchange).await)
    }
}

/// JSON: as an argument the deserialized body, as a reply a body with `Content-Type: application/json`.
///
/// # Examples
///
/// ```
/// use waypost::Json;
///
/// async fn post(Json(mut names): Json<Vec<String>>) -> Json<Vec<String>> {
///     names.sort();
///     Json(names)
/// }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Json<T>(pub T);

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned> FromRequest for Json<T> {
    async fn from_request(exchange: &mut Exchange) -> Result<Self> {
        Ok(Self(exchange.request().json().await?))
    }
}

#[diagnostic::do_not_recommend]
impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        Response::json(&self.0).into_response()
    }
}

/// The search params of the URL, deserialized into a `T`. An argument of handlers.
///
/// # Examples
///
/// ```
/// use waypost::Query;
///
/// #[derive(serde::Deserialize)]
/// struct Search {
///     query: String,
///     page: Option<u32>,
/// }
///
/// async fn get(Query(search): Query<Search>) -> String {
///     format!("page {} of {}", search.page.unwrap_or(1), search.query)
/// }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Query<T>(pub T);

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned> FromRequest for Query<T> {
    async fn from_request(exchange: &mut Exchange) -> Result<Self> {
        let query = exchange.head().uri.query().unwrap_or_default();
        Ok(Self(
            crate::request::SearchParams::parse(query).into_typed()?,
        ))
    }
}

/// The body as a form, deserialized into a `T`. An argument of handlers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Form<T>(pub T);

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned> FromRequest for Form<T> {
    async fn from_request(exchange: &mut Exchange) -> Result<Self> {
        Ok(Self(exchange.request().form_data().await?.into_typed()?))
    }
}
