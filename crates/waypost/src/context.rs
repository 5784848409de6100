//! The second argument of a handler: the params of the path, and the cookies to answer with.

use serde::de::DeserializeOwned;

use crate::after::Outcome;
use crate::cookies::Cookies;
use crate::params::{Params, typed};
use crate::{After, Exchange, FromRequest, Result, Signal};

/// What a handler knows beside the request: the params of its path, and the cookies to answer with.
///
/// `P` is a struct with a field for each dynamic segment of the route, or left out to ask for
/// params by name. A `[param]` is a `String`, a number or anything else serde makes of a text; a
/// `[...catch_all]` is a `Vec`; an `[[...optional_catch_all]]` is an `Option<Vec<_>>`. Values are
/// percent-decoded. A value that does not fit its field is a 400.
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
    /// Makes a context, as a test wants it.
    pub fn new(params: P) -> Self {
        Self {
            params,
            cookies: Cookies::default(),
            after: After::default(),
            signal: Signal::default(),
        }
    }

    /// Returns the cookies of the request; what is set or deleted on them goes into the response.
    pub fn cookies(&self) -> &Cookies {
        &self.cookies
    }

    /// Returns what tells whether the client is still there.
    pub fn signal(&self) -> &Signal {
        &self.signal
    }

    /// Adds work for when the response is out: [`After::run`].
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
