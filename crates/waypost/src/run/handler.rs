//! The traits through which `export!` calls a handler.
//!
//! They are separate so that each mistake has an error message of its own: an argument that does not implement
//! `FromRequest`, a function that is not `async`, a reply that can't become a response.

use std::future::Future;
use std::marker::PhantomData;

use crate::extract::{Exchange, FromRequest, Params, Shared};
use crate::response::IntoResponse;
use crate::run::route::Verb;
use crate::run::sealed::Sealed;
use crate::{Context, Response, Result};

/// A function that answers requests, as the macro [`export!`](crate::export) requires.
#[diagnostic::on_unimplemented(
    message = "this can't be a route handler",
    label = "not a handler",
    note = "write `async fn get(req: Request) -> Result`: a handler is a function with up to eight arguments"
)]
pub trait Handler<Args> {
    /// The return type of the function: a future.
    type Output;

    /// Calls the function.
    fn call(self, args: Args) -> Self::Output;
}

/// The return type of a handler, which has to be a future: a handler is an `async fn`.
#[diagnostic::on_unimplemented(
    message = "a route handler must be an `async fn`",
    label = "this function is not `async`: it returns `{Self}` directly",
    note = "write `async` before `fn`"
)]
pub trait Asynchronous {
    /// The output of the future.
    type Reply;

    /// Converts into the future.
    fn into_future(self) -> impl Future<Output = Self::Reply>;
}

#[diagnostic::do_not_recommend]
impl<F: Future> Asynchronous for F {
    type Reply = F::Output;

    fn into_future(self) -> impl Future<Output = Self::Reply> {
        self
    }
}

/// The arguments of a handler.
pub trait Arguments: Sized {
    /// Creates all arguments from the request, from left to right.
    fn from_exchange(exchange: &mut Exchange) -> impl Future<Output = Result<Self>>;
}

/// Calls a handler with its arguments, and returns its response.
pub async fn run<H, Args>(handler: H, exchange: &mut Exchange) -> Response
where
    H: Handler<Args, Output: Asynchronous<Reply: IntoResponse>>,
    Args: Arguments,
{
    match Args::from_exchange(exchange).await {
        Ok(args) => handler.call(args).into_future().await.into_response(),
        Err(error) => error.into_response(),
    }
}

/// The arguments of a handler whose response may be cached.
pub trait SharedArguments: Arguments {}

/// Calls a handler whose response may be cached for all clients, in a sealed run.
pub async fn run_cached<H, Args>(
    handler: H,
    exchange: &mut Exchange,
    sealed: &Sealed,
    verb: Verb,
) -> Response
where
    H: Handler<Args, Output: Asynchronous<Reply: IntoResponse>>,
    Args: SharedArguments,
{
    exchange.seal(sealed, verb);
    run(handler, exchange).await
}

macro_rules! functions {
    ($(($($arg:ident)*))*) => {$(
        impl<F, O, $($arg),*> Handler<($($arg,)*)> for F
        where
            F: FnOnce($($arg),*) -> O,
        {
            type Output = O;

            #[allow(non_snake_case)]
            fn call(self, ($($arg,)*): ($($arg,)*)) -> O {
                self($($arg),*)
            }
        }

        impl<$($arg: FromRequest),*> Arguments for ($($arg,)*) {
            #[allow(unused_variables)]
            async fn from_exchange(exchange: &mut Exchange) -> Result<Self> {
                Ok(($($arg::from_request(exchange).await?,)*))
            }
        }

        impl<$($arg: Shared),*> SharedArguments for ($($arg,)*) {}
    )*};
}

functions! {
    ()
    (A)
    (A B)
    (A B C)
    (A B C D)
    (A B C D E)
    (A B C D E F1)
    (A B C D E F1 G)
    (A B C D E F1 G H)
}

/// Determines the params type of a handler at compile time, so that `export!` can check that it has a field for each
/// segment. It is never run.
///
/// `N` is a type with the expected fields, which stands in for the params type if there is nothing to check.
pub struct Probe<Args, N>(PhantomData<(Args, N)>);

/// The params type that a [`Probe`] determined.
pub struct ParamsType<P, N>(PhantomData<(P, N)>);

/// Creates the probe of a handler.
pub fn probe<H: Handler<Args>, Args, N>(_handler: &H) -> Probe<Args, N> {
    Probe(PhantomData)
}

macro_rules! context_last {
    ($(($($arg:ident)*))*) => {$(
        impl<$($arg,)* P, N> Probe<($($arg,)* Context<P>,), N> {
            /// Returns the params type of a handler whose last argument is the context.
            pub fn context(&self) -> ParamsType<P, N> {
                ParamsType(PhantomData)
            }
        }
    )*};
}

context_last! { () (A) (A B) (A B C) (A B C D) }

/// Handlers whose last argument is not the context: there is nothing to check.
pub trait WithoutContext<N> {
    /// Returns a params type without fields.
    fn context(&self) -> ParamsType<Params, N>;
}

impl<Args, N> WithoutContext<N> for &Probe<Args, N> {
    fn context(&self) -> ParamsType<Params, N> {
        ParamsType(PhantomData)
    }
}

/// Implements the check for params types without named fields: there is nothing to check.
macro_rules! without_fields {
    ($([$($generic:ident)*] $params:ty),* $(,)?) => {$(
        impl<N $(, $generic)*> ParamsType<$params, N> {
            /// Returns the expected fields themselves.
            pub fn fields(&self) -> &N {
                unreachable!("the probe of a handler never runs")
            }
        }
    )*};
}

without_fields! {
    [] Params,
    [] (),
    [K V S] std::collections::HashMap<K, V, S>,
    [K V] std::collections::BTreeMap<K, V>,
    [T] Vec<T>,
    [T] Option<T>,
}

/// Params types with fields.
pub trait WithFields<P> {
    /// Returns the params.
    fn fields(&self) -> &P;
}

impl<P, N> WithFields<P> for &ParamsType<P, N> {
    fn fields(&self) -> &P {
        unreachable!("the probe of a handler never runs")
    }
}
