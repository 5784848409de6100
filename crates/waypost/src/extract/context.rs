//! The context of a request: the params of its path and its cookies.

use serde::de::DeserializeOwned;

use crate::after::Outcome;
use crate::cookies::Cookies;
use crate::extract::params::{Params, typed};
use crate::extract::{Exchange, FromRequest};
use crate::{After, Result, Signal};

/// The context of a request: the params of its path, its cookies, and the work to do after the response.
///
/// `P` is a struct with a field for each dynamic segment of the route. Without `P`, params are read by name. A
/// `[param]` is a `String`, a number, or any other type that serde deserializes from text; a `[...catch_all]` is a
/// `Vec`; an `[[...optional_catch_all]]` is an `Option<Vec<_>>`. Values are percent-decoded. If a value is invalid
/// for its field, the response is a 400.
///
/// # Examples
///
/// ```
/// use waypost::{Context, Request};
///
/// #[derive(serde::Deserialize)]
/// struct Params {
///     tag: String,
///     item: u32,
/// }
///
/// async fn get(_req: Request, ctx: Context<Params>) -> String {
///     format!("{} {}", ctx.params.tag, ctx.params.item)
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Context<P = Params> {
    /// The params of the path.
    pub params: P,
    cookies: Cookies,
    after: After,
    signal: Signal,
}

impl<P> Context<P> {
    /// Creates a context, for tests.
    pub fn new(params: P) -> Self {
        Self {
            params,
            cookies: Cookies::default(),
            after: After::default(),
            signal: Signal::default(),
        }
    }

    /// Returns the cookies of the request. Cookies that are set or deleted on them become part of the response.
    pub fn cookies(&self) -> &Cookies {
        &self.cookies
    }

    /// Returns the signal that fires when the client disconnects.
    pub fn signal(&self) -> &Signal {
        &self.signal
    }

    /// Adds work to do after the response was sent: see [`After::run`].
    pub fn after<W>(&self, work: W)
    where
        W: Future<Output: Outcome> + 'static,
    {
        self.after.run(work);
    }
}

#[diagnostic::do_not_recommend]
impl<P: DeserializeOwned> FromRequest for Context<P> {
    async fn from_request(exchange: &mut Exchange) -> Result<Self> {
        Ok(Self {
            params: typed(exchange.params())?,
            cookies: exchange.cookies(),
            after: exchange.after(),
            signal: exchange.signal(),
        })
    }
}
