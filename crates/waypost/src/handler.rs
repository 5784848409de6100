//! What makes a function a handler: the traits that `export!` calls it through.
//!
//! They are kept apart so that each mistake has a message of its own: arguments that can't be drawn
//! from a request, a function that is not `async`, a reply that can't become a response.

use std::future::Future;
use std::marker::PhantomData;

use crate::{Context, Exchange, FromRequest, IntoResponse, Params, Response, Result};

/// A function that answers requests. The macro [`export!`](crate::export) asks for it.
#[diagnostic::on_unimplemented(
    message = "this can't be a route handler",
    label = "not a handler",
    note = "write `async fn get(req: Request) -> Result`: a handler is a function with up to eight arguments"
)]
pub trait Handler<Args> {
    /// What calling the function gives: a future.
    type Output;

    /// Calls the function.
    fn call(self, args: Args) -> Self::Output;
}

/// What a handler must give: a future, thus an `async fn`.
#[diagnostic::on_unimplemented(
    message = "a route handler must be an `async fn`",
    label = "this function is not `async`: it returns `{Self}` at once",
    note = "write `async` before `fn`"
)]
pub trait Asynchronous {
    /// What the future resolves to.
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
    /// Draws all arguments from the request, from left to right.
    fn draw(exchange: &mut Exchange) -> impl Future<Output = Result<Self>>;
}

/// Answers a request with a handler.
pub async fn run<H, Args>(handler: H, exchange: &mut Exchange) -> Response
where
    H: Handler<Args, Output: Asynchronous<Reply: IntoResponse>>,
    Args: Arguments,
{
    match Args::draw(exchange).await {
        Ok(args) => handler.call(args).into_future().await.into_response(),
        Err(error) => error.into_response(),
    }
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
            async fn draw(exchange: &mut Exchange) -> Result<Self> {
                Ok(($($arg::from_request(exchange).await?,)*))
            }
        }
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

/// Finds the params type of a handler at compile time, so that `export!` can check that it has a
/// field for each segment. Nothing of it runs.
///
/// `N` is a type with the fields that are wanted: the answer where there is nothing to check.
pub struct Probe<Args, N>(PhantomData<(Args, N)>);

/// The params type that a [`Probe`] found.
pub struct Found<P, N>(PhantomData<(P, N)>);

/// Makes the probe of a handler.
pub fn probe<H: Handler<Args>, Args, N>(_handler: &H) -> Probe<Args, N> {
    Probe(PhantomData)
}

macro_rules! context_last {
    ($(($($arg:ident)*))*) => {$(
        impl<$($arg,)* P, N> Probe<($($arg,)* Context<P>,), N> {
            /// The params of a handler whose last argument is the context.
            pub fn context(&self) -> Found<P, N> {
                Found(PhantomData)
            }
        }
    )*};
}

context_last! { () (A) (A B) (A B C) (A B C D) }

/// Handlers whose last argument is not the context have nothing to check.
pub trait WithoutContext<N> {
    /// No params.
    fn context(&self) -> Found<Params, N>;
}

impl<Args, N> WithoutContext<N> for &Probe<Args, N> {
    fn context(&self) -> Found<Params, N> {
        Found(PhantomData)
    }
}

/// Params types without fields of their own: nothing to check.
macro_rules! without_fields {
    ($([$($generic:ident)*] $params:ty),* $(,)?) => {$(
        impl<N $(, $generic)*> Found<$params, N> {
            /// The wanted fields themselves.
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
    /// The params.
    fn fields(&self) -> &P;
}

impl<P, N> WithFields<P> for &Found<P, N> {
    fn fields(&self) -> &P {
        unreachable!("the probe of a handler never runs")
    }
}
