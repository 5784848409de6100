//! The logic of Waypost's router: which handler a request goes to, and what it may carry there.
//!
//! [`Router::route`] decides, without any I/O: it gives the handler, or an [`Answer`] where none is
//! needed (404, a redirect to the normal form of a path, a bad request). [`Forwarding`] says which
//! headers of a client may pass and what the inside learns of the public URL. Whoever sends the
//! request on (the router component in `wasi02` and `wasi03`, a host that links this crate) adds nothing of
//! its own.
//!
//! What it does not do: methods. Each handler answers those it has; a 405 is the handler's.

#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod answer;
mod fields;
mod forwarding;
#[cfg(target_arch = "wasm32")]
mod instance;
mod negotiate;
mod router;
#[cfg(all(target_arch = "wasm32", target_env = "p1"))]
pub mod wasi02;
#[cfg(all(target_arch = "wasm32", target_env = "p2"))]
pub mod wasi03;

pub use answer::Answer;
pub use fields::{Fields, Headers};
pub use forwarding::{
    Forwarded, Forwarding, TRUSTED_HEADERS, X_REQUEST_ID, is_for_the_inside, is_of_the_connection,
    is_of_the_inside, trusted_headers,
};
pub use router::{Decision, Destination, Router, RoutesError};

/// Exports the router component with this table: `waypost_router::export!(include_str!("../routes.txt"));`.
#[cfg(all(target_arch = "wasm32", target_env = "p2"))]
#[macro_export]
macro_rules! export {
    ($routes:expr) => {
        const _: () = {
            struct Component;

            impl $crate::wasi03::wasip3::exports::http::handler::Guest for Component {
                async fn handle(
                    request: $crate::wasi03::wasip3::http::types::Request,
                ) -> ::core::result::Result<
                    $crate::wasi03::wasip3::http::types::Response,
                    $crate::wasi03::wasip3::http::types::ErrorCode,
                > {
                    $crate::dispatch!($routes, request)
                }
            }

            $crate::wasi03::wasip3::http::service::export!(
                Component with_types_in $crate::wasi03::wasip3
            );
        };
    };
}

/// Exports the router component with this table: `waypost_router::export!(include_str!("../routes.txt"));`.
#[cfg(all(target_arch = "wasm32", target_env = "p1"))]
#[macro_export]
macro_rules! export {
    ($routes:expr) => {
        const _: () = {
            struct Component;

            impl $crate::wasi02::wasip2::exports::http::incoming_handler::Guest for Component {
                fn handle(
                    request: $crate::wasi02::wasip2::http::types::IncomingRequest,
                    response: $crate::wasi02::wasip2::http::types::ResponseOutparam,
                ) {
                    $crate::dispatch!($routes, request, response)
                }
            }

            $crate::wasi02::wasip2::http::proxy::export!(
                Component with_types_in $crate::wasi02::wasip2
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
        $crate::wasi03::chained::handle($routes, $request).await
    };
    ($routes:expr, $request:expr, $response:expr) => {
        $crate::wasi02::chained::handle($routes, $request, $response)
    };
}

/// Reaches handlers by the imports in a file that `waypost compose` makes: a function `call`, and the table
/// of the routes that are in the composition.
#[cfg(all(target_arch = "wasm32", feature = "composed"))]
#[doc(hidden)]
#[macro_export]
macro_rules! dispatch {
    ($routes:expr, $request:expr) => {{
        mod handlers {
            include!(env!("WAYPOST_COMPOSED"));
        }
        const _: &str = $routes;
        $crate::wasi03::composed::handle(handlers::ROUTES, $request, handlers::call).await
    }};
    ($routes:expr, $request:expr, $response:expr) => {{
        mod handlers {
            include!(env!("WAYPOST_COMPOSED"));
        }
        const _: &str = $routes;
        $crate::wasi02::composed::handle(handlers::ROUTES, $request, $response, handlers::call)
    }};
}

/// The router is a component for WebAssembly only; elsewhere there is nothing to export.
#[cfg(not(target_arch = "wasm32"))]
#[macro_export]
macro_rules! export {
    ($routes:expr) => {
        const _: &str = $routes;
    };
}
