//! The arguments of cached handlers: [`Shared`].

use http::{Method, Uri};
use serde::de::DeserializeOwned;

use crate::extract::{DraftMode, FromRequest};
use crate::{After, Context, Error, Query, Request, Result};

/// Types that the `get` of a cached route may take as an argument, because they have nothing that only one client sent.
///
/// A cached response is sent to all clients, so a cached handler sees of a request only the URL, with the search params
/// in `query = [..]`, and the headers in `vary = [..]` of its policy (see [`export!`](crate::export)). [`Request`] and
/// [`Context`] therefore have no cookies, no other headers and no body, and cookies can't be set. [`DraftMode`] is on for
/// an editor, to whom nothing cached is sent.
///
/// The other methods of a cached route may take any [`FromRequest`].
///
/// | type | value |
/// | --- | --- |
/// | [`Request`] | the request, with what the policy declares |
/// | [`Context<P>`](crate::Context) | the params of the path |
/// | [`Query<T>`] | the declared search params |
/// | [`Cache`](crate::Cache), [`After`], [`DraftMode`] | as in every handler |
/// | `Uri` | the public URL with the declared search params |
/// | `Method` | GET, also for HEAD |
/// | `Option<T>`, `Result<T>` | a `T` of these |
///
/// # Examples
///
/// An argument type of your own gets the sealed request too:
///
/// ```
/// use waypost::extract::{Exchange, FromRequest, Shared};
/// use waypost::{Request, Result, test};
///
/// struct Language(String);
///
/// impl FromRequest for Language {
///     async fn from_request(exchange: &mut Exchange) -> Result<Self> {
///         let language = exchange.headers().get("accept-language");
///         let language = language.and_then(|language| language.to_str().ok());
///         Ok(Self(language.unwrap_or("en").to_owned()))
///     }
/// }
///
/// impl Shared for Language {}
///
/// async fn get(Language(language): Language, req: Request) -> String {
///     format!("{language}, {} headers", req.headers().len())
/// }
///
/// waypost::export!("/": get; cache(life = "days", vary = ["accept-language"]));
///
/// # fn main() {
/// let request = Request::get("/").with_header("accept-language", "de").with_header("cookie", "user=ada");
/// assert_eq!(test::text(test::call::<route::Route>(request)), "de, 1 headers");
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "the `get` of a cached route can't take `{Self}` as an argument",
    label = "not the same for all clients",
    note = "a cached response is sent to all clients, so its handler must not see what one of them sent",
    note = "take a `Request`, `Context<Params>`, `Query<T>`, or another type that implements `Shared`; declare \
            search params and headers with `cache(query = [..], vary = [..])`"
)]
pub trait Shared: FromRequest {}

#[diagnostic::do_not_recommend]
impl Shared for Request {}

#[diagnostic::do_not_recommend]
impl<P: DeserializeOwned> Shared for Context<P> {}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned> Shared for Query<T> {}

#[diagnostic::do_not_recommend]
impl Shared for After {}

#[diagnostic::do_not_recommend]
impl Shared for DraftMode {}

#[diagnostic::do_not_recommend]
impl Shared for Method {}

#[diagnostic::do_not_recommend]
impl Shared for Uri {}

#[diagnostic::do_not_recommend]
impl<T: Shared> Shared for Option<T> {}

#[diagnostic::do_not_recommend]
impl<T: Shared> Shared for Result<T, Error> {}
