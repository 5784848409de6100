//! The logic of Waypost's router: which handler a request goes to, and what it may carry there.
//!
//! [`Router::route`] decides, without any I/O: it gives the handler, or an [`Answer`] where none is
//! needed (404, a redirect to the normal form of a path, a bad request). [`Forwarding`] says which
//! headers of a client may pass and what the inside learns of the public URL. Whoever sends the
//! request on (the router component in `component`, a host that links this crate) adds nothing of
//! its own.
//!
//! What it does not do: methods. Each handler answers those it has; a 405 is the handler's.

#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod answer;
#[cfg(all(target_arch = "wasm32", target_env = "p2"))]
pub mod component;
mod forwarding;
mod negotiate;
mod router;

pub use answer::Answer;
pub use forwarding::{Forwarded, Forwarding, Headers, is_of_the_connection, is_of_the_inside};
pub use router::{Decision, Destination, Router, RoutesError};

/// Exports the router component with this table: `waypost_router::export!(include_str!("../routes.txt"));`.
#[cfg(all(target_arch = "wasm32", target_env = "p2"))]
#[macro_export]
macro_rules! export {
    ($routes:expr) => {
        const _: () = {
            struct Component;

            impl $crate::component::wasip3::exports::http::handler::Guest for Component {
                async fn handle(
                    request: $crate::component::wasip3::http::types::Request,
                ) -> ::core::result::Result<
                    $crate::component::wasip3::http::types::Response,
                    $crate::component::wasip3::http::types::ErrorCode,
                > {
                    $crate::dispatch!($routes, request)
                }
            }

            $crate::component::wasip3::http::service::export!(
                Component with_types_in $crate::component::wasip3
            );
        };
    };
}

/// Reaches handlers by in-memory HTTP calls.
#[cfg(all(target_arch = "wasm32", not(feature = "composed")))]
#[doc(hidden)]
#[macro_export]
macro_rules! dispatch {
    ($routes:expr, $request:expr) => {
        $crate::component::chained::handle($routes, $request).await
    };
}

/// Reaches handlers by the imports in a file that `waypost compose` makes: a function `call`.
#[cfg(all(target_arch = "wasm32", feature = "composed"))]
#[doc(hidden)]
#[macro_export]
macro_rules! dispatch {
    ($routes:expr, $request:expr) => {{
        mod handlers {
            include!(env!("WAYPOST_COMPOSED"));
        }
        $crate::component::composed::handle($routes, $request, handlers::call).await
    }};
}

/// The router is a component on `wasm32-wasip2` only; elsewhere there is nothing to export.
#[cfg(not(all(target_arch = "wasm32", target_env = "p2")))]
#[macro_export]
macro_rules! export {
    ($routes:expr) => {
        const _: &str = $routes;
    };
}
